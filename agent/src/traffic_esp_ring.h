/* SPDX-License-Identifier: Apache-2.0 */
/* ESP packets prepared in memory, one behind the other: sealed with keys, forged, malformed, or as they were given. */
#ifndef IPSECBENCH_TRAFFIC_ESP_RING_H
#define IPSECBENCH_TRAFFIC_ESP_RING_H

#include "esp_transform.h"
#include "traffic_packets.h"

struct esp_ring {
    int kind;                /* enum esp_packets */
    uint32_t count;          /* of packets */
    uint32_t stride;         /* from one packet to the next; their length, when all have the same */
    uint32_t *lengths;       /* of each packet; NULL: all have the stride */
    uint8_t *octets;
    struct packet_sequence sequence; /* of what is sealed */
    uint64_t number;         /* the next sequence number */
    uint32_t spi;
    uint64_t random;
    struct esp_sa sa;
    struct iv_source iv_source;
    uint8_t keystream_key[16];
};

/* Prepares the packets. On failure nothing is left allocated. */
bool esp_ring_create(struct esp_ring *ring, const struct traffic_settings *settings,
                     const struct json_document *document, struct failure *failure);
void esp_ring_destroy(struct esp_ring *ring);

/* Makes one packet anew, with the next number. False when no number is left, or the library failed. */
bool esp_ring_renew(struct esp_ring *ring, uint32_t index);

static inline uint8_t *esp_ring_packet(const struct esp_ring *ring, uint32_t index)
{
    return ring->octets + (size_t)index * ring->stride;
}

static inline uint32_t esp_ring_length(const struct esp_ring *ring, uint32_t index)
{
    return ring->lengths != NULL ? ring->lengths[index] : ring->stride;
}

#endif
