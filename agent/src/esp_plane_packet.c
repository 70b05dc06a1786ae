/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_packet.h"

#include <string.h>

#include "big_endian.h"
#include "internet_checksum.h"

enum {
    EXTENSIONS_MAXIMUM = 8, /* more of them is no honest packet */
    FRAGMENT_OFFSET_MASK = 0x1FFF,
    ICMP_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMPV6_TOO_BIG = 2,
    ICMP_HEADER_BYTES = 8,
    ICMP_QUOTE_BYTES = 548, /* with its own headers 576 octets (RFC 1812 section 4.3.2.3) */
    ICMP_HOP_LIMIT = 64
};

static uint64_t read_be64(const uint8_t *octets)
{
    return (uint64_t)read_be32(octets) << 32 | read_be32(octets + 4);
}

struct address address_read(const uint8_t *octets, unsigned version)
{
    struct address address = {0, 0};

    if (version == 4) {
        address.high = (uint64_t)read_be32(octets) << 32;
    } else {
        address.high = read_be64(octets);
        address.low = read_be64(octets + 8);
    }
    return address;
}

void address_write(struct address address, unsigned version, uint8_t *octets)
{
    if (version == 4) {
        write_be32(octets, (uint32_t)(address.high >> 32));
    } else {
        write_be64(octets, address.high);
        write_be64(octets + 8, address.low);
    }
}

/* Ports, or type and code, where the upper protocol has them and they are there. */
static void parse_ports(const uint8_t *data, struct packet_facts *facts)
{
    struct flow *flow = &facts->flow;
    const uint8_t *upper = data + facts->header_bytes;

    if (facts->length < facts->header_bytes + 4)
        return;
    switch (flow->protocol) {
    case NEXT_HEADER_TCP:
    case NEXT_HEADER_UDP:
    case PROTOCOL_SCTP:
        flow->source_port = (uint16_t)read_be16(upper);
        flow->destination_port = (uint16_t)read_be16(upper + 2);
        flow->has_ports = 1;
        break;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        flow->source_port = flow->destination_port = (uint16_t)read_be16(upper);
        flow->has_ports = 1;
        break;
    default:
        break;
    }
}

static bool parse_ipv4(const uint8_t *data, size_t available, struct packet_facts *facts)
{
    unsigned fragment;

    if (available < IPV4_HEADER_BYTES)
        return false;
    facts->header_bytes = (uint32_t)(data[0] & 0xF) * 4;
    facts->length = read_be16(data + 2);
    if (facts->header_bytes < IPV4_HEADER_BYTES || facts->length < facts->header_bytes || facts->length > available)
        return false;
    fragment = read_be16(data + 6);
    facts->flow.version = 4;
    facts->flow.source = address_read(data + 12, 4);
    facts->flow.destination = address_read(data + 16, 4);
    facts->flow.protocol = facts->next_header = data[9];
    facts->traffic_class = data[1];
    facts->hop_limit = data[8];
    facts->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
    facts->fragment = (fragment & IPV4_FRAGMENT_MASK) != 0;
    facts->extended = facts->header_bytes > IPV4_HEADER_BYTES;
    if ((fragment & FRAGMENT_OFFSET_MASK) == 0)
        parse_ports(data, facts);
    return true;
}

static bool is_extension(uint8_t next_header)
{
    return next_header == NEXT_HEADER_HOP_BY_HOP || next_header == NEXT_HEADER_ROUTING ||
           next_header == NEXT_HEADER_FRAGMENT || next_header == NEXT_HEADER_DESTINATION_OPTIONS;
}

/* Steps over extension headers; false when they do not fit. `first` tells whether the upper protocol begins here. */
static bool parse_extensions(const uint8_t *data, struct packet_facts *facts, bool *first)
{
    uint32_t offset = IPV6_HEADER_BYTES;
    uint8_t next = facts->next_header;

    for (unsigned count = 0; is_extension(next); count++) {
        uint32_t header_bytes;

        if (count == EXTENSIONS_MAXIMUM || facts->length < offset + 8)
            return false;
        facts->extended = true;
        header_bytes = next == NEXT_HEADER_FRAGMENT ? 8 : ((uint32_t)data[offset + 1] + 1) * 8;
        if (facts->length < offset + header_bytes)
            return false;
        if (next == NEXT_HEADER_FRAGMENT) {
            unsigned fragment = read_be16(data + offset + 2);

            facts->fragment = facts->fragment || (fragment & 0xFFF9) != 0;
            if ((fragment & 0xFFF8) != 0)
                *first = false;
        }
        next = data[offset];
        offset += header_bytes;
        if (!*first)
            break;
    }
    facts->flow.protocol = next;
    facts->header_bytes = offset;
    return true;
}

static bool parse_ipv6(const uint8_t *data, size_t available, struct packet_facts *facts)
{
    bool first = true;

    if (available < IPV6_HEADER_BYTES)
        return false;
    facts->length = IPV6_HEADER_BYTES + read_be16(data + 4);
    if (facts->length > available || facts->length > 65535)
        return false;
    facts->flow.version = 6;
    facts->flow.source = address_read(data + 8, 6);
    facts->flow.destination = address_read(data + 24, 6);
    facts->traffic_class = (uint8_t)(read_be16(data) >> 4 & 0xFF);
    facts->hop_limit = data[7];
    facts->next_header = data[6];
    facts->dont_fragment = true;
    if (!parse_extensions(data, facts, &first))
        return false;
    if (first)
        parse_ports(data, facts);
    return true;
}

bool packet_parse(const uint8_t *data, size_t available, struct packet_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    if (available == 0)
        return false;
    switch (data[0] >> 4) {
    case 4:
        return parse_ipv4(data, available, facts);
    case 6:
        return parse_ipv6(data, available, facts);
    default:
        return false;
    }
}

void packet_checksum_header(uint8_t *packet, size_t header_bytes)
{
    write_be16(packet + 10, 0);
    checksum_store(packet + 10, checksum_of(packet, header_bytes));
}

void packet_set_traffic_class(uint8_t *packet, uint8_t traffic_class)
{
    if (packet[0] >> 4 == 4) {
        packet[1] = traffic_class;
        packet_checksum_header(packet, (size_t)(packet[0] & 0xF) * 4);
    } else {
        packet[0] = (uint8_t)((packet[0] & 0xF0) | traffic_class >> 4);
        packet[1] = (uint8_t)((packet[1] & 0x0F) | (traffic_class & 0xF) << 4);
    }
}

void packet_write_header(uint8_t *packet, unsigned version, struct address source, struct address destination,
                         uint8_t protocol, uint8_t traffic_class, uint8_t hop_limit, bool dont_fragment,
                         size_t payload_bytes)
{
    if (version == 4) {
        memset(packet, 0, IPV4_HEADER_BYTES);
        packet[0] = 0x45;
        packet[1] = traffic_class;
        write_be16(packet + 2, (unsigned)(IPV4_HEADER_BYTES + payload_bytes));
        write_be16(packet + 6, dont_fragment ? IPV4_DONT_FRAGMENT : 0);
        packet[8] = hop_limit;
        packet[9] = protocol;
        address_write(source, 4, packet + 12);
        address_write(destination, 4, packet + 16);
        packet_checksum_header(packet, IPV4_HEADER_BYTES);
        return;
    }
    write_be32(packet, 0x60000000U | (uint32_t)traffic_class << 20);
    write_be16(packet + 4, (unsigned)payload_bytes);
    packet[6] = protocol;
    packet[7] = hop_limit;
    address_write(source, 6, packet + 8);
    address_write(destination, 6, packet + 24);
}

bool packet_checksum_payload(uint8_t *packet, const struct packet_facts *facts)
{
    uint8_t *upper = packet + facts->header_bytes;
    size_t length = facts->length - facts->header_bytes;
    unsigned version = facts->flow.version;
    uint64_t sum = 0;
    size_t position;

    switch (facts->flow.protocol) {
    case NEXT_HEADER_TCP:
        position = 16;
        break;
    case NEXT_HEADER_UDP:
        position = 6;
        break;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        position = 2;
        break;
    default:
        return false;
    }
    if (length < position + 2)
        return false;
    write_be16(upper + position, 0);
    if (facts->flow.protocol != PROTOCOL_ICMP)
        sum = (version == 4 ? checksum_pseudo_ipv4(packet + 12, facts->flow.protocol)
                            : checksum_pseudo_ipv6(packet + 8, facts->flow.protocol)) +
              checksum_word((uint32_t)length);
    sum += checksum_of(upper, length);
    if (facts->flow.protocol == NEXT_HEADER_UDP)
        checksum_store_not_zero(upper + position, sum);
    else
        checksum_store(upper + position, sum);
    return true;
}

bool ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *result)
{
    uint8_t inside = inner & ECN_MASK, outside = outer & ECN_MASK;

    *result = inner;
    if (outside == ECN_CE) {
        if (inside == ECN_NOT_ECT)
            return false;
        *result = inner | ECN_CE;
    } else if (outside == ECN_ECT1 && inside == ECN_ECT0) {
        *result = (uint8_t)((inner & ~ECN_MASK) | ECN_ECT1);
    }
    return true;
}

/* An ICMP error must not answer an ICMP error, a fragment that is not the first, or a group (RFC 1122, RFC 4443). */
static bool may_be_answered(const uint8_t *packet, const struct packet_facts *facts)
{
    const uint8_t *upper = packet + facts->header_bytes;

    if (facts->flow.version == 4) {
        if ((read_be16(packet + 6) & FRAGMENT_OFFSET_MASK) != 0 || packet[16] >= 224)
            return false;
        return facts->flow.protocol != PROTOCOL_ICMP || facts->length <= facts->header_bytes || upper[0] == 0 ||
               upper[0] == 8 || upper[0] >= 13;
    }
    /* Packet too big may answer a packet to a group, since path MTU discovery needs it. */
    return facts->flow.protocol != PROTOCOL_ICMPV6 || facts->length <= facts->header_bytes || upper[0] >= 128;
}

size_t packet_too_big(const uint8_t *packet, const struct packet_facts *facts, uint32_t mtu_bytes, uint8_t *error)
{
    bool ipv4 = facts->flow.version == 4;
    size_t header_bytes = ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    size_t quote = ipv4 ? ICMP_QUOTE_BYTES : IPV6_MTU_MINIMUM - IPV6_HEADER_BYTES - ICMP_HEADER_BYTES;
    struct packet_facts made;
    uint8_t *icmp = error + header_bytes;

    if (!may_be_answered(packet, facts))
        return 0;
    if (quote > facts->length)
        quote = facts->length;
    packet_write_header(error, facts->flow.version, facts->flow.destination, facts->flow.source,
                        ipv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, 0, ICMP_HOP_LIMIT, true, ICMP_HEADER_BYTES + quote);
    memset(icmp, 0, ICMP_HEADER_BYTES);
    icmp[0] = ipv4 ? ICMP_UNREACHABLE : ICMPV6_TOO_BIG;
    icmp[1] = ipv4 ? ICMP_FRAGMENTATION_NEEDED : 0;
    write_be32(icmp + 4, mtu_bytes);
    memcpy(icmp + ICMP_HEADER_BYTES, packet, quote);
    if (!packet_parse(error, header_bytes + ICMP_HEADER_BYTES + quote, &made) || !packet_checksum_payload(error, &made))
        return 0;
    return made.length;
}
