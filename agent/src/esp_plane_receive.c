/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* recvmmsg */
#include "esp_plane_receive.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h, since 5.0 */
#endif

enum {
    SLOTS = RECEPTIONS_MAXIMUM,
    SLOT_BYTES = 65536 + 256 + 64, /* not a power of two: packets of one burst shall not share their cache lines */
    CONTROL_BYTES = 128,
    BURST_BYTES = 128 * 1024,      /* about so much at a time, so that it is still in a cache when it is worked on */
    DATAGRAMS_MINIMUM = 2
};

struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CONTROL_BYTES];
};

struct reception {
    struct mmsghdr headers[SLOTS];
    struct iovec pieces[SLOTS];
    struct control controls[SLOTS];
    union socket_address sources[SLOTS];
    uint8_t *slots;
    size_t wanted[SOCKET_KINDS]; /* datagrams of the next burst */
};

static void set_option(int descriptor, int level, int option, int value)
{
    /* Each is an improvement only; what is essential is seen when packets come. */
    (void)setsockopt(descriptor, level, option, &value, sizeof value);
}

static void set_options(int descriptor, enum socket_kind kind, uint32_t buffer_bytes)
{
    bool ipv4 = kind == SOCKET_UDP4 || kind == SOCKET_RAW4;

    if (buffer_bytes > 0) {
        set_option(descriptor, SOL_SOCKET, SO_RCVBUF, (int)buffer_bytes);
        set_option(descriptor, SOL_SOCKET, SO_SNDBUF, (int)buffer_bytes);
        /* Beyond the administrator's limit only with a privilege, which goes afterwards. */
        set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, (int)buffer_bytes);
        set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, (int)buffer_bytes);
    }
    if (kind == SOCKET_UDP4 || kind == SOCKET_UDP6)
        set_option(descriptor, IPPROTO_UDP, UDP_GRO, 1);
    if (ipv4) {
        set_option(descriptor, IPPROTO_IP, IP_RECVTOS, 1);
        set_option(descriptor, IPPROTO_IP, IP_RECVTTL, 1);
    } else {
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set_option(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    }
}

bool receive_create(struct worker *worker, uint32_t socket_buffer_bytes, struct failure *failure)
{
    struct reception *reception = calloc(1, sizeof *reception);

    worker->reception = reception;
    if (reception != NULL)
        reception->slots = malloc((size_t)SLOTS * SLOT_BYTES);
    if (reception == NULL || reception->slots == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for packets to receive");
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        reception->wanted[kind] = SLOTS;
        if (worker->queue.sockets[kind] >= 0)
            set_options(worker->queue.sockets[kind], (enum socket_kind)kind, socket_buffer_bytes);
    }
    return true;
}

void receive_destroy(struct worker *worker)
{
    if (worker->reception != NULL)
        free(worker->reception->slots);
    free(worker->reception);
    worker->reception = NULL;
}

size_t receive_burst(struct worker *worker, enum socket_kind kind)
{
    struct reception *reception = worker->reception;
    size_t bytes = 0, wanted;
    int count;

    for (size_t i = 0; i < reception->wanted[kind]; i++) {
        struct msghdr *header = &reception->headers[i].msg_hdr;

        reception->pieces[i] = (struct iovec){reception->slots + i * SLOT_BYTES, 65536};
        header->msg_name = &reception->sources[i];
        header->msg_namelen = sizeof reception->sources[i];
        header->msg_iov = &reception->pieces[i];
        header->msg_iovlen = 1;
        header->msg_control = reception->controls[i].octets;
        header->msg_controllen = sizeof reception->controls[i];
        header->msg_flags = 0;
    }
    do {
        count = recvmmsg(worker->queue.sockets[kind], reception->headers, (unsigned)reception->wanted[kind],
                         MSG_DONTWAIT, NULL);
    } while (count < 0 && errno == EINTR);
    worker->statistics.receptions++;
    if (count <= 0)
        return 0;
    for (int i = 0; i < count; i++)
        bytes += reception->headers[i].msg_len;
    wanted = BURST_BYTES * (size_t)count / (bytes + 1);
    reception->wanted[kind] = wanted < DATAGRAMS_MINIMUM ? DATAGRAMS_MINIMUM : wanted > SLOTS ? SLOTS : wanted;
    return (size_t)count;
}

static void take_control(const struct cmsghdr *control, struct received *received)
{
    int number = 0;
    size_t available = control->cmsg_len - CMSG_LEN(0);

    /* TOS is one octet, UDP_GRO an int or two octets, as the kernel pleases. */
    if (available >= sizeof number)
        memcpy(&number, CMSG_DATA(control), sizeof number);
    else if (available == 2)
        number = *(const uint16_t *)(const void *)CMSG_DATA(control);
    else if (available == 1)
        number = *CMSG_DATA(control);
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO && number > 0)
        received->segment_bytes = (size_t)number;
    else if ((control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) ||
             (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_TCLASS))
        received->traffic_class = (uint8_t)number;
    else if ((control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TTL) ||
             (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_HOPLIMIT))
        received->hop_limit = (uint8_t)number;
}

static void take_source(const union socket_address *source, struct received *received)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    if (source->any.sa_family == AF_INET) {
        received->version = 4;
        received->source = address_read((const uint8_t *)&source->ipv4.sin_addr, 4);
        received->source_port = ntohs(source->ipv4.sin_port);
        return;
    }
    received->version = 6;
    received->source = address_read((const uint8_t *)&source->ipv6.sin6_addr, 6);
    received->source_port = ntohs(source->ipv6.sin6_port);
    if (memcmp(&source->ipv6.sin6_addr, mapped, sizeof mapped) == 0) {
        received->version = 4; /* an IPv4 peer on a socket for both */
        received->source = address_read((const uint8_t *)&source->ipv6.sin6_addr + sizeof mapped, 4);
    }
}

bool receive_take(struct worker *worker, enum socket_kind kind, size_t index, struct received *received)
{
    struct reception *reception = worker->reception;
    struct msghdr *header = &reception->headers[index].msg_hdr;

    memset(received, 0, sizeof *received);
    received->data = reception->slots + index * SLOT_BYTES;
    received->length = reception->headers[index].msg_len;
    received->encapsulated = kind == SOCKET_UDP4 || kind == SOCKET_UDP6;
    if ((header->msg_flags & MSG_TRUNC) != 0 || header->msg_namelen == 0) {
        count_drop(worker, IN_BUFFER_ERROR);
        return false;
    }
    received->segment_bytes = received->length;
    take_source(&reception->sources[index], received);
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control))
        take_control(control, received);
    if (!received->encapsulated)
        received->source_port = 0;
    if (kind == SOCKET_RAW4) {
        size_t header_bytes = received->length > 0 ? (size_t)(received->data[0] & 0xF) * 4 : 0;

        if (header_bytes < IPV4_HEADER_BYTES || received->length < header_bytes) {
            count_drop(worker, IN_HEADER_ERROR);
            return false;
        }
        received->traffic_class = received->data[1];
        received->hop_limit = received->data[IPV4_TTL];
        received->data += header_bytes;
        received->length -= header_bytes;
        received->segment_bytes = received->length;
    }
    return received->length > 0;
}
