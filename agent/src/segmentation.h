/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes complete IP packets of what a TUN device with IFF_VNET_HDR gives: one packet of up to 64 kB whose TCP or UDP
 * payload has still to be cut into segments (TSO, USO), or one whose checksum is not finished.
 *
 * Segments are as a host would have sent them: lengths (RFC 791, RFC 8200), the IPv4 identification counted up, TCP's
 * sequence number, FIN and PSH in the last segment only, CWR in the first only (RFC 3168 section 6.1.2), the urgent
 * pointer where it still points into or behind a segment (RFC 9293 section 3.8.5), all checksums. Each payload is copied
 * once, and its checksum is made on the way.
 *
 * Nothing is taken on trust: of the header in front only the type, the segment size and the place of an unfinished
 * checksum are used, and each is checked against the packet.
 */
#ifndef IPSECBENCH_SEGMENTATION_H
#define IPSECBENCH_SEGMENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vnet_header.h"

/* Smaller segments are refused: 64 kB in segments of one octet would be 65,000 packets. */
enum { SEGMENT_PAYLOAD_BYTES_MINIMUM = 8, SEGMENTATION_EXTENSIONS_MAXIMUM = 8 };

enum segmentation_result {
    SEGMENTATION_OK = 0,
    SEGMENTATION_TRUNCATED,      /* shorter than its headers say */
    SEGMENTATION_WRONG_TYPE,     /* a type that is not known, or not that of the packet */
    SEGMENTATION_WRONG_HEADERS,  /* fragments, a routing header, too many headers: no segments can be made of it */
    SEGMENTATION_WRONG_SIZE,     /* of a segment */
    SEGMENTATION_WRONG_FLAGS,    /* a SYN or RST cannot be cut */
    SEGMENTATION_WRONG_CHECKSUM_PLACE
};

/* What is wrong, for messages. */
const char *segmentation_result_text(enum segmentation_result result);

struct segmentation {
    const uint8_t *packet;
    uint32_t header_bytes;          /* in front of every segment's payload; 0: the packet stays whole */
    uint32_t payload_bytes;         /* of all segments together */
    uint32_t segment_payload_bytes; /* of all but the last, which may have less */
    uint32_t segment_bytes;         /* of the longest segment, headers included: what must fit the path */
    uint32_t count;                 /* of segments, at least 1 */
    /* the rest is for segmentation_write() */
    uint32_t network_bytes;         /* IP header and its extensions */
    uint64_t network_sum;           /* IPv4 header without length, identification and checksum */
    uint64_t transport_sum;         /* pseudo-header and header without what differs between segments */
    uint32_t sequence;
    uint32_t checksum_start, checksum_place; /* of a whole packet; place 0: nothing to finish */
    uint16_t identification;
    uint16_t urgent_pointer;
    uint8_t tcp_flags;
    bool is_tcp, is_ipv4;
};

/* Understands a packet and the header in front of it. `packet` must stay as it is while segments are written. */
enum segmentation_result segmentation_begin(struct segmentation *segmentation, const struct vnet_header *vnet,
                                            const uint8_t *packet, size_t length);

/* Length of one segment, 0 to count - 1. */
static inline size_t segmentation_bytes(const struct segmentation *segmentation, uint32_t index)
{
    if (index + 1 < segmentation->count)
        return segmentation->segment_bytes;
    return segmentation->header_bytes + segmentation->payload_bytes - index * segmentation->segment_payload_bytes;
}

/*
 * Writes one segment, in any order, and returns its length. When the packet stays whole (count 1) `destination` may be
 * the packet itself.
 */
size_t segmentation_write(const struct segmentation *segmentation, uint32_t index, uint8_t *destination);

#endif
