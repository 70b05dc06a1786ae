/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts an IPv4 packet into fragments (RFC 791 section 3.2), where it may be: before ESP, so that each gets its own. */
#ifndef IPSECBENCH_ESP_PLANE_FRAGMENT_H
#define IPSECBENCH_ESP_PLANE_FRAGMENT_H

#include "esp_plane_packet.h"

struct fragmentation {
    const uint8_t *packet;
    uint32_t header_bytes, payload_bytes, offset, step;
    unsigned flags_and_offset; /* of the packet itself, which may be a fragment */
};

/* False when no fragment fits. The packet is IPv4, whole, and stays as it is. */
bool fragmentation_begin(struct fragmentation *fragmentation, const uint8_t *packet, const struct packet_facts *facts,
                         uint32_t mtu_bytes);

/* Writes the next fragment and returns its length; 0 at the end. */
size_t fragmentation_next(struct fragmentation *fragmentation, uint8_t *fragment);

#endif
