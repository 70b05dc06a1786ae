/* SPDX-License-Identifier: Apache-2.0 */
/* One worker's packet loop on intel-ipsec-mb, and what compares it with other implementations. */
#ifndef IPSECBENCH_LIBRARY_IPSEC_MB_PACKET_LOOP_H
#define IPSECBENCH_LIBRARY_IPSEC_MB_PACKET_LOOP_H

#include "library_ipsec_mb_packets.h"

struct mb_loop {
    struct mb_engine *engine;
    struct mb_sa *sa;
    uint8_t *ring;
    uint8_t *outputs;
    struct mb_packet *packets; /* one for each slot of the ring */
    size_t *packet_bytes;      /* of each slot, from SPI to ICV */
    size_t stride;
    size_t slots;
    size_t position;
    size_t output_position; /* inbound: of the next packet's output */
    uint64_t base; /* slot 0 is number base + 1 when the ring is sealed */
    uint64_t round;
    struct replay_window *windows[2]; /* in turn, one for each round */
    struct esp_sa_parameters parameters;
    uint8_t encryption_key[KEY_BYTES_MAXIMUM + SALT_BYTES_MAXIMUM];
    uint8_t integrity_key[KEY_BYTES_MAXIMUM];
};

/* The order says size or mix, direction, ESN and window. NULL with a failure. */
struct mb_loop *mb_loop_create(const struct esp_suite *suite, const struct order *order, struct failure *failure);
void mb_loop_destroy(void *loop);

/* As measurement.run: packets from the loop's position on. */
uint64_t mb_run_outbound(void *loop, uint64_t iterations);
uint64_t mb_run_inbound(void *loop, uint64_t iterations);

/* The known answers of a suite, alone and with many packets in flight: library_ipsec_mb_check.c. */
bool mb_check_suite(const struct esp_suite *suite, struct failure *failure);

#endif
