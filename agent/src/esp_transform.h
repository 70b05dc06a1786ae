/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESP transform of one Security Association (RFC 4303), without devices, sockets or clocks: what a data plane does
 * to each packet between the inner packet and the ESP packet (from SPI to ICV). Outer headers are the caller's.
 *
 * Contexts are made once per SA. Per packet only the IV is set; nothing is allocated. An SA has one direction and
 * belongs to one thread at a time.
 */
#ifndef IPSECBENCH_ESP_TRANSFORM_H
#define IPSECBENCH_ESP_TRANSFORM_H

#include "replay_window.h"
#include "symmetric.h"

enum { ESP_HEADER_BYTES = 8, ESP_TRAILER_BYTES = 2 };

/* The most that a packet grows: header, IV, padding and trailer, ICV. */
enum { ESP_OVERHEAD_MAXIMUM = ESP_HEADER_BYTES + IV_BYTES_MAXIMUM + BLOCK_BYTES_MAXIMUM + ESP_TRAILER_BYTES + ICV_BYTES_MAXIMUM };

enum esp_result {
    ESP_OK = 0,
    ESP_MALFORMED,         /* too short, not whole blocks, or of another SPI */
    ESP_REPLAYED,          /* seen before, or left of the window */
    ESP_BAD_ICV,
    ESP_BAD_PADDING,
    ESP_SEQUENCE_OVERFLOW, /* the SA must be replaced: a number may not be used twice */
    ESP_LIBRARY_FAILED
};

/* What is wrong, for messages. */
const char *esp_result_text(enum esp_result result);

/*
 * Unpredictable IVs for CBC (RFC 3602 section 3), made cheaply: octets of an AES-128-CTR keystream, 4096 at a time.
 * One source serves all SAs of a thread.
 */
struct iv_source {
    struct cipher *keystream;
    uint64_t blocks_made;
    size_t used;
    uint8_t octets[4096];
};

/* `key` has 16 octets, unpredictable to others. */
bool iv_source_create(struct iv_source *source, const struct symmetric_provider *provider, const uint8_t *key,
                      struct failure *failure);
void iv_source_destroy(struct iv_source *source);

struct esp_sa {
    struct esp_suite suite;
    struct cipher *cipher;
    struct mac *mac;                /* NULL with a combined cipher */
    struct iv_source *iv_source;    /* outbound CBC; not owned */
    struct replay_window *window;   /* inbound; NULL: no replay protection */
    uint64_t sequence;              /* outbound: the last number used */
    uint32_t spi;
    uint32_t padding_unit;          /* payload, padding and trailer are a multiple of this */
    uint32_t payload_offset;        /* header and IV */
    uint32_t icv_bytes;
    bool esn;
    uint8_t nonce_start[BLOCK_BYTES_MAXIMUM]; /* the salt, and what does not change behind the IV */
};

struct esp_sa_parameters {
    struct esp_suite suite;
    bool outbound;
    uint32_t spi;
    bool esn;
    uint32_t replay_window_packets; /* inbound; 0: no replay protection */
    const uint8_t *encryption_key;  /* KEYMAT: key, then salt; suite.cipher's key_bytes + salt_bytes */
    const uint8_t *integrity_key;   /* suite.mac's key_bytes; NULL with a combined cipher */
    struct iv_source *iv_source;    /* outbound CBC: needed for esp_outbound(), not for esp_seal() */
};

bool esp_sa_create(struct esp_sa *sa, const struct symmetric_provider *provider,
                   const struct esp_sa_parameters *parameters, struct failure *failure);
void esp_sa_destroy(struct esp_sa *sa);

/* Length of the ESP packet, from SPI to ICV, for an inner packet. */
size_t esp_packet_bytes(const struct esp_suite *suite, size_t inner_bytes);

/*
 * Seals a packet in place. The inner packet lies at `packet` + payload_offset, with room after it for
 * esp_packet_bytes() in all. Takes the next sequence number and makes the IV.
 */
enum esp_result esp_outbound(struct esp_sa *sa, uint8_t *packet, size_t inner_bytes, uint8_t next_header,
                             size_t *packet_bytes);

/* The same with a given sequence number, never given before: for an SA whose numbers are counted elsewhere. */
enum esp_result esp_outbound_numbered(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t inner_bytes,
                                      uint8_t next_header, size_t *packet_bytes);

/* The same with a given sequence number and IV (suite.cipher's iv_bytes). */
enum esp_result esp_seal(struct esp_sa *sa, uint64_t sequence, const uint8_t *iv, uint8_t *packet, size_t inner_bytes,
                         uint8_t next_header, size_t *packet_bytes);

struct esp_inner_packet {
    const uint8_t *data; /* in `output`, or in the ESP packet itself when nothing was encrypted */
    size_t length;
    uint8_t next_header;
    uint64_t sequence;
};

/*
 * Opens a packet: replay check, ICV, decryption, padding, window update, in this order. `output` has room for the
 * payload and may be `packet` + payload_offset. `packet` is as it was afterwards when `output` lies elsewhere. With ESN
 * the upper half of the sequence number is inferred from the window.
 */
enum esp_result esp_inbound(struct esp_sa *sa, uint8_t *packet, size_t packet_bytes, uint8_t *output,
                            struct esp_inner_packet *inner);

/* The same with the whole sequence number given. Checks and updates the window all the same. */
enum esp_result esp_open(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t packet_bytes, uint8_t *output,
                         struct esp_inner_packet *inner);

/* The low half of the sequence number, as the packet carries it; the packet has at least ESP_HEADER_BYTES. */
uint32_t esp_sequence_low(const uint8_t *packet);

#endif
