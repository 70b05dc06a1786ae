/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of sources and sinks: addresses, and errors that say what to do. */
#ifndef IPSECBENCH_TRAFFIC_SOCKETS_H
#define IPSECBENCH_TRAFFIC_SOCKETS_H

#include <sys/socket.h>

#include "traffic_messages.h"
#include "traffic_packets.h"

enum { TRAFFIC_BUFFER_BYTES = 8 << 20 };

/* -1 with a failure. */
int traffic_socket(uint8_t version, int type, int protocol, struct failure *failure);

socklen_t traffic_socket_address(const struct traffic_address *address, uint16_t port, struct sockaddr_storage *result);

/* Any address where `address` has none. */
bool traffic_bind(int socket, uint8_t version, const struct traffic_address *address, uint16_t port,
                  struct failure *failure);
bool traffic_connect(int socket, const struct traffic_address *address, uint16_t port, struct failure *failure);

/* DF set and the known path MTU ignored, or clear and fragmented where it must be. */
void traffic_set_fragmentation(int socket, uint8_t version, bool dont_fragment);

/* Lets nothing in: for sockets that only send. */
void traffic_receive_nothing(int socket);

/* The index of a device, and whether packets on it have an Ethernet header; 0 with a failure. */
int traffic_device(int socket, const char *device, bool *is_ethernet, struct failure *failure);

/* True when a device takes UDP super packets as they are, and the kernel has not to cut them in front of it. */
bool traffic_device_cuts_udp(int socket, const char *device);

/*
 * For every size a buffer for each message of a batch, with filler where the payload headers are not. The caller frees
 * payloads[size][0] of each size.
 */
bool traffic_allocate_payloads(const struct packet_sequence *sequence, uint32_t messages,
                               uint8_t *payloads[SIZE_CLASSES_MAXIMUM][MESSAGES_MAXIMUM], struct failure *failure);

#endif
