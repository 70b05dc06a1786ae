/* SPDX-License-Identifier: Apache-2.0 */
/* IP headers as the ESP data plane reads and changes them. Every length is checked against what is there. */
#ifndef IPSECBENCH_ESP_PLANE_PACKET_H
#define IPSECBENCH_ESP_PLANE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "internet_headers.h"

enum {
    IPV6_MTU_MINIMUM = 1280,
    PROTOCOL_ICMP = 1,
    PROTOCOL_IPIP = 4,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_GRE = 47,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_NONE = 59, /* in ESP: a dummy packet (RFC 4303 section 2.6) */
    PROTOCOL_SCTP = 132
};

enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* An IPv6 address as a number; an IPv4 address lies in the upper half of `high`, so that prefixes are cut alike. */
struct address {
    uint64_t high, low;
};

/* What selectors look at. No padding: flows are compared and hashed octet by octet. */
struct flow {
    struct address source, destination;
    uint16_t source_port, destination_port; /* ICMP: type and code in both (RFC 7296 section 3.13.1) */
    uint8_t version;
    uint8_t protocol;
    uint8_t has_ports; /* 0: a protocol without, or a fragment without its start */
    uint8_t zero;
};

struct packet_facts {
    struct flow flow;
    uint32_t length;        /* of the packet, as its header says; never more than there is */
    uint32_t header_bytes;  /* before the upper protocol: IP header and options, or IPv6 with its extension headers */
    uint8_t traffic_class;
    uint8_t hop_limit;
    uint8_t next_header;    /* of the IP header itself */
    bool dont_fragment;     /* IPv6: always */
    bool fragment;
    bool extended;          /* options or extension headers are there */
};

/* False when it is no whole, sound IP packet. `data` may be longer than the packet. */
bool packet_parse(const uint8_t *data, size_t available, struct packet_facts *facts);

struct address address_read(const uint8_t *octets, unsigned version);
void address_write(struct address address, unsigned version, uint8_t *octets);

/* Sets DSCP and ECN; keeps the checksum of IPv4 right. */
void packet_set_traffic_class(uint8_t *packet, uint8_t traffic_class);

/* Writes an IPv4 or IPv6 header without options, whole and right, for a payload of `payload_bytes`. */
void packet_write_header(uint8_t *packet, unsigned version, struct address source, struct address destination,
                         uint8_t protocol, uint8_t traffic_class, uint8_t hop_limit, bool dont_fragment,
                         size_t payload_bytes);

/* Computes the checksum of an IPv4 header of `header_bytes` anew. */
void packet_checksum_header(uint8_t *packet, size_t header_bytes);

/* Computes the checksum of a whole TCP, UDP, ICMP or ICMPv6 payload anew; false when it is none of these, or too short. */
bool packet_checksum_payload(uint8_t *packet, const struct packet_facts *facts);

/* What the inner packet's ECN field becomes (RFC 6040 section 4.2); false: the packet must be dropped. */
bool ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *result);

/*
 * Writes the error that tells the sender of `packet` how long it may be: ICMP "fragmentation needed" (RFC 1191) or
 * ICMPv6 "packet too big" (RFC 4443). Its source is where the packet was going. Returns its length, 0 when none may be
 * sent; at most IPV6_MTU_MINIMUM octets.
 */
size_t packet_too_big(const uint8_t *packet, const struct packet_facts *facts, uint32_t mtu_bytes, uint8_t *error);

#endif
