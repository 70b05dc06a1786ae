/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "workers.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "clock.h"
#include "processors.h"

enum { STACK_BYTES = 1024 * 1024, SPINS_BEFORE_YIELD = 100000 };

/* What all workers of one order share. */
struct run {
    const struct family *family;
    size_t row;
    const struct order *order;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t worker_count; /* guarded by the mutex, as the next three */
    size_t ready_count;
    bool released;
    bool aborted;
    atomic_uint at_the_line;
};

struct worker {
    struct run *run;
    size_t index;
    pthread_t thread;
    struct measurement measurement;
    struct cycle_counter_reader counter;
    struct sample sample;
    struct failure failure;
    bool prepared;
};

/* Waits until every worker is ready; false when one of them could not be. */
static bool wait_for_release(struct run *run, bool ready)
{
    bool go;

    (void)pthread_mutex_lock(&run->mutex);
    run->ready_count++;
    if (!ready)
        run->aborted = true;
    (void)pthread_cond_broadcast(&run->changed);
    while (!run->released && !run->aborted)
        (void)pthread_cond_wait(&run->changed, &run->mutex);
    go = !run->aborted;
    (void)pthread_mutex_unlock(&run->mutex);
    if (!go)
        return false;
    /* Waking from the condition takes each thread a different time; the last step is taken together. */
    (void)atomic_fetch_add(&run->at_the_line, 1);
    for (unsigned spins = 0; atomic_load(&run->at_the_line) < run->worker_count; spins++) {
        if (spins >= SPINS_BEFORE_YIELD)
            (void)sched_yield();
    }
    return true;
}

static bool prepare(struct worker *worker)
{
    const struct order *order = worker->run->order;
    uint64_t done;

    if (order->core_count > 0) {
        worker->sample.pinned = true;
        worker->sample.core = order->cores[worker->index];
        if (!processor_pin(worker->sample.core))
            return fail(&worker->failure, FAILURE_USAGE, "cores: the agent may not run on processor %" PRIu32,
                        worker->sample.core);
    }
    if (!worker->run->family->prepare(worker->run->row, order, &worker->measurement, &worker->failure))
        return false;
    worker->prepared = true;
    cycle_counter_open(&worker->counter);
    done = worker->measurement.run(worker->measurement.state, order->warmup);
    if (done < order->warmup)
        return fail(&worker->failure, FAILURE_FAILED, "operation %" PRIu64 " of the warm-up failed", done);
    return true;
}

static void measure(struct worker *worker)
{
    struct sample *sample = &worker->sample;
    struct rusage before, after;
    uint64_t wall, cpu, cycles, done;

    (void)getrusage(RUSAGE_THREAD, &before);
    cpu = thread_cpu_ns();
    cycles = cycle_counter_read(&worker->counter);
    wall = monotonic_ns();
    done = worker->measurement.run(worker->measurement.state, worker->run->order->iterations);
    sample->wall_ns = monotonic_ns() - wall;
    sample->cycles = cycle_counter_read(&worker->counter) - cycles;
    sample->cpu_ns = thread_cpu_ns() - cpu;
    (void)getrusage(RUSAGE_THREAD, &after);
    sample->has_cycles = worker->counter.usable;
    sample->iterations = done;
    sample->involuntary_switches = (uint64_t)(after.ru_nivcsw - before.ru_nivcsw);
    sample->minor_faults = (uint64_t)(after.ru_minflt - before.ru_minflt);
    if (done < worker->run->order->iterations)
        (void)fail(&worker->failure, FAILURE_FAILED, "operation %" PRIu64 " failed", done);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    bool ready = prepare(worker);

    if (wait_for_release(worker->run, ready))
        measure(worker);
    if (worker->prepared) {
        cycle_counter_close(&worker->counter);
        worker->measurement.destroy(worker->measurement.state);
    }
    return NULL;
}

/* Starts the threads, lets them go when all are ready, and waits for their end. */
static void start_and_join(struct run *run, struct worker *workers, const pthread_attr_t *attributes)
{
    size_t started = 0;

    for (; started < run->worker_count; started++) {
        workers[started].run = run;
        workers[started].index = started;
        if (pthread_create(&workers[started].thread, attributes, work, &workers[started]) != 0) {
            (void)fail(&workers[started].failure, FAILURE_MEMORY, "no thread for worker %zu", started);
            break;
        }
    }
    (void)pthread_mutex_lock(&run->mutex);
    if (started < run->worker_count)
        run->aborted = true;
    while (run->ready_count < run->worker_count && !run->aborted)
        (void)pthread_cond_wait(&run->changed, &run->mutex);
    run->released = true;
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(workers[i].thread, NULL);
}

bool workers_run(const struct family *family, size_t row, const struct order *order, struct sample *samples,
                 struct detail *detail, struct failure *failure)
{
    struct run run = {.family = family, .row = row, .order = order};
    struct worker *workers;
    pthread_attr_t attributes;
    bool good = true;

    run.worker_count = order->core_count > 0 ? order->core_count : 1;
    workers = calloc(run.worker_count, sizeof *workers);
    if (workers == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for %zu workers", run.worker_count);
    (void)cycle_counter(); /* chosen here, on the main thread */
    (void)pthread_mutex_init(&run.mutex, NULL);
    (void)pthread_cond_init(&run.changed, NULL);
    atomic_init(&run.at_the_line, 0);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    start_and_join(&run, workers, &attributes);
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_cond_destroy(&run.changed);
    (void)pthread_mutex_destroy(&run.mutex);
    for (size_t i = 0; i < run.worker_count; i++) {
        samples[i] = workers[i].sample;
        if (workers[i].failure.code != FAILURE_NONE && good) {
            *failure = workers[i].failure;
            good = false;
        }
    }
    *detail = workers[0].measurement.detail;
    free(workers);
    return good;
}
