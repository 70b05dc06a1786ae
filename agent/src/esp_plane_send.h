/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed packets of one worker on their way to the sockets. Packets for one peer that follow each other and have one
 * length become one message that the kernel cuts (UDP_SEGMENT); all messages of a burst go out in one sendmmsg().
 */
#ifndef IPSECBENCH_ESP_PLANE_SEND_H
#define IPSECBENCH_ESP_PLANE_SEND_H

#include "esp_plane.h"

bool send_create(struct worker *worker, struct failure *failure);
void send_destroy(struct worker *worker);

/* A place for an ESP packet of at most `bytes`; what waited is sent first when there is no room. Never NULL. */
uint8_t *send_reserve(struct worker *worker, size_t bytes);

/* The header fields of an outer packet that differ between packets. */
struct outer_fields {
    uint8_t traffic_class;
    uint8_t hop_limit; /* 0: the socket's own */
    bool dont_fragment;
};

/* The packet at the place that was reserved last is whole. */
void send_commit(struct worker *worker, const struct sa *sa, size_t bytes, struct outer_fields fields);

/* Sends everything that waits. To be called at the end of every burst: SAs may be gone after it. */
void send_flush(struct worker *worker);

#endif
