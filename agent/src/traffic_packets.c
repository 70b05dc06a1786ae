/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_packets.h"

#include "internet_checksum.h"
#include "internet_headers.h"

enum { TTL = 64, DIFFERENT_SIZES = 3 };

/* 7:4:1 of 64, 570 and 1518 octets, evenly interleaved, as in the packet loop (packet_loop.c). */
static const uint8_t imix_cycle[] = {0, 1, 0, 0, 1, 0, 2, 1, 0, 0, 1, 0};
static const uint16_t imix_bytes[DIFFERENT_SIZES] = {64, 570, 1518};

void packet_sequence_begin(struct packet_sequence *sequence, const struct traffic_packets *packets)
{
    memset(sequence, 0, sizeof *sequence);
    sequence->packets = *packets;
    sequence->stream = packets->stream;
    sequence->header_bytes = packets->destination.version == 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    sequence->header_bytes += UDP_HEADER_BYTES;
    sequence->class_count = packets->mix ? DIFFERENT_SIZES : 1;
    for (uint32_t i = 0; i < sequence->class_count; i++)
        sequence->class_bytes[i] = packets->mix ? imix_bytes[i] : packets->size_bytes;
}

void packet_sequence_restart(struct packet_sequence *sequence, uint8_t stream)
{
    sequence->stream = stream;
    sequence->sequence = 0;
    sequence->position = 0;
    sequence->next_flow = 0;
}

void packet_sequence_next(struct packet_sequence *sequence, struct packet_unit *unit)
{
    unit->size_class = 0;
    if (sequence->packets.mix) {
        unit->size_class = imix_cycle[sequence->position];
        sequence->position = (sequence->position + 1) % (uint32_t)sizeof imix_cycle;
    }
    unit->payload_bytes = sequence->class_bytes[unit->size_class] - sequence->header_bytes;
    unit->flow = (uint16_t)sequence->next_flow;
    if (++sequence->next_flow >= sequence->packets.flows)
        sequence->next_flow = 0;
}

void packet_sequence_write(struct packet_sequence *sequence, const struct packet_unit *unit, uint8_t *payloads,
                           uint32_t count, uint64_t now_ns)
{
    struct payload_header header = {.stream = sequence->stream, .flow = unit->flow, .sent_ns = now_ns};

    for (uint32_t i = 0; i < count; i++) {
        header.sequence = sequence->sequence++;
        payload_write(payloads + (size_t)i * unit->payload_bytes, &header);
    }
}

/* Counts the last 32 bits of an address up. */
static void add_to_address(uint8_t *octets, uint8_t version, uint32_t number)
{
    uint8_t *last = octets + (version == 4 ? 0 : 12);

    write_be32(last, read_be32(last) + number);
}

void flow_addresses_of(const struct traffic_packets *packets, uint32_t flow, struct flow_addresses *addresses)
{
    memcpy(addresses->source, packets->source.octets, sizeof addresses->source);
    memcpy(addresses->destination, packets->destination.octets, sizeof addresses->destination);
    addresses->source_port = packets->source_port;
    addresses->destination_port = packets->destination_port;
    switch ((enum traffic_vary)packets->vary) {
    case VARY_DESTINATION:
        add_to_address(addresses->destination, packets->destination.version, flow);
        break;
    case VARY_DESTINATION_PORT:
        addresses->destination_port = (uint16_t)(addresses->destination_port + flow);
        break;
    case VARY_SOURCE:
        add_to_address(addresses->source, packets->destination.version, flow);
        break;
    case VARY_SOURCE_PORT:
        addresses->source_port = (uint16_t)(addresses->source_port + flow);
        break;
    }
}

uint32_t packet_write_headers(uint8_t *packet, const struct traffic_packets *packets, uint32_t flow,
                              uint32_t payload_bytes)
{
    bool is_ipv4 = packets->destination.version == 4;
    uint32_t network = is_ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    uint32_t udp_bytes = UDP_HEADER_BYTES + payload_bytes;
    struct flow_addresses addresses;
    uint8_t *udp = packet + network;
    uint64_t sum = checksum_word(udp_bytes);

    flow_addresses_of(packets, flow, &addresses);
    memset(packet, 0, network + (size_t)UDP_HEADER_BYTES);
    if (is_ipv4) {
        packet[0] = 0x45;
        write_be16(packet + IPV4_LENGTH, network + udp_bytes);
        write_be16(packet + IPV4_FRAGMENT, IPV4_DONT_FRAGMENT);
        packet[IPV4_TTL] = TTL;
        packet[IPV4_PROTOCOL] = NEXT_HEADER_UDP;
        memcpy(packet + IPV4_ADDRESSES, addresses.source, 4);
        memcpy(packet + IPV4_ADDRESSES + 4, addresses.destination, 4);
        checksum_store(packet + IPV4_CHECKSUM, checksum_of(packet, IPV4_HEADER_BYTES));
        sum += checksum_pseudo_ipv4(packet + IPV4_ADDRESSES, NEXT_HEADER_UDP);
    } else {
        packet[0] = 0x60;
        write_be16(packet + IPV6_LENGTH, udp_bytes);
        packet[IPV6_NEXT_HEADER] = NEXT_HEADER_UDP;
        packet[IPV6_HOP_LIMIT] = TTL;
        memcpy(packet + IPV6_ADDRESSES, addresses.source, 16);
        memcpy(packet + IPV6_ADDRESSES + 16, addresses.destination, 16);
        sum += checksum_pseudo_ipv6(packet + IPV6_ADDRESSES, NEXT_HEADER_UDP);
    }
    write_be16(udp, addresses.source_port);
    write_be16(udp + 2, addresses.destination_port);
    write_be16(udp + UDP_LENGTH, udp_bytes);
    checksum_store_sum(udp + UDP_CHECKSUM, sum);
    return network + UDP_HEADER_BYTES;
}
