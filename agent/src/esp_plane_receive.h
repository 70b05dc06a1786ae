/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of one worker's sockets, many at a time, several packets in each where the kernel joined them (UDP_GRO). */
#ifndef IPSECBENCH_ESP_PLANE_RECEIVE_H
#define IPSECBENCH_ESP_PLANE_RECEIVE_H

#include "esp_plane.h"

enum { RECEPTIONS_MAXIMUM = 32 };

/* What came in one reception. */
struct received {
    uint8_t *data;          /* from the SPI; raw IPv4: from the IP header */
    size_t length;
    size_t segment_bytes;   /* of each packet in it; the last may be shorter */
    uint8_t version;        /* of the outer packet */
    bool encapsulated;
    struct address source;
    uint16_t source_port;
    uint8_t traffic_class;
    uint8_t hop_limit;      /* 0: unknown */
};

/* Sets the sockets' options. */
bool receive_create(struct worker *worker, uint32_t socket_buffer_bytes, struct failure *failure);
void receive_destroy(struct worker *worker);

/* Receives what is there, at most a burst; the data stays until the next call. Returns how many were received. */
size_t receive_burst(struct worker *worker, enum socket_kind kind);
/* One of them; false when it cannot be used, and is counted. */
bool receive_take(struct worker *worker, enum socket_kind kind, size_t index, struct received *received);

#endif
