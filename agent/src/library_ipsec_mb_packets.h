/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESP transform of one Security Association (RFC 4303) with many packets in flight.
 *
 * A packet is submitted, and comes back completed some submissions later, in order; when nothing more follows, the
 * pipeline is flushed. Framing, padding, IVs, ICVs, replay checks and the order of all this are those of
 * esp_transform.h. One thing cannot be: the library decrypts a packet whatever its ICV turns out to be.
 */
#ifndef IPSECBENCH_LIBRARY_IPSEC_MB_PACKETS_H
#define IPSECBENCH_LIBRARY_IPSEC_MB_PACKETS_H

#include "esp_transform.h"
#include "library_ipsec_mb_jobs.h"

enum {
    MB_IN_FLIGHT_MAXIMUM = 60, /* more than all lanes of a cipher and a hash together, less than a job queue */
    MB_HEADROOM_BYTES = 64,    /* before each packet; GMAC with ESN borrows 4 octets of it */
    MB_IV_POOL_BYTES = 4096
};

/* One packet: where it is, and what its job needs for as long as it is in flight. */
struct mb_packet {
    struct mb_sa *sa;
    uint8_t *data;   /* the SPI */
    uint8_t *output; /* inbound: where the payload goes */
    size_t inner_bytes;
    size_t body_bytes; /* payload, padding and trailer */
    uint64_t sequence;
    struct replay_window *window; /* inbound */
    _Alignas(16) uint8_t nonce[MB_BLOCK_BYTES];
    uint8_t aad[16];
    uint8_t tag[MAC_BYTES_MAXIMUM];
    uint8_t saved[4]; /* octets of the packet that were replaced while it was in flight */
};

/* What SAs of one thread share: a manager, its jobs in flight, and a source of IVs for CBC. */
struct mb_engine {
    struct mb_manager *manager;
    size_t in_flight;
    struct cipher *iv_keystream;
    uint64_t iv_blocks_made;
    size_t iv_used;
    uint8_t iv_pool[MB_IV_POOL_BYTES];
};

/* `iv_key` has 16 octets: unpredictable to others, or for measurements any. */
struct mb_engine *mb_engine_create(const uint8_t *iv_key, struct failure *failure);
void mb_engine_destroy(struct mb_engine *engine);

/* Several threads may use one SA at a time, each with its own engine, as long as they give the sequence numbers. */
struct mb_sa {
    struct esp_suite suite;
    struct mb_keys *keys;
    struct mb_job template;
    uint32_t spi;
    uint32_t padding_unit;
    uint32_t payload_offset;
    uint32_t icv_bytes;
    bool esn;
    bool outbound;
    uint64_t sequence; /* outbound: the last number used */
    uint8_t salt[SALT_BYTES_MAXIMUM];
};

/* The engine serves to expand the keys; nothing may be in flight. */
struct mb_sa *mb_sa_create(struct mb_engine *engine, const struct esp_sa_parameters *parameters,
                           struct failure *failure);
void mb_sa_destroy(struct mb_sa *sa);
/* Expands the keys of an SA again, as for a new one. */
bool mb_sa_set_keys(struct mb_engine *engine, struct mb_sa *sa, const struct esp_sa_parameters *parameters,
                    struct failure *failure);
/* Turns an SA round, with the same keys. Nothing may be in flight. */
void mb_sa_set_direction(struct mb_sa *sa, bool outbound);

/*
 * Seals a packet whose inner packet lies at data + payload_offset. Sequence number 0 takes the SA's next one. Without an
 * IV one is made. Returns the job that is complete by now (of an earlier packet, as a rule), or NULL. `accepted` is
 * false when the packet could not even be submitted.
 */
struct mb_job *mb_submit_outbound(struct mb_engine *engine, struct mb_sa *sa, struct mb_packet *packet,
                                  uint64_t sequence, const uint8_t *iv, uint8_t next_header, bool *accepted);
/* The same for a packet to be opened; `packet_bytes` from SPI to ICV. */
struct mb_job *mb_submit_inbound(struct mb_engine *engine, struct mb_sa *sa, struct mb_packet *packet,
                                 uint64_t sequence, size_t packet_bytes, enum esp_result *result);
/* The next one that is complete, or NULL. */
struct mb_job *mb_next_completed(struct mb_engine *engine);
/* The earliest one, completed now; NULL when none is in flight. */
struct mb_job *mb_flush(struct mb_engine *engine);

/* What is left to do when a job comes back: status, ICV, replay window, padding. inner may be NULL when outbound. */
enum esp_result mb_finish(struct mb_engine *engine, const struct mb_job *job, struct esp_inner_packet *inner);

#endif
