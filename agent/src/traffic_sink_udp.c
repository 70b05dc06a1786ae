/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of UDP packets: a socket of the host, with UDP_GRO, and an account of every packet. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "traffic_account.h"
#include "traffic_sockets.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

enum { MESSAGES = 32, DATAGRAM_BYTES = 65536, CONTROL_BYTES = 64, WAIT_MS = 50, IPV4_OVERHEAD = 28, IPV6_OVERHEAD = 48 };

/* SO_MEMINFO gives so many numbers (linux/sock_diag.h), among them this one. */
enum { MEMORY_INFORMATION = 9, DROPS = 8 };

struct udp_sink {
    int socket;
    uint32_t overhead; /* of the headers in front of a payload */
    uint32_t dropped_before; /* where the kernel's count of what found the socket full stood at the reset */
    struct traffic_account account; /* guarded by the end's mutex */
    struct mmsghdr headers[MESSAGES];
    struct iovec pieces[MESSAGES];
    struct {
        _Alignas(struct cmsghdr) uint8_t octets[CONTROL_BYTES];
    } control[MESSAGES];
    uint8_t *buffers;
};

static void destroy(void *state)
{
    struct udp_sink *sink = state;

    if (sink->socket >= 0)
        (void)close(sink->socket);
    account_destroy(&sink->account);
    free(sink->buffers);
    free(sink);
}

static bool open_socket(struct udp_sink *sink, const struct traffic_settings *settings, struct failure *failure)
{
    int yes = 1;

    sink->socket = traffic_socket(settings->address.version, SOCK_DGRAM, IPPROTO_UDP, failure);
    if (sink->socket < 0)
        return false;
    socket_set_buffer(sink->socket, SO_RCVBUF, SO_RCVBUFFORCE, 2 * TRAFFIC_BUFFER_BYTES);
    (void)setsockopt(sink->socket, IPPROTO_UDP, UDP_GRO, &yes, sizeof yes);
    return traffic_bind(sink->socket, settings->address.version, &settings->address, settings->port, failure);
}

static void *open_sink(const struct traffic_settings *settings, const struct json_document *document,
                       struct failure *failure)
{
    struct udp_sink *sink = calloc(1, sizeof *sink);

    (void)document;
    if (sink == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a sink");
        return NULL;
    }
    sink->socket = -1;
    sink->overhead = settings->address.version == 4 ? IPV4_OVERHEAD : IPV6_OVERHEAD;
    sink->buffers = malloc((size_t)MESSAGES * DATAGRAM_BYTES);
    if (sink->buffers == NULL || !account_create(&sink->account)) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a sink");
        destroy(sink);
        return NULL;
    }
    account_reset(&sink->account, settings->packets.stream);
    if (!open_socket(sink, settings, failure)) {
        destroy(sink);
        return NULL;
    }
    return sink;
}

static void prepare(struct udp_sink *sink)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        struct msghdr *header = &sink->headers[i].msg_hdr;

        sink->pieces[i] = (struct iovec){sink->buffers + i * DATAGRAM_BYTES, DATAGRAM_BYTES};
        memset(header, 0, sizeof *header);
        header->msg_iov = &sink->pieces[i];
        header->msg_iovlen = 1;
        header->msg_control = sink->control[i].octets;
        header->msg_controllen = CONTROL_BYTES;
    }
}

/* What found the socket full so far; several packets that the kernel had joined count as one. */
static uint32_t dropped_so_far(const struct udp_sink *sink)
{
    uint32_t information[MEMORY_INFORMATION] = {0};
    socklen_t length = sizeof information;

    if (getsockopt(sink->socket, SOL_SOCKET, SO_MEMINFO, information, &length) != 0)
        return 0;
    return information[DROPS];
}

/* The length of the datagrams that a message is made of; 0: it is one. */
static uint32_t read_segment(struct msghdr *header)
{
    int segment = 0;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(control), sizeof segment);
    }
    return segment > 0 ? (uint32_t)segment : 0;
}

static void account_message(struct udp_sink *sink, size_t number, uint64_t now)
{
    const uint8_t *octets = sink->buffers + number * DATAGRAM_BYTES;
    uint32_t length = sink->headers[number].msg_len;
    uint32_t segment = read_segment(&sink->headers[number].msg_hdr);

    if (segment == 0 || segment > length)
        segment = length;
    do {
        uint32_t bytes = segment < length ? segment : length;

        account_packet(&sink->account, octets, bytes, sink->overhead, now);
        octets += bytes;
        length -= bytes;
    } while (length > 0);
}

static void note_dropped(struct traffic_end *end)
{
    const struct udp_sink *sink = end->state;

    (void)pthread_mutex_lock(&end->mutex);
    end->progress.dropped = dropped_so_far(sink) - sink->dropped_before;
    (void)pthread_mutex_unlock(&end->mutex);
}

static void run(struct traffic_end *end)
{
    struct udp_sink *sink = end->state;
    uint64_t cpu = thread_cpu_ns();

    while (!atomic_load_explicit(&end->stop, memory_order_relaxed)) {
        struct pollfd waiting = {.fd = sink->socket, .events = POLLIN};
        uint64_t now, spent;
        int count;

        prepare(sink);
        count = recvmmsg(sink->socket, sink->headers, MESSAGES, MSG_DONTWAIT, NULL);
        if (count < 0) {
            if (poll(&waiting, 1, WAIT_MS) == 0)
                note_dropped(end);
            continue;
        }
        now = traffic_now_ns();
        spent = thread_cpu_ns();
        (void)pthread_mutex_lock(&end->mutex);
        for (size_t i = 0; i < (size_t)count; i++)
            account_message(sink, i, now);
        end->progress.cpu_ns += spent - cpu;
        end->progress.calls++;
        (void)pthread_mutex_unlock(&end->mutex);
        cpu = spent;
    }
}

static void write_account(FILE *stream, struct traffic_end *end, bool histogram)
{
    const struct udp_sink *sink = end->state;

    account_write(stream, &sink->account, histogram);
}

static void reset(struct traffic_end *end, uint32_t stream)
{
    struct udp_sink *sink = end->state;

    sink->dropped_before = dropped_so_far(sink);
    account_reset(&sink->account, stream == STREAM_KEPT ? sink->account.stream : (uint8_t)stream);
}

const struct traffic_kind traffic_sink_udp = {
    .name = "udp", .open = open_sink, .run = run, .write = write_account, .reset = reset, .destroy = destroy};
