/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection that carries as much as it can, for boxes without iperf3. Its plan has a time, or a count of octets. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "traffic_intervals.h"
#include "traffic_sockets.h"

enum { WAIT_MS = 50, CONNECT_MS = 5000 };

struct tcp_source {
    struct traffic_packets place;
    uint32_t write_bytes;
    uint8_t *octets;
    uint64_t retransmitted; /* segments; guarded by the end's mutex, as is the next */
    struct traffic_intervals intervals;
};

static void destroy(void *state)
{
    struct tcp_source *source = state;

    free(source->octets);
    free(source);
}

static void *open_source(const struct traffic_settings *settings, const struct json_document *document,
                         struct failure *failure)
{
    struct tcp_source *source = calloc(1, sizeof *source);

    (void)document;
    if (source != NULL)
        source->octets = malloc(settings->write_bytes);
    if (source == NULL || source->octets == NULL) {
        free(source);
        (void)fail(failure, FAILURE_MEMORY, "no memory for a source");
        return NULL;
    }
    memset(source->octets, PAYLOAD_FILLER, settings->write_bytes);
    source->place = settings->packets;
    source->write_bytes = settings->write_bytes;
    source->intervals.interval_ns = settings->interval_ms * UINT64_C(1000000);
    return source;
}

/* A connection, made within five seconds; -1 with a failure. */
static int open_connection(const struct tcp_source *source, const atomic_bool *stop, struct failure *failure)
{
    const struct traffic_packets *place = &source->place;
    int connection = traffic_socket(place->destination.version, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, failure);
    struct pollfd waiting = {.fd = connection, .events = POLLOUT};
    int error = ETIMEDOUT;
    socklen_t length = sizeof error, place_bytes;
    struct sockaddr_storage peer;

    if (connection < 0)
        return -1;
    if ((place->source.version != 0 || place->source_port != 0) &&
        !traffic_bind(connection, place->destination.version, &place->source, place->source_port, failure)) {
        (void)close(connection);
        return -1;
    }
    place_bytes = traffic_socket_address(&place->destination, place->destination_port, &peer);
    if (connect(connection, (const struct sockaddr *)&peer, place_bytes) == 0)
        return connection;
    if (errno != EINPROGRESS)
        error = errno;
    for (int waited = 0; error == ETIMEDOUT && waited < CONNECT_MS && !atomic_load(stop); waited += WAIT_MS) {
        if (poll(&waiting, 1, WAIT_MS) > 0) {
            (void)getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &length);
            break;
        }
    }
    if (error == 0)
        return connection;
    (void)close(connection);
    (void)fail(failure, FAILURE_FAILED, "cannot connect to port %u: %s", place->destination_port, strerror(error));
    return -1;
}

static uint64_t retransmitted_segments(int connection)
{
    struct tcp_info information;
    socklen_t length = sizeof information;

    memset(&information, 0, sizeof information);
    if (getsockopt(connection, IPPROTO_TCP, TCP_INFO, &information, &length) != 0)
        return 0;
    return information.tcpi_total_retrans;
}

static void publish(struct traffic_end *end, int connection, uint64_t now, uint64_t cpu, uint64_t bytes)
{
    struct tcp_source *source = end->state;

    (void)pthread_mutex_lock(&end->mutex);
    if (bytes > 0)
        intervals_add(&source->intervals, now, bytes);
    end->progress.bytes += bytes;
    end->progress.calls++;
    end->progress.ended_ns = now;
    end->progress.cpu_ns = thread_cpu_ns() - cpu;
    if (bytes == 0)
        source->retransmitted = retransmitted_segments(connection);
    (void)pthread_mutex_unlock(&end->mutex);
}

/* Waits until the peer has everything, so that nothing of one run is on the way in the next. */
static void finish(int connection, const atomic_bool *stop)
{
    char octet;
    struct pollfd waiting = {.fd = connection, .events = POLLIN};

    (void)shutdown(connection, SHUT_WR);
    for (int waited = 0; waited < CONNECT_MS && !atomic_load(stop); waited += WAIT_MS) {
        if (poll(&waiting, 1, WAIT_MS) > 0 && recv(connection, &octet, 1, MSG_DONTWAIT) <= 0)
            break;
    }
}

static void send_all(struct traffic_end *end, int connection, uint64_t cpu)
{
    const struct tcp_source *source = end->state;
    struct pollfd waiting = {.fd = connection, .events = POLLOUT};
    uint64_t start = traffic_now_ns(), now = start, sent = 0;
    uint64_t length_ns = end->plan.milliseconds > 0 ? end->plan.milliseconds * UINT64_C(1000000) : UINT64_MAX;
    uint64_t limit = end->plan.count > 0 ? end->plan.count : UINT64_MAX;

    while (!atomic_load_explicit(&end->stop, memory_order_relaxed) && sent < limit && now - start < length_ns) {
        size_t bytes = limit - sent < source->write_bytes ? (size_t)(limit - sent) : source->write_bytes;
        ssize_t count = send(connection, source->octets, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            struct failure failure;

            (void)fail(&failure, FAILURE_FAILED, "the connection broke: %s", strerror(errno));
            traffic_end_fail(end, &failure);
            return;
        }
        if (count < 0)
            (void)poll(&waiting, 1, WAIT_MS);
        now = traffic_now_ns();
        if (count > 0) {
            sent += (uint64_t)count;
            publish(end, connection, now, cpu, (uint64_t)count);
        }
    }
}

static void run(struct traffic_end *end)
{
    struct tcp_source *source = end->state;
    struct failure failure = {FAILURE_NONE, ""};
    uint64_t cpu = thread_cpu_ns();
    int connection;

    (void)pthread_mutex_lock(&end->mutex);
    source->intervals.start_ns = 0;
    source->intervals.count = 0;
    source->retransmitted = 0;
    memset(&end->progress, 0, sizeof end->progress);
    end->progress.started_ns = traffic_now_ns();
    (void)pthread_mutex_unlock(&end->mutex);
    connection = open_connection(source, &end->stop, &failure);
    if (connection < 0) {
        traffic_end_fail(end, &failure);
        return;
    }
    send_all(end, connection, cpu);
    finish(connection, &end->stop);
    publish(end, connection, traffic_now_ns(), cpu, 0);
    (void)close(connection);
}

static void write_intervals(FILE *stream, struct traffic_end *end, bool histogram)
{
    const struct tcp_source *source = end->state;

    (void)histogram;
    fprintf(stream, ", \"retransmitted\": %" PRIu64, source->retransmitted);
    intervals_write(stream, &source->intervals);
}

const struct traffic_kind traffic_source_tcp = {.name = "tcp",
                                                .is_source = true,
                                                .open = open_source,
                                                .run = run,
                                                .write = write_intervals,
                                                .destroy = destroy};
