/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* eventfd */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "clock.h"
#include "esp_plane.h"
#include "esp_plane_deliver.h"
#include "esp_plane_jobs.h"
#include "esp_plane_receive.h"
#include "esp_plane_send.h"
#include "processors.h"
#include "random_octets.h"
#include "vnet_header.h"

enum { STACK_BYTES = 1024 * 1024, BURSTS_BETWEEN_POLLS = 8 };

uint64_t plane_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void worker_mark(struct worker *worker, enum cpu_part part)
{
    uint64_t now = monotonic_ns();

    worker->statistics.part_ns[part] += now - worker->mark_ns;
    worker->mark_ns = now;
}

void plane_report(struct event_list *list, const struct plane_event *event)
{
    if (list->count == EVENTS_MAXIMUM)
        list->lost++;
    else
        list->events[list->count++] = *event;
}

void worker_report_once(struct worker *worker, struct sa *sa, enum event_kind kind)
{
    struct plane_event event = {.kind = kind, .outbound = sa->outbound, .spi = sa->spi};
    uint8_t bit = (uint8_t)(1U << kind);

    if ((atomic_load_explicit(&sa->events_sent, memory_order_relaxed) & bit) == 0 &&
        (atomic_fetch_or(&sa->events_sent, bit) & bit) == 0)
        plane_report(&worker->events, &event);
}

/* Threads that share an SA must not lose each other's counts; one alone needs no locked instruction. */
static uint64_t count_up(const struct worker *worker, _Atomic uint64_t *counter, uint64_t more)
{
    uint64_t sum;

    if (worker->plane->worker_count > 1)
        return atomic_fetch_add_explicit(counter, more, memory_order_relaxed) + more;
    sum = atomic_load_explicit(counter, memory_order_relaxed) + more;
    atomic_store_explicit(counter, sum, memory_order_relaxed);
    return sum;
}

bool worker_admit(struct worker *worker, struct sa *sa, size_t inner_bytes)
{
    const struct sa_limits *limits = sa->limits;
    uint64_t packets, bytes;

    if (limits != NULL && (atomic_load_explicit(&sa->expired, memory_order_relaxed) ||
                           atomic_load_explicit(&sa->packets, memory_order_relaxed) >= limits->hard_packets ||
                           atomic_load_explicit(&sa->bytes, memory_order_relaxed) >= limits->hard_bytes))
        return false;
    packets = count_up(worker, &sa->packets, 1);
    bytes = count_up(worker, &sa->bytes, inner_bytes);
    atomic_store_explicit(&sa->last_ms, worker->now_ms, memory_order_relaxed);
    if (limits != NULL && (packets >= limits->soft_packets || bytes >= limits->soft_bytes))
        worker_report_once(worker, sa, EVENT_SOFT_LIMIT);
    if (limits != NULL && (packets >= limits->hard_packets || bytes >= limits->hard_bytes))
        worker_report_once(worker, sa, EVENT_HARD_LIMIT);
    return true;
}

struct esp_sa *worker_transform(struct worker *worker, struct sa *sa)
{
    struct failure failure;

    if (sa->contexts[worker->number] == NULL)
        sa->contexts[worker->number] = sa_new_context(sa, &worker->iv_source, &failure);
    return sa->contexts[worker->number];
}

void plane_pause(struct plane *plane)
{
    (void)pthread_mutex_lock(&plane->gate);
    atomic_store(&plane->pausing, true);
    for (unsigned i = 0; i < plane->worker_count; i++)
        (void)pthread_mutex_lock(&plane->workers[i]->busy);
}

void plane_resume(struct plane *plane)
{
    for (unsigned i = 0; i < plane->worker_count; i++)
        (void)pthread_mutex_unlock(&plane->workers[i]->busy);
    atomic_store(&plane->pausing, false);
    (void)pthread_mutex_unlock(&plane->gate);
}

/* Everything that is there now, at most one burst of each kind. `ready`: the descriptors to try. */
static unsigned do_bursts(struct worker *worker, unsigned ready)
{
    unsigned left = 0;

    if (atomic_load_explicit(&worker->plane->pausing, memory_order_relaxed)) {
        (void)pthread_mutex_lock(&worker->plane->gate);
        (void)pthread_mutex_unlock(&worker->plane->gate);
    }
    (void)pthread_mutex_lock(&worker->busy);
    worker->now_ms = plane_now_ms();
    if (worker->plane->split_cpu)
        worker->mark_ns = monotonic_ns();
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        if ((ready & 1U << kind) != 0 && inbound_burst(worker, (enum socket_kind)kind) > 0)
            left |= 1U << kind;
    }
    if ((ready & 1U << SOCKET_KINDS) != 0 && outbound_burst(worker) > 0)
        left |= 1U << SOCKET_KINDS;
    (void)pthread_mutex_unlock(&worker->busy);
    return left;
}

/* Waits until something is there; returns which descriptors, as bits. */
static unsigned wait_for_packets(struct worker *worker, int timeout_ms)
{
    struct pollfd waiting[SOCKET_KINDS + 2];
    unsigned ready = 0;

    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        waiting[kind] = (struct pollfd){.fd = worker->queue.sockets[kind], .events = POLLIN};
    waiting[SOCKET_KINDS] = (struct pollfd){.fd = worker->queue.tun, .events = POLLIN};
    waiting[SOCKET_KINDS + 1] = (struct pollfd){.fd = worker->wake, .events = POLLIN};
    if (poll(waiting, SOCKET_KINDS + 2, timeout_ms) <= 0)
        return 0;
    for (int i = 0; i <= SOCKET_KINDS; i++) {
        if ((waiting[i].revents & POLLNVAL) == 0 && waiting[i].revents != 0)
            ready |= 1U << i;
    }
    return ready;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    unsigned ready = 0, bursts = 0;

    if (worker->queue.has_core)
        (void)processor_pin(worker->queue.core);
    while (!atomic_load_explicit(&worker->plane->stopping, memory_order_relaxed)) {
        if (ready == 0) {
            ready = wait_for_packets(worker, -1);
            bursts = 0;
        } else if (++bursts % BURSTS_BETWEEN_POLLS == 0) {
            ready |= wait_for_packets(worker, 0);
        }
        if (ready != 0)
            ready = do_bursts(worker, ready);
    }
    return NULL;
}

static void destroy_worker(struct worker *worker)
{
    if (worker == NULL)
        return;
    send_destroy(worker);
    receive_destroy(worker);
    deliver_destroy(worker);
    jobs_destroy(worker);
    iv_source_destroy(&worker->iv_source);
    if (worker->wake >= 0)
        (void)close(worker->wake);
    free(worker->outbound_flows);
    free(worker->inbound_flows);
    free(worker->tun_buffer);
    free(worker->segment_buffer);
    free(worker->fragment_buffer);
    (void)pthread_mutex_destroy(&worker->busy);
    free(worker);
}

static bool make_iv_source(struct worker *worker, struct failure *failure)
{
    uint8_t key[16];

    if (!random_octets(key, sizeof key, failure))
        return false;
    return iv_source_create(&worker->iv_source, &symmetric_libcrypto, key, failure);
}

static bool make_worker(struct plane *plane, const struct plane_settings *settings, unsigned number,
                        struct failure *failure)
{
    struct worker *worker = calloc(1, sizeof *worker);

    plane->workers[number] = worker;
    if (worker == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for a worker");
    worker->plane = plane;
    worker->number = number;
    worker->queue = settings->queues[number];
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&worker->busy, NULL);
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        worker->send_sockets[kind] = worker->queue.sockets[kind];
        for (unsigned i = 0; i < settings->queue_count && worker->send_sockets[kind] < 0; i++)
            worker->send_sockets[kind] = settings->queues[i].sockets[kind];
    }
    worker->outbound_flows = calloc(1, sizeof *worker->outbound_flows);
    worker->inbound_flows = calloc(1, sizeof *worker->inbound_flows);
    worker->tun_buffer = malloc(TUN_BUFFER_BYTES);
    worker->segment_buffer = malloc(TUN_BUFFER_BYTES);
    worker->fragment_buffer = malloc(TUN_BUFFER_BYTES);
    if (worker->wake < 0 || worker->outbound_flows == NULL || worker->inbound_flows == NULL ||
        worker->tun_buffer == NULL || worker->segment_buffer == NULL || worker->fragment_buffer == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for a worker");
    if (fcntl(worker->queue.tun, F_SETFL, O_NONBLOCK) != 0)
        return fail(failure, FAILURE_USAGE, "queues: %d is no descriptor of a TUN device: %s", worker->queue.tun,
                    strerror(errno));
    return make_iv_source(worker, failure) && jobs_create(worker, failure) && send_create(worker, failure) && deliver_create(worker, failure) &&
           receive_create(worker, settings->socket_buffer_bytes, failure);
}

/* How long the header in front of each packet is; asked of the device, since its opener may have set it. */
static bool find_vnet_header(struct plane *plane, const struct plane_settings *settings, struct failure *failure)
{
    int length = VNET_HEADER_BYTES;

    plane->vnet_header_bytes = 0;
    if (!settings->vnet_header)
        return true;
    /* Some C libraries have int for the number, others unsigned long; the kernel looks at 32 bits. */
    (void)ioctl(settings->queues[0].tun, (int)TUNGETVNETHDRSZ, &length);
    if (length < VNET_HEADER_BYTES || length > VNET_HEADER_BYTES_MAXIMUM)
        return fail(failure, FAILURE_UNSUPPORTED, "a virtio header of %d octets is not known here", length);
    plane->vnet_header_bytes = (uint32_t)length;
    return true;
}

static bool start(struct plane *plane, struct failure *failure)
{
    pthread_attr_t attributes;
    bool started = true;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (unsigned i = 0; i < plane->worker_count && started; i++) {
        started = pthread_create(&plane->workers[i]->thread, &attributes, work, plane->workers[i]) == 0;
        plane->workers[i]->started = started;
    }
    (void)pthread_attr_destroy(&attributes);
    return started || fail(failure, FAILURE_MEMORY, "no thread for a queue");
}

bool plane_open(struct plane *plane, const struct plane_settings *settings, struct failure *failure)
{
    if (plane->opened)
        return fail(failure, FAILURE_USAGE, "the data plane is open already");
    if (!symmetric_libcrypto.ready(failure) ||
        !symmetric_libcrypto.offers_cipher(cipher_algorithm_find("aes128ctr"), failure))
        return false;
    (void)symmetric_libgcrypt.ready(failure); /* loaded now, while its file can surely be read; it may be missing */
    plane->split_cpu = settings->split_cpu;
    copy_text(plane->provider, sizeof plane->provider, settings->provider != NULL ? settings->provider : "");
    plane->generation = 1;
    atomic_store(&plane->stopping, false);
    if (!find_vnet_header(plane, settings, failure))
        return false;
    for (unsigned i = 0; i < settings->queue_count; i++) {
        plane->worker_count = i + 1;
        if (!make_worker(plane, settings, i, failure)) {
            plane_close(plane);
            return false;
        }
    }
    if (!drop_privileges(settings->has_uid, settings->uid, settings->has_gid, settings->gid, failure) ||
        !start(plane, failure)) {
        plane_close(plane);
        return false;
    }
    plane->opened = true;
    return true;
}

void plane_close(struct plane *plane)
{
    atomic_store(&plane->stopping, true);
    for (unsigned i = 0; i < plane->worker_count; i++) {
        struct worker *worker = plane->workers[i];
        uint64_t one = 1;

        if (worker == NULL || !worker->started)
            continue;
        if (write(worker->wake, &one, sizeof one) == (ssize_t)sizeof one)
            (void)pthread_join(worker->thread, NULL);
    }
    sa_clear(&plane->sas);
    policy_clear(&plane->policies[false]);
    policy_clear(&plane->policies[true]);
    for (unsigned i = 0; i < plane->worker_count; i++) {
        destroy_worker(plane->workers[i]);
        plane->workers[i] = NULL;
    }
    plane->worker_count = 0;
    plane->opened = false;
}
