/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of messages for sendmmsg(), each of one or more packets. */
#ifndef IPSECBENCH_TRAFFIC_MESSAGES_H
#define IPSECBENCH_TRAFFIC_MESSAGES_H

#ifndef _GNU_SOURCE
#error "sendmmsg() needs _GNU_SOURCE"
#endif

#include <sys/socket.h>
#include <sys/uio.h>

#include "traffic_end.h"

enum { MESSAGES_MAXIMUM = 64, MESSAGE_PIECES = 2, BATCH_PACKETS = 256 };

struct message_batch {
    struct mmsghdr headers[MESSAGES_MAXIMUM];
    struct iovec pieces[MESSAGES_MAXIMUM][MESSAGE_PIECES];
    uint32_t packets[MESSAGES_MAXIMUM];     /* in each message */
    uint32_t bytes[MESSAGES_MAXIMUM];       /* of their IP packets together */
    struct {
        _Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(uint16_t))];
    } control[MESSAGES_MAXIMUM];
    uint32_t count;
};

/* How many messages of so many packets make a batch. */
uint32_t message_batch_size(uint32_t segments);

/* Adds a message of one piece or two; `packet_bytes` is the length of each IP packet. Returns its number. */
uint32_t message_add(struct message_batch *batch, uint32_t packets, uint32_t packet_bytes, uint8_t *first,
                     size_t first_bytes, uint8_t *second, size_t second_bytes);

/* Lets the kernel cut a message into datagrams of this payload (UDP_SEGMENT). */
void message_set_segment(struct message_batch *batch, uint32_t number, uint16_t payload_bytes);

/*
 * Sends the batch and counts; returns how many packets were offered, or 0 with a failure when the kernel takes none of
 * this kind. With `wait` a full queue is waited for, else its packets are refused.
 */
uint32_t message_batch_send(struct message_batch *batch, int socket, bool wait, struct traffic_end *end,
                            struct traffic_progress *progress, struct failure *failure);

/* A large buffer in the kernel; as root beyond the limit for others. */
void socket_set_buffer(int socket, int option, int force_option, int bytes);

#endif
