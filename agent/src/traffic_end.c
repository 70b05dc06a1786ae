/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic_end.h"

#include <errno.h>
#include <sys/prctl.h>

#include "clock.h"
#include "processors.h"

enum { STACK_BYTES = 256 * 1024, BATCH_PACKETS_MAXIMUM = 4096 };

#define NS_PER_SECOND UINT64_C(1000000000)
#define LONGEST_SLEEP_NS UINT64_C(50000000)
/* A source that cannot keep up ends this long after its time. */
#define GRACE_NS UINT64_C(100000000)

void traffic_sleep_until(uint64_t then_ns)
{
    uint64_t latest = traffic_now_ns() + LONGEST_SLEEP_NS;
    struct timespec until;

    if (then_ns > latest)
        then_ns = latest;
    until.tv_sec = (time_t)(then_ns / NS_PER_SECOND);
    until.tv_nsec = (long)(then_ns % NS_PER_SECOND);
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* How many packets should have been offered after so long; the first one at once. */
static uint64_t packets_due(uint64_t packets_per_second, uint64_t elapsed_ns)
{
    uint64_t seconds = elapsed_ns / NS_PER_SECOND;

    return 1 + seconds * packets_per_second + elapsed_ns % NS_PER_SECOND * packets_per_second / NS_PER_SECOND;
}

/* When packet number `packets` (from 0) is due. */
static uint64_t due_ns(uint64_t packets_per_second, uint64_t packets)
{
    return packets / packets_per_second * NS_PER_SECOND +
           (packets % packets_per_second * NS_PER_SECOND + packets_per_second - 1) / packets_per_second;
}

static void publish(struct traffic_end *end, const struct traffic_progress *progress)
{
    (void)pthread_mutex_lock(&end->mutex);
    end->progress = *progress;
    (void)pthread_mutex_unlock(&end->mutex);
}

void traffic_end_fail(struct traffic_end *end, const struct failure *failure)
{
    (void)pthread_mutex_lock(&end->mutex);
    end->failure = *failure;
    (void)pthread_mutex_unlock(&end->mutex);
}

/* What the plan comes to: with a rate and a time the number of packets is known. */
static uint64_t packets_planned(const struct traffic_plan *plan)
{
    uint64_t count = plan->count > 0 ? plan->count : UINT64_MAX;

    if (plan->packets_per_second > 0 && plan->milliseconds > 0) {
        uint64_t within = plan->packets_per_second * plan->milliseconds / 1000;

        count = within < count ? within : count;
    }
    return count;
}

/* Waits until a unit is due; false when it is due already. */
static bool wait_for_unit(const struct traffic_plan *plan, struct traffic_progress *progress, uint64_t unit,
                          uint64_t now, uint64_t *due)
{
    uint64_t last;

    *due = packets_due(plan->packets_per_second, now - progress->started_ns) - progress->packets;
    last = progress->started_ns + due_ns(plan->packets_per_second, progress->packets + unit - 1);
    if (now >= last) {
        if (now - last > progress->behind_ns)
            progress->behind_ns = now - last;
        return false;
    }
    if (!plan->spin)
        traffic_sleep_until(last);
    return true;
}

void traffic_run_paced(struct traffic_end *end, traffic_send send, uint32_t unit)
{
    const struct traffic_plan *plan = &end->plan;
    uint64_t planned = packets_planned(plan), cpu = thread_cpu_ns();
    uint64_t latest_ns = plan->milliseconds > 0 ? plan->milliseconds * UINT64_C(1000000) : UINT64_MAX;
    struct traffic_progress progress = {.started_ns = traffic_now_ns()};
    struct failure failure = {FAILURE_NONE, ""};

    if (plan->packets_per_second > 0 && latest_ns != UINT64_MAX)
        latest_ns += GRACE_NS;
    while (!atomic_load_explicit(&end->stop, memory_order_relaxed) && progress.packets < planned) {
        uint64_t now = traffic_now_ns(), left = planned - progress.packets, due = left;

        if (now - progress.started_ns >= latest_ns)
            break;
        if (plan->packets_per_second > 0 &&
            wait_for_unit(plan, &progress, left < unit ? left : unit, now, &due))
            continue;
        due = due < left ? due : left;
        if (send(end, (uint32_t)(due < BATCH_PACKETS_MAXIMUM ? due : BATCH_PACKETS_MAXIMUM), &progress, &failure) == 0 &&
            failure.code != FAILURE_NONE)
            break;
        progress.ended_ns = traffic_now_ns();
        progress.cpu_ns = thread_cpu_ns() - cpu;
        publish(end, &progress);
    }
    progress.ended_ns = traffic_now_ns();
    progress.cpu_ns = thread_cpu_ns() - cpu;
    publish(end, &progress);
    if (failure.code != FAILURE_NONE)
        traffic_end_fail(end, &failure);
}

static void *work(void *argument)
{
    struct traffic_end *end = argument;

    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* wake when due, not up to 50 us later */
    if (end->core != NO_CORE && !processor_pin(end->core)) {
        struct failure failure;

        (void)fail(&failure, FAILURE_USAGE, "core: the agent may not run on processor %u", end->core);
        traffic_end_fail(end, &failure);
    } else {
        end->kind->run(end);
    }
    atomic_store(&end->running, false);
    return NULL;
}

bool traffic_end_start(struct traffic_end *end, struct failure *failure)
{
    pthread_attr_t attributes;
    int error;

    end->failure.code = FAILURE_NONE;
    atomic_store(&end->stop, false);
    atomic_store(&end->running, true);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    error = pthread_create(&end->thread, &attributes, work, end);
    (void)pthread_attr_destroy(&attributes);
    if (error != 0) {
        atomic_store(&end->running, false);
        return fail(failure, FAILURE_MEMORY, "no thread for '%s': %s", end->name, strerror(error));
    }
    end->has_thread = true;
    return true;
}

void traffic_end_stop(struct traffic_end *end)
{
    if (!end->has_thread)
        return;
    atomic_store(&end->stop, true);
    (void)pthread_join(end->thread, NULL);
    end->has_thread = false;
}
