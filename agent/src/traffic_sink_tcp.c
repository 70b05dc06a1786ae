/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of TCP streams: accepts connections, throws away what comes (unread, in the kernel) and counts it. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "traffic_intervals.h"
#include "traffic_sockets.h"

enum { CONNECTIONS_MAXIMUM = 64, WAIT_MS = 50, DISCARD_BYTES = 1 << 20, BACKLOG = 64 };

struct tcp_sink {
    struct pollfd sockets[1 + CONNECTIONS_MAXIMUM]; /* the first one listens */
    nfds_t count;
    uint64_t accepted; /* guarded by the end's mutex, as is the next */
    struct traffic_intervals intervals;
};

static void destroy(void *state)
{
    struct tcp_sink *sink = state;

    for (nfds_t i = 0; i < sink->count; i++)
        (void)close(sink->sockets[i].fd);
    free(sink);
}

static void *open_sink(const struct traffic_settings *settings, const struct json_document *document,
                       struct failure *failure)
{
    struct tcp_sink *sink = calloc(1, sizeof *sink);
    int listener;

    (void)document;
    if (sink == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a sink");
        return NULL;
    }
    sink->intervals.interval_ns = settings->interval_ms * UINT64_C(1000000);
    listener = traffic_socket(settings->address.version, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, failure);
    if (listener < 0) {
        free(sink);
        return NULL;
    }
    sink->sockets[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    sink->count = 1;
    if (!traffic_bind(listener, settings->address.version, &settings->address, settings->port, failure)) {
        destroy(sink);
        return NULL;
    }
    if (listen(listener, BACKLOG) != 0) {
        (void)fail(failure, FAILURE_FAILED, "cannot listen on port %u: %s", settings->port, strerror(errno));
        destroy(sink);
        return NULL;
    }
    return sink;
}

static void accept_connection(struct traffic_end *end)
{
    struct tcp_sink *sink = end->state;
    int connection = accept4(sink->sockets[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (connection < 0)
        return;
    if (sink->count > CONNECTIONS_MAXIMUM) {
        (void)close(connection);
        return;
    }
    sink->sockets[sink->count++] = (struct pollfd){.fd = connection, .events = POLLIN};
    (void)pthread_mutex_lock(&end->mutex);
    sink->accepted++;
    (void)pthread_mutex_unlock(&end->mutex);
}

/* Throws away what is there; false at the end of the stream. */
static bool discard(struct traffic_end *end, int connection, uint64_t *cpu)
{
    struct tcp_sink *sink = end->state;
    /* MSG_TRUNC: TCP does not copy what nobody will look at. */
    ssize_t bytes = recv(connection, NULL, DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    uint64_t now, spent;

    if (bytes < 0)
        return errno == EAGAIN || errno == EINTR;
    if (bytes == 0)
        return false;
    now = traffic_now_ns();
    spent = thread_cpu_ns();
    (void)pthread_mutex_lock(&end->mutex);
    if (end->progress.bytes == 0)
        end->progress.started_ns = now;
    intervals_add(&sink->intervals, now, (uint64_t)bytes);
    end->progress.bytes += (uint64_t)bytes;
    end->progress.ended_ns = now;
    end->progress.calls++;
    end->progress.cpu_ns += spent - *cpu;
    (void)pthread_mutex_unlock(&end->mutex);
    *cpu = spent;
    return true;
}

static void run(struct traffic_end *end)
{
    struct tcp_sink *sink = end->state;
    uint64_t cpu = thread_cpu_ns();

    while (!atomic_load_explicit(&end->stop, memory_order_relaxed)) {
        if (poll(sink->sockets, sink->count, WAIT_MS) <= 0)
            continue;
        for (nfds_t i = sink->count - 1; i > 0; i--) {
            if (sink->sockets[i].revents == 0 || discard(end, sink->sockets[i].fd, &cpu))
                continue;
            (void)close(sink->sockets[i].fd);
            sink->sockets[i] = sink->sockets[--sink->count];
        }
        if (sink->sockets[0].revents != 0)
            accept_connection(end);
    }
}

static void write_intervals(FILE *stream, struct traffic_end *end, bool histogram)
{
    const struct tcp_sink *sink = end->state;

    (void)histogram;
    fprintf(stream, ", \"connections\": %" PRIu64, sink->accepted);
    intervals_write(stream, &sink->intervals);
}

static void reset(struct traffic_end *end, uint32_t stream)
{
    struct tcp_sink *sink = end->state;

    (void)stream;
    sink->accepted = 0;
    sink->intervals.start_ns = 0;
    sink->intervals.count = 0;
}

const struct traffic_kind traffic_sink_tcp = {
    .name = "tcp", .open = open_sink, .run = run, .write = write_intervals, .reset = reset, .destroy = destroy};
