/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in front of a packet on a TUN device with IFF_VNET_HDR, and on a packet socket with PACKET_VNET_HDR: the
 * legacy header of virtio networking (OASIS virtio 1.2 section 5.1.6), in the machine's own byte order. Declared here
 * because older kernels' headers lack UDP segmentation.
 */
#ifndef IPSECBENCH_VNET_HEADER_H
#define IPSECBENCH_VNET_HEADER_H

#include <stdint.h>

struct vnet_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_bytes;       /* of all headers; a hint */
    uint16_t segment_bytes;      /* payload of one segment */
    uint16_t checksum_start;     /* the first octet that the checksum covers */
    uint16_t checksum_offset;    /* its place behind that octet */
};

enum { VNET_HEADER_BYTES = 10 };

/* flags: the checksum field holds the sum of the pseudo-header, and the rest has to be added. */
enum { VNET_NEEDS_CHECKSUM = 1 };

/* gso_type */
enum { VNET_GSO_NONE = 0, VNET_GSO_TCP4 = 1, VNET_GSO_TCP6 = 4, VNET_GSO_UDP = 5, VNET_GSO_ECN = 0x80 };

_Static_assert(sizeof(struct vnet_header) == VNET_HEADER_BYTES, "no padding");

#endif
