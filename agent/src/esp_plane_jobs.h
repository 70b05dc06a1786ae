/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of SAs that intel-ipsec-mb seals and opens: many are in its hands at a time, and come back in the order in
 * which they went in. Everything that a burst handed in is back before the burst ends.
 */
#ifndef IPSECBENCH_ESP_PLANE_JOBS_H
#define IPSECBENCH_ESP_PLANE_JOBS_H

#include "esp_plane.h"
#include "esp_plane_receive.h"

/* For one worker, where the library can be used; false on a failure, true where it is not there. */
bool jobs_create(struct worker *worker, struct failure *failure);
void jobs_destroy(struct worker *worker);

/* The engine that expands keys: that of the first worker, while everything is paused. NULL: there is no such library. */
struct mb_engine *jobs_engine(const struct worker *worker);

/* Hands a packet in to be sealed in place; its length is known at once. False when it was not taken. */
bool jobs_seal(struct worker *worker, struct sa *sa, uint64_t sequence, uint8_t *packet, size_t payload_bytes,
               uint8_t next_header, size_t *packet_bytes);
/* Waits for everything handed in to be sealed; false when anything failed: then none of it may be sent. */
bool jobs_finish_sealing(struct worker *worker);

/* What inbound_opened() is to be told about a packet when it comes back. */
struct opening {
    struct sa *sa;
    const struct received *outer;
    uint8_t *room;
    uint64_t sequence;
};

/* Hands a packet in to be opened. What is complete by then goes to inbound_opened(). */
enum esp_result jobs_open(struct worker *worker, const struct opening *opening, uint8_t *packet, size_t packet_bytes,
                          uint8_t *output);
void jobs_finish_opening(struct worker *worker);

/* esp_plane_inbound.c: goes on with a packet that was opened, or was not. */
void inbound_opened(struct worker *worker, const struct opening *opening, enum esp_result result,
                    const struct esp_inner_packet *inner);

#endif
