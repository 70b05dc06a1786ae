/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the inner packets of one burst into super packets of up to 64 kB, each for one write to a TUN device with
 * IFF_VNET_HDR: the kernel then goes through its stack once instead of once for each packet.
 *
 * The receiver must not be able to tell: a super packet is made only of what segmentation would cut it into again.
 * That is, for TCP: packets of one flow without gap, of equal payload (the last may be shorter), equal acknowledgment,
 * window, options and flags (PSH and FIN end it; CWR, SYN, RST and URG are never joined), equal TTL, DSCP, ECN and DF,
 * and right checksums. UDP, where the device can cut it (USO): datagrams of one flow of equal length, the last may be
 * shorter, with right checksums. With DF clear the IPv4 identifications must follow each other; with DF set they mean
 * nothing (RFC 6864 section 4.1). Everything else passes through as it is. The order within a flow is kept.
 *
 * Nothing is copied: packets stay where they were decrypted, and writev() gathers them.
 */
#ifndef IPSECBENCH_COALESCING_H
#define IPSECBENCH_COALESCING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vnet_header.h"

enum {
    COALESCING_PACKETS_MAXIMUM = 512,
    COALESCING_SEGMENTS_MAXIMUM = 64,
    /* the header in front, and one piece for every segment */
    COALESCING_PIECES_MAXIMUM = COALESCING_SEGMENTS_MAXIMUM + 1,
    COALESCING_SLOTS = 256
};

/* What may be joined. */
enum { COALESCE_NOTHING = 0, COALESCE_TCP = 1, COALESCE_UDP = 2 };

struct coalescing_packet {
    uint8_t *data;
    uint32_t length;
    uint16_t payload_offset; /* for all but the first of an item */
    uint16_t next;           /* the next packet of the same item */
};

enum coalescing_checksums { CHECKSUMS_UNKNOWN, CHECKSUMS_RIGHT, CHECKSUMS_WRONG };

/* What is written at once: one packet, or several joined. */
struct coalescing_item {
    struct vnet_header vnet;
    uint16_t first, last;
    uint16_t segments;
    uint16_t network_bytes, header_bytes;
    uint16_t segment_payload_bytes;
    uint16_t next_identification;
    uint8_t tcp_flags;       /* of all segments together */
    uint8_t checksums;       /* of the first packet: enum coalescing_checksums */
    bool is_tcp, open;       /* open: more may be joined to it */
    uint32_t payload_bytes;
    uint32_t next_sequence;
};

struct coalescing_slot {
    uint32_t generation;
    uint16_t item;
};

/* The burst that is being collected; one per thread, some 40 kB. */
struct coalescing {
    unsigned joins; /* COALESCE_TCP | COALESCE_UDP */
    uint32_t generation;
    uint16_t packet_count, item_count, taken;
    struct coalescing_slot last; /* the item of the last packet that was of a flow: mostly the next one's too */
    struct coalescing_packet packets[COALESCING_PACKETS_MAXIMUM];
    struct coalescing_item items[COALESCING_PACKETS_MAXIMUM];
    struct coalescing_slot slots[COALESCING_SLOTS];
};

void coalescing_initialise(struct coalescing *coalescing, unsigned joins);

/*
 * Adds a packet. It must stay where it is until the burst has been taken; its headers may be changed. False when the
 * burst is full or is being taken: take it to its end first.
 */
bool coalescing_add(struct coalescing *coalescing, uint8_t *packet, size_t length);

/*
 * Takes what is to be written next: pieces[0] is the header in front (VNET_HEADER_BYTES; leave it out where the device
 * has none and nothing was to be joined), the others are the packet. Returns the number of pieces, 0 at the end of the
 * burst; then the next one may begin.
 */
size_t coalescing_take(struct coalescing *coalescing, struct iovec pieces[COALESCING_PIECES_MAXIMUM]);

#endif
