/* SPDX-License-Identifier: Apache-2.0 */
/* Which packets a source sends, one after the other: sizes, flows and numbers; and their headers. */
#ifndef IPSECBENCH_TRAFFIC_PACKETS_H
#define IPSECBENCH_TRAFFIC_PACKETS_H

#include "traffic_settings.h"

enum { SIZE_CLASSES_MAXIMUM = 3, PACKET_HEADERS_MAXIMUM = 48 };

struct packet_sequence {
    struct traffic_packets packets;
    uint8_t stream;
    uint32_t sequence;      /* the next number */
    uint32_t position;      /* in the cycle of the mix */
    uint32_t next_flow;
    uint32_t header_bytes;  /* IP and UDP */
    uint32_t class_count;
    uint32_t class_bytes[SIZE_CLASSES_MAXIMUM]; /* of the whole IP packet */
};

void packet_sequence_begin(struct packet_sequence *sequence, const struct traffic_packets *packets);

/* Starts another stream, from number 0. */
void packet_sequence_restart(struct packet_sequence *sequence, uint8_t stream);

/* What is sent in one call: packets of one size and one flow. */
struct packet_unit {
    uint32_t size_class;
    uint16_t flow;
    uint32_t payload_bytes; /* of each, behind UDP */
};

void packet_sequence_next(struct packet_sequence *sequence, struct packet_unit *unit);

/* Writes the payload headers of `count` packets that lie one behind the other. */
void packet_sequence_write(struct packet_sequence *sequence, const struct packet_unit *unit, uint8_t *payloads,
                           uint32_t count, uint64_t now_ns);

/* Addresses and ports of a flow. */
struct flow_addresses {
    uint8_t source[16], destination[16];
    uint16_t source_port, destination_port;
};

void flow_addresses_of(const struct traffic_packets *packets, uint32_t flow, struct flow_addresses *addresses);

/*
 * Writes the IP and UDP headers of a packet with so much payload. The UDP checksum is left as the sum of the
 * pseudo-header, for a device to finish. Returns their length.
 */
uint32_t packet_write_headers(uint8_t *packet, const struct traffic_packets *packets, uint32_t flow,
                              uint32_t payload_bytes);

#endif
