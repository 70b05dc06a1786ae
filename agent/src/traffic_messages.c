/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic_messages.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { FULL_QUEUE_WAIT_NS = 20000 };

uint32_t message_batch_size(uint32_t segments)
{
    uint32_t messages = BATCH_PACKETS / segments;

    return messages > MESSAGES_MAXIMUM ? MESSAGES_MAXIMUM : messages;
}

uint32_t message_add(struct message_batch *batch, uint32_t packets, uint32_t packet_bytes, uint8_t *first,
                     size_t first_bytes, uint8_t *second, size_t second_bytes)
{
    uint32_t number = batch->count++;
    struct msghdr *header = &batch->headers[number].msg_hdr;

    memset(header, 0, sizeof *header);
    batch->pieces[number][0] = (struct iovec){first, first_bytes};
    batch->pieces[number][1] = (struct iovec){second, second_bytes};
    header->msg_iov = batch->pieces[number];
    header->msg_iovlen = second_bytes > 0 ? 2 : 1;
    batch->packets[number] = packets;
    batch->bytes[number] = packets * packet_bytes;
    return number;
}

void message_set_segment(struct message_batch *batch, uint32_t number, uint16_t payload_bytes)
{
    struct msghdr *header = &batch->headers[number].msg_hdr;
    void *place = batch->control[number].octets;
    struct cmsghdr *control = place;

    header->msg_control = place;
    header->msg_controllen = sizeof batch->control[number].octets;
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof payload_bytes);
    memcpy(CMSG_DATA(control), &payload_bytes, sizeof payload_bytes);
}

static bool is_full_queue(int error)
{
    return error == ENOBUFS || error == EAGAIN || error == ENOMEM;
}

/* What no other packet of this source will escape either. */
static bool is_final(int error)
{
    return error == EMSGSIZE || error == EINVAL || error == ENODEV || error == ENXIO || error == EBADF ||
           error == EOPNOTSUPP || error == EACCES || error == EFAULT;
}

static void explain(int error, struct failure *failure)
{
    if (error == EMSGSIZE || error == EINVAL)
        (void)fail(failure, FAILURE_FAILED, "the kernel refuses packets of this size (%s): larger than the path's MTU?",
                   strerror(error));
    else
        (void)fail(failure, FAILURE_FAILED, "the kernel refuses packets: %s", strerror(error));
}

uint32_t message_batch_send(struct message_batch *batch, int socket, bool wait, struct traffic_end *end,
                            struct traffic_progress *progress, struct failure *failure)
{
    uint32_t offered = 0, done = 0;
    bool told = false; /* that an earlier packet found nobody: once for each message */

    while (done < batch->count) {
        int sent = sendmmsg(socket, batch->headers + done, batch->count - done, wait ? 0 : MSG_DONTWAIT);
        int error = errno;
        uint32_t through = done + (sent > 0 ? (uint32_t)sent : 0);

        progress->calls++;
        if (sent <= 0 && is_final(error)) {
            explain(error, failure);
            break;
        }
        if (sent <= 0 && wait && is_full_queue(error)) {
            if (atomic_load_explicit(&end->stop, memory_order_relaxed))
                break;
            traffic_sleep_until(traffic_now_ns() + FULL_QUEUE_WAIT_NS);
            continue;
        }
        if (sent <= 0 && error == ECONNREFUSED && !told) { /* says nothing about this message */
            told = true;
            continue;
        }
        told = false;
        if (sent <= 0) {
            progress->refused += batch->packets[done];
            progress->last_error = error;
            through = done + 1;
        }
        for (; done < through; done++) {
            offered += batch->packets[done];
            progress->bytes += batch->bytes[done];
        }
    }
    progress->packets += offered;
    batch->count = 0;
    return offered;
}

void socket_set_buffer(int socket, int option, int force_option, int bytes)
{
    if (setsockopt(socket, SOL_SOCKET, force_option, &bytes, sizeof bytes) != 0)
        (void)setsockopt(socket, SOL_SOCKET, option, &bytes, sizeof bytes);
}
