/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test packets carry behind their UDP header: which stream and flow they are of, which number, when they were sent;
 * and then octets that are always the same. Header and octets are all of a packet, so that the smallest IPv6 packet of a
 * trial, 64 octets, has room for them.
 */
#ifndef IPSECBENCH_TRAFFIC_PAYLOAD_H
#define IPSECBENCH_TRAFFIC_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "big_endian.h"

enum {
    PAYLOAD_HEADER_BYTES = 16,
    PAYLOAD_FILLER = 0x5A,
    PAYLOAD_MAGIC = 0x49, /* the first octet of the stream's word */
    STREAM_MAXIMUM = 255,
    FLOWS_MAXIMUM = 10000
};

struct payload_header {
    uint8_t stream;
    uint16_t flow;
    uint32_t sequence; /* over all flows of the stream, from 0 */
    uint64_t sent_ns;  /* CLOCK_MONOTONIC, which all namespaces of a machine share */
};

static inline void payload_write(uint8_t *octets, const struct payload_header *header)
{
    octets[0] = PAYLOAD_MAGIC;
    octets[1] = header->stream;
    write_be16(octets + 2, header->flow);
    write_be32(octets + 4, header->sequence);
    write_be64(octets + 8, header->sent_ns);
}

/* False when it is not of our making. */
static inline bool payload_read(const uint8_t *octets, size_t length, struct payload_header *header)
{
    if (length < PAYLOAD_HEADER_BYTES || octets[0] != PAYLOAD_MAGIC)
        return false;
    header->stream = octets[1];
    header->flow = read_be16(octets + 2);
    header->sequence = read_be32(octets + 4);
    header->sent_ns = (uint64_t)read_be32(octets + 8) << 32 | read_be32(octets + 12);
    return true;
}

/* True when what follows the header is as it was sent. */
static inline bool payload_is_intact(const uint8_t *octets, size_t length)
{
    size_t rest = length - PAYLOAD_HEADER_BYTES;

    octets += PAYLOAD_HEADER_BYTES;
    /* All octets are equal to the first when they are equal to their neighbours. */
    return rest == 0 || (octets[0] == PAYLOAD_FILLER && memcmp(octets, octets + 1, rest - 1) == 0);
}

#endif
