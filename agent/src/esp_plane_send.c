/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sendmmsg */
#include "esp_plane_send.h"

#include "esp_plane_jobs.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, since 4.18 */
#endif

enum {
    BUFFER_BYTES = 144 * 1024,     /* two messages: what is used again and again should stay in a cache */
    MESSAGES_MAXIMUM = 64,
    SEGMENTS_MAXIMUM = 64,         /* UDP_MAX_SEGMENTS of kernels before 6.8 */
    MESSAGE_BYTES_MAXIMUM = 65000, /* with headers an IP packet of at most 65535 octets */
    CONTROL_BYTES = 128,
    WAIT_MS = 20,                  /* longest wait for room in a socket's buffer */
    WAITS_MAXIMUM = 5
};

struct message {
    uint32_t offset, length;
    uint16_t segment_bytes, segments;
    bool closed; /* its last segment is a short one */
    enum socket_kind kind;
    struct outer_fields fields;
    const struct sa *sa;
};

struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CONTROL_BYTES];
};

struct send_queue {
    bool segmentation;             /* the kernel knows UDP_SEGMENT */
    int8_t dont_fragment[SOCKET_KINDS]; /* as the socket was set last; -1: unknown */
    uint32_t used, count;
    struct message messages[MESSAGES_MAXIMUM];
    struct mmsghdr headers[MESSAGES_MAXIMUM];
    struct iovec pieces[MESSAGES_MAXIMUM];
    struct control controls[MESSAGES_MAXIMUM];
    uint8_t buffer[BUFFER_BYTES];
};

static bool can_segment(const struct worker *worker)
{
    int size = 0;
    socklen_t length = sizeof size;

    for (int kind = SOCKET_UDP4; kind <= SOCKET_UDP6; kind++) {
        if (worker->send_sockets[kind] >= 0)
            return getsockopt(worker->send_sockets[kind], IPPROTO_UDP, UDP_SEGMENT, &size, &length) == 0;
    }
    return false;
}

bool send_create(struct worker *worker, struct failure *failure)
{
    struct send_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for packets to send");
    queue->segmentation = can_segment(worker);
    memset(queue->dont_fragment, -1, sizeof queue->dont_fragment);
    worker->send_queue = queue;
    return true;
}

void send_destroy(struct worker *worker)
{
    free(worker->send_queue);
    worker->send_queue = NULL;
}

uint8_t *send_reserve(struct worker *worker, size_t bytes)
{
    struct send_queue *queue = worker->send_queue;

    if (queue->used + bytes > BUFFER_BYTES || queue->count == MESSAGES_MAXIMUM)
        send_flush(worker);
    return queue->buffer + queue->used;
}

static bool same_fields(struct outer_fields left, struct outer_fields right)
{
    return left.traffic_class == right.traffic_class && left.hop_limit == right.hop_limit &&
           left.dont_fragment == right.dont_fragment;
}

/* SAs between the same ends: their packets may be in one message. */
static bool same_way(const struct sa *left, const struct sa *right)
{
    return left == right ||
           (left->encapsulated && left->version == right->version && left->path_mtu_bytes == right->path_mtu_bytes &&
            memcmp(&left->peer, &right->peer, sizeof left->peer) == 0 &&
            left->source.high == right->source.high && left->source.low == right->source.low);
}

/* Lengthens the last message by one segment when it can be one. */
static bool lengthen(struct send_queue *queue, const struct sa *sa, size_t bytes, struct outer_fields fields)
{
    struct message *last;

    if (queue->count == 0 || !queue->segmentation)
        return false;
    last = &queue->messages[queue->count - 1];
    if (last->closed || !sa->encapsulated || !same_way(last->sa, sa) ||
        bytes > last->segment_bytes || last->segments == SEGMENTS_MAXIMUM ||
        last->length + bytes > MESSAGE_BYTES_MAXIMUM || !same_fields(last->fields, fields))
        return false;
    /* A message that would have to be fragmented is not cut as well. */
    if (last->segment_bytes + sa_outer_bytes(sa) > sa->path_mtu_bytes)
        return false;
    last->length += (uint32_t)bytes;
    last->segments++;
    last->closed = bytes < last->segment_bytes;
    return true;
}

void send_commit(struct worker *worker, const struct sa *sa, size_t bytes, struct outer_fields fields)
{
    struct send_queue *queue = worker->send_queue;

    if (!lengthen(queue, sa, bytes, fields)) {
        queue->messages[queue->count++] = (struct message){
            .offset = queue->used,
            .length = (uint32_t)bytes,
            .segment_bytes = (uint16_t)bytes,
            .segments = 1,
            .kind = sa->encapsulated ? (sa->version == 4 ? SOCKET_UDP4 : SOCKET_UDP6)
                                     : (sa->version == 4 ? SOCKET_RAW4 : SOCKET_RAW6),
            .fields = fields,
            .sa = sa,
        };
    }
    queue->used += (uint32_t)bytes;
}

static void add_control(struct msghdr *header, int level, int type, const void *data, size_t length)
{
    struct cmsghdr *control = (struct cmsghdr *)(void *)((uint8_t *)header->msg_control + header->msg_controllen);

    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(control), data, length);
    header->msg_controllen += CMSG_SPACE(length);
}

static void add_controls(struct msghdr *header, const struct message *message)
{
    bool ipv4 = message->sa->version == 4;
    int level = ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
    int number;

    if (message->segments > 1) {
        uint16_t segment = message->segment_bytes;

        add_control(header, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    }
    if (message->fields.traffic_class != 0) {
        number = message->fields.traffic_class;
        add_control(header, level, ipv4 ? IP_TOS : IPV6_TCLASS, &number, sizeof number);
    }
    if (message->fields.hop_limit != 0) {
        number = message->fields.hop_limit;
        add_control(header, level, ipv4 ? IP_TTL : IPV6_HOPLIMIT, &number, sizeof number);
    }
    if (ipv4) {
        struct in_pktinfo source = {.ipi_ifindex = 0};

        address_write(message->sa->source, 4, (uint8_t *)&source.ipi_spec_dst);
        add_control(header, level, IP_PKTINFO, &source, sizeof source);
    } else {
        struct in6_pktinfo source = {.ipi6_ifindex = 0};

        address_write(message->sa->source, 6, (uint8_t *)&source.ipi6_addr);
        add_control(header, level, IPV6_PKTINFO, &source, sizeof source);
    }
}

static void fill_header(struct send_queue *queue, uint32_t index)
{
    const struct message *message = &queue->messages[index];
    struct msghdr *header = &queue->headers[index].msg_hdr;

    queue->pieces[index] = (struct iovec){queue->buffer + message->offset, message->length};
    memset(header, 0, sizeof *header);
    header->msg_name = (void *)(uintptr_t)&message->sa->peer;
    header->msg_namelen = message->sa->version == 4 ? sizeof message->sa->peer.ipv4 : sizeof message->sa->peer.ipv6;
    header->msg_iov = &queue->pieces[index];
    header->msg_iovlen = 1;
    header->msg_control = queue->controls[index].octets;
    add_controls(header, message);
}

/* DF is a property of the socket. It seldom changes; the kernel's own idea of the path MTU is not asked for. */
static void set_dont_fragment(struct send_queue *queue, int descriptor, enum socket_kind kind, bool dont_fragment)
{
    bool ipv4 = kind == SOCKET_UDP4 || kind == SOCKET_RAW4;
    int value = ipv4 ? (dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT)
                     : (dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);

    if (queue->dont_fragment[kind] == (int8_t)dont_fragment)
        return;
    (void)setsockopt(descriptor, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &value,
                     sizeof value);
    queue->dont_fragment[kind] = (int8_t)dont_fragment;
}

/* The kernel would not cut a message (no checksum offload on the way, too long for the path): one by one. */
static void send_singly(struct worker *worker, int descriptor, uint32_t index)
{
    struct send_queue *queue = worker->send_queue;
    struct message message = queue->messages[index];
    uint32_t end = message.offset + message.length;

    message.segments = 1;
    while (message.offset < end) {
        struct msghdr *header = &queue->headers[index].msg_hdr;

        message.length = end - message.offset < message.segment_bytes ? end - message.offset : message.segment_bytes;
        queue->messages[index] = message;
        fill_header(queue, index);
        if (sendmsg(descriptor, header, 0) < 0)
            count_drop(worker, OUT_ERROR);
        message.offset += message.length;
    }
}

/* Waits for room; false when there is none to be had. */
static bool wait_for_room(int descriptor)
{
    struct pollfd waiting = {.fd = descriptor, .events = POLLOUT};

    return poll(&waiting, 1, WAIT_MS) > 0;
}

/* Sends messages of one socket; returns how many are done with. */
static uint32_t send_some(struct worker *worker, int descriptor, uint32_t first, uint32_t count, unsigned *waits)
{
    struct send_queue *queue = worker->send_queue;
    int sent = sendmmsg(descriptor, queue->headers + first, count, MSG_DONTWAIT);

    worker->statistics.sends++;
    if (sent > 0)
        return (uint32_t)sent;
    if (errno == EINTR)
        return 0;
    if ((errno == EAGAIN || errno == EWOULDBLOCK) && *waits < WAITS_MAXIMUM) {
        ++*waits;
        (void)wait_for_room(descriptor);
        return 0;
    }
    if (queue->messages[first].segments > 1 && (errno == EINVAL || errno == EIO || errno == EMSGSIZE))
        send_singly(worker, descriptor, first);
    else
        worker->statistics.dropped[OUT_ERROR] += queue->messages[first].segments;
    return 1;
}

void send_flush(struct worker *worker)
{
    struct send_queue *queue = worker->send_queue;
    uint32_t first = 0;

    if (queue->count == 0)
        return;
    if (!jobs_finish_sealing(worker)) {
        /* It has never been seen to happen; but what was not sealed must not go out. */
        for (; first < queue->count; first++)
            worker->statistics.dropped[OUT_STATE_PROTO_ERROR] += queue->messages[first].segments;
    }
    end_part(worker, CPU_CRYPTO);
    while (first < queue->count) {
        const struct message *message = &queue->messages[first];
        int descriptor = worker->send_sockets[message->kind];
        uint32_t end = first;
        unsigned waits = 0;

        for (; end < queue->count && queue->messages[end].kind == message->kind &&
               queue->messages[end].fields.dont_fragment == message->fields.dont_fragment;
             end++)
            fill_header(queue, end);
        if (descriptor < 0) {
            for (; first < end; first++)
                worker->statistics.dropped[OUT_ERROR] += queue->messages[first].segments;
            continue;
        }
        set_dont_fragment(queue, descriptor, message->kind, message->fields.dont_fragment);
        while (first < end)
            first += send_some(worker, descriptor, first, end - first, &waits);
    }
    queue->count = 0;
    queue->used = 0;
    end_part(worker, CPU_SOCKET);
}
