/* SPDX-License-Identifier: Apache-2.0 */
#include "coalescing.h"

#include <string.h>

#include "big_endian.h"
#include "internet_checksum.h"
#include "internet_headers.h"
#include "segmentation.h"

enum { LENGTH_MAXIMUM_BYTES = 65535, NO_PACKET = UINT16_MAX };

enum packet_class {
    PACKET_OF_NO_FLOW,  /* of another protocol: in nobody's way */
    PACKET_OF_ANY_FLOW, /* a fragment, or with headers that are not looked into: may belong to any flow */
    PACKET_ALONE,       /* of a flow, but never joined */
    PACKET_OF_DATA
};

/* Where the parts of a packet lie. */
struct parts {
    bool is_ipv4, is_tcp;
    uint32_t network_bytes, header_bytes, payload_bytes;
};

void coalescing_initialise(struct coalescing *coalescing, unsigned joins)
{
    memset(coalescing, 0, sizeof *coalescing);
    coalescing->joins = joins;
    coalescing->generation = 1;
}

/* No item is open any more. */
static void close_all(struct coalescing *coalescing)
{
    if (++coalescing->generation == 0) {
        memset(coalescing->slots, 0, sizeof coalescing->slots);
        coalescing->last.generation = 0;
        coalescing->generation = 1;
    }
}

static bool may_carry_a_flow(uint8_t next_header)
{
    switch (next_header) {
    case NEXT_HEADER_HOP_BY_HOP:
    case NEXT_HEADER_ROUTING:
    case NEXT_HEADER_FRAGMENT:
    case NEXT_HEADER_AH:
    case NEXT_HEADER_DESTINATION_OPTIONS:
    case NEXT_HEADER_MOBILITY:
    case NEXT_HEADER_HIP:
    case NEXT_HEADER_SHIM6:
        return true;
    default:
        return false;
    }
}

static enum packet_class classify_transport(const uint8_t *packet, size_t length, uint8_t protocol,
                                            struct parts *parts)
{
    const uint8_t *transport = packet + parts->network_bytes;
    size_t transport_bytes = length - parts->network_bytes;
    uint32_t header = UDP_HEADER_BYTES;

    parts->is_tcp = protocol == NEXT_HEADER_TCP;
    if (transport_bytes < (parts->is_tcp ? TCP_HEADER_BYTES : UDP_HEADER_BYTES))
        return PACKET_OF_ANY_FLOW;
    if (parts->is_tcp) {
        header = (uint32_t)(transport[TCP_DATA_OFFSET] >> 4) * 4;
        if (header < TCP_HEADER_BYTES || header > transport_bytes)
            return PACKET_ALONE;
        if ((transport[TCP_FLAGS] & (TCP_ACK | TCP_SYN | TCP_RST | TCP_URG | TCP_CWR)) != TCP_ACK)
            return PACKET_ALONE;
    } else if (read_be16(transport + UDP_LENGTH) != transport_bytes || checksum_load16(transport + UDP_CHECKSUM) == 0) {
        return PACKET_ALONE; /* a length that lies, or no checksum, which segments would have */
    }
    parts->header_bytes = parts->network_bytes + header;
    parts->payload_bytes = (uint32_t)(transport_bytes - header);
    return parts->payload_bytes > 0 ? PACKET_OF_DATA : PACKET_ALONE;
}

/* What a packet is to the flows; `parts` is set for PACKET_OF_DATA, and its first three members for PACKET_ALONE. */
static enum packet_class classify(const uint8_t *packet, size_t length, struct parts *parts)
{
    uint8_t protocol;

    if (length < IPV4_HEADER_BYTES || length > LENGTH_MAXIMUM_BYTES)
        return PACKET_OF_ANY_FLOW;
    if (packet[0] >> 4 == 4) {
        protocol = packet[IPV4_PROTOCOL];
        if (protocol != NEXT_HEADER_TCP && protocol != NEXT_HEADER_UDP)
            return PACKET_OF_NO_FLOW;
        if (packet[0] != 0x45 || read_be16(packet + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK ||
            read_be16(packet + IPV4_LENGTH) != length)
            return PACKET_OF_ANY_FLOW;
        parts->is_ipv4 = true;
        parts->network_bytes = IPV4_HEADER_BYTES;
    } else if (packet[0] >> 4 == 6) {
        if (length < IPV6_HEADER_BYTES)
            return PACKET_OF_ANY_FLOW;
        protocol = packet[IPV6_NEXT_HEADER];
        if (protocol != NEXT_HEADER_TCP && protocol != NEXT_HEADER_UDP)
            return may_carry_a_flow(protocol) ? PACKET_OF_ANY_FLOW : PACKET_OF_NO_FLOW;
        if (read_be16(packet + IPV6_LENGTH) + (size_t)IPV6_HEADER_BYTES != length)
            return PACKET_OF_ANY_FLOW;
        parts->is_ipv4 = false;
        parts->network_bytes = IPV6_HEADER_BYTES;
    } else {
        return PACKET_OF_NO_FLOW;
    }
    return classify_transport(packet, length, protocol, parts);
}

/* True when so many whole words are equal; for few of them this is faster than memcmp(). */
static inline bool same_words(const uint8_t *one, const uint8_t *other, size_t length)
{
    uint64_t difference = 0;

    for (size_t i = 0; i < length; i += 4)
        difference |= checksum_load32(one + i) ^ checksum_load32(other + i);
    return difference == 0;
}

/* Addresses and ports lie side by side. */
static size_t flow_place(const struct parts *parts, size_t *length)
{
    *length = parts->is_ipv4 ? 12 : 36;
    return parts->is_ipv4 ? IPV4_ADDRESSES : IPV6_ADDRESSES;
}

static struct coalescing_slot *find_slot(struct coalescing *coalescing, const uint8_t *packet,
                                         const struct parts *parts)
{
    size_t length, place = flow_place(parts, &length);
    uint64_t hash = parts->is_tcp;

    for (size_t i = 0; i < length; i += 4)
        hash = (hash ^ checksum_load32(packet + place + i)) * UINT64_C(0x9E3779B97F4A7C15);
    return &coalescing->slots[hash >> 56];
}

/* The open item of the packet's flow, or NULL. */
static struct coalescing_item *find_item(struct coalescing *coalescing, const struct coalescing_slot *slot,
                                         const uint8_t *packet, const struct parts *parts)
{
    size_t length, place = flow_place(parts, &length);
    struct coalescing_item *item;
    const uint8_t *first;

    if (slot->generation != coalescing->generation || slot->item >= coalescing->item_count)
        return NULL;
    item = &coalescing->items[slot->item];
    first = coalescing->packets[item->first].data;
    if (!item->open || item->is_tcp != parts->is_tcp || item->network_bytes != parts->network_bytes ||
        !same_words(first + place, packet + place, length))
        return NULL;
    return item;
}

static bool checksums_are_right(const uint8_t *packet, size_t length, const struct parts *parts)
{
    uint8_t protocol = parts->is_tcp ? NEXT_HEADER_TCP : NEXT_HEADER_UDP;
    size_t transport_bytes = length - parts->network_bytes;
    uint64_t sum = checksum_word((uint32_t)transport_bytes);

    if (parts->is_ipv4) {
        if (!checksum_is_right(checksum_ipv4_header(packet)))
            return false;
        sum += checksum_pseudo_ipv4(packet + IPV4_ADDRESSES, protocol);
    } else {
        sum += checksum_pseudo_ipv6(packet + IPV6_ADDRESSES, protocol);
    }
    return checksum_is_right(sum + checksum_of(packet + parts->network_bytes, transport_bytes));
}

static bool same_network_header(const struct coalescing_item *item, const uint8_t *first, const uint8_t *packet,
                                bool is_ipv4)
{
    if (!is_ipv4) /* version, traffic class and flow label; hop limit */
        return same_words(first, packet, 4) && first[IPV6_HOP_LIMIT] == packet[IPV6_HOP_LIMIT];
    if (first[1] != packet[1] || first[IPV4_TTL] != packet[IPV4_TTL] ||
        checksum_load16(first + IPV4_FRAGMENT) != checksum_load16(packet + IPV4_FRAGMENT))
        return false;
    return read_be16(packet + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT ||
           read_be16(packet + IPV4_IDENTIFICATION) == item->next_identification;
}

static bool same_tcp_header(const struct coalescing_item *item, const uint8_t *first, const uint8_t *packet)
{
    const uint8_t *one = first + item->network_bytes, *other = packet + item->network_bytes;

    return read_be32(other + TCP_SEQUENCE) == item->next_sequence &&
           same_words(one + TCP_ACKNOWLEDGMENT, other + TCP_ACKNOWLEDGMENT, 4) &&
           one[TCP_DATA_OFFSET] == other[TCP_DATA_OFFSET] && /* and reserved bits */
           ((item->tcp_flags ^ other[TCP_FLAGS]) & ~(TCP_PSH | TCP_FIN)) == 0 &&
           checksum_load16(one + TCP_WINDOW) == checksum_load16(other + TCP_WINDOW) &&
           checksum_load16(one + TCP_URGENT_POINTER) == checksum_load16(other + TCP_URGENT_POINTER) &&
           same_words(one + TCP_HEADER_BYTES, other + TCP_HEADER_BYTES, /* options */
                      item->header_bytes - item->network_bytes - (size_t)TCP_HEADER_BYTES);
}

/* True when the packet is what would follow if the item were cut into segments. */
static bool continues(struct coalescing *coalescing, struct coalescing_item *item, const uint8_t *packet,
                      size_t length, const struct parts *parts)
{
    const struct coalescing_packet *first = &coalescing->packets[item->first];

    if (parts->header_bytes != item->header_bytes || parts->payload_bytes > item->segment_payload_bytes ||
        item->segments == COALESCING_SEGMENTS_MAXIMUM ||
        item->header_bytes + item->payload_bytes + parts->payload_bytes > LENGTH_MAXIMUM_BYTES ||
        !same_network_header(item, first->data, packet, parts->is_ipv4) ||
        (parts->is_tcp && !same_tcp_header(item, first->data, packet)))
        return false;
    if (item->checksums == CHECKSUMS_UNKNOWN)
        item->checksums = checksums_are_right(first->data, first->length, parts) ? CHECKSUMS_RIGHT : CHECKSUMS_WRONG;
    return item->checksums == CHECKSUMS_RIGHT && checksums_are_right(packet, length, parts);
}

static uint16_t add_packet(struct coalescing *coalescing, uint8_t *packet, size_t length)
{
    struct coalescing_packet *added = &coalescing->packets[coalescing->packet_count];

    added->data = packet;
    added->length = (uint32_t)length;
    added->payload_offset = 0;
    added->next = NO_PACKET;
    return coalescing->packet_count++;
}

static void append(struct coalescing *coalescing, struct coalescing_item *item, uint8_t *packet, size_t length,
                   const struct parts *parts)
{
    uint16_t number = add_packet(coalescing, packet, length);

    coalescing->packets[number].payload_offset = item->header_bytes;
    coalescing->packets[item->last].next = number;
    item->last = number;
    item->segments++;
    item->payload_bytes += parts->payload_bytes;
    item->next_sequence += parts->payload_bytes;
    item->next_identification++;
    if (parts->is_tcp)
        item->tcp_flags |= packet[parts->network_bytes + TCP_FLAGS];
    item->open = parts->payload_bytes == item->segment_payload_bytes && !(item->tcp_flags & (TCP_PSH | TCP_FIN));
}

static struct coalescing_item *add_item(struct coalescing *coalescing, uint8_t *packet, size_t length)
{
    struct coalescing_item *item = &coalescing->items[coalescing->item_count++];

    memset(item, 0, sizeof *item);
    item->first = item->last = add_packet(coalescing, packet, length);
    item->segments = 1;
    return item;
}

/* Lets more be joined to an item of one packet. */
static void open_item(struct coalescing_item *item, const uint8_t *packet, const struct parts *parts)
{
    item->is_tcp = parts->is_tcp;
    item->network_bytes = (uint16_t)parts->network_bytes;
    item->header_bytes = (uint16_t)parts->header_bytes;
    item->segment_payload_bytes = (uint16_t)parts->payload_bytes;
    item->payload_bytes = parts->payload_bytes;
    item->checksums = CHECKSUMS_UNKNOWN;
    if (parts->is_ipv4)
        item->next_identification = (uint16_t)(read_be16(packet + IPV4_IDENTIFICATION) + 1);
    if (parts->is_tcp) {
        item->tcp_flags = packet[parts->network_bytes + TCP_FLAGS];
        item->next_sequence = read_be32(packet + parts->network_bytes + TCP_SEQUENCE) + parts->payload_bytes;
    }
    item->open = parts->payload_bytes >= SEGMENT_PAYLOAD_BYTES_MINIMUM && !(item->tcp_flags & (TCP_PSH | TCP_FIN));
}

bool coalescing_add(struct coalescing *coalescing, uint8_t *packet, size_t length)
{
    struct parts parts = {.is_ipv4 = false};
    struct coalescing_slot *slot = NULL;
    struct coalescing_item *item;
    enum packet_class class;

    if (coalescing->packet_count == COALESCING_PACKETS_MAXIMUM || coalescing->taken > 0)
        return false;
    class = coalescing->joins != COALESCE_NOTHING ? classify(packet, length, &parts) : PACKET_OF_NO_FLOW;
    if (class == PACKET_OF_ANY_FLOW)
        close_all(coalescing);
    if (class == PACKET_OF_ANY_FLOW || class == PACKET_OF_NO_FLOW ||
        !(coalescing->joins & (parts.is_tcp ? COALESCE_TCP : COALESCE_UDP))) {
        (void)add_item(coalescing, packet, length);
        return true;
    }
    item = find_item(coalescing, &coalescing->last, packet, &parts);
    if (item == NULL) {
        slot = find_slot(coalescing, packet, &parts);
        item = find_item(coalescing, slot, packet, &parts);
    }
    if (item != NULL && class == PACKET_OF_DATA && continues(coalescing, item, packet, length, &parts)) {
        append(coalescing, item, packet, length, &parts);
        coalescing->last.generation = coalescing->generation;
        coalescing->last.item = (uint16_t)(item - coalescing->items);
        return true;
    }
    /* What comes later in this flow must not be joined to what came before this packet. */
    item = add_item(coalescing, packet, length);
    if (class == PACKET_OF_DATA)
        open_item(item, packet, &parts);
    if (slot == NULL)
        slot = find_slot(coalescing, packet, &parts);
    slot->generation = coalescing->generation;
    slot->item = (uint16_t)(item - coalescing->items);
    coalescing->last = *slot;
    return true;
}

/* Turns the first packet's headers into those of the super packet, and fills in the header in front. */
static void write_headers(struct coalescing_item *item, uint8_t *packet)
{
    bool is_ipv4 = packet[0] >> 4 == 4;
    uint8_t *transport = packet + item->network_bytes;
    uint8_t protocol = item->is_tcp ? NEXT_HEADER_TCP : NEXT_HEADER_UDP;
    uint32_t total = item->header_bytes + item->payload_bytes;
    uint32_t transport_bytes = total - item->network_bytes;
    uint64_t sum = checksum_word(transport_bytes);

    if (is_ipv4) {
        write_be16(packet + IPV4_LENGTH, total);
        write_be16(packet + IPV4_CHECKSUM, 0);
        checksum_store(packet + IPV4_CHECKSUM, checksum_ipv4_header(packet));
        sum += checksum_pseudo_ipv4(packet + IPV4_ADDRESSES, protocol);
    } else {
        write_be16(packet + IPV6_LENGTH, total - IPV6_HEADER_BYTES);
        sum += checksum_pseudo_ipv6(packet + IPV6_ADDRESSES, protocol);
    }
    if (item->is_tcp) {
        transport[TCP_FLAGS] = item->tcp_flags;
        checksum_store_sum(transport + TCP_CHECKSUM, sum);
    } else {
        write_be16(transport + UDP_LENGTH, transport_bytes);
        checksum_store_sum(transport + UDP_CHECKSUM, sum);
    }
    item->vnet = (struct vnet_header){
        .flags = VNET_NEEDS_CHECKSUM,
        .gso_type = !item->is_tcp ? VNET_GSO_UDP : is_ipv4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6,
        .header_bytes = item->header_bytes,
        .segment_bytes = item->segment_payload_bytes,
        .checksum_start = item->network_bytes,
        .checksum_offset = item->is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM,
    };
}

size_t coalescing_take(struct coalescing *coalescing, struct iovec pieces[COALESCING_PIECES_MAXIMUM])
{
    struct coalescing_item *item;
    const struct coalescing_packet *packet;
    size_t count = 2;

    if (coalescing->taken == coalescing->item_count) {
        coalescing->packet_count = coalescing->item_count = coalescing->taken = 0;
        close_all(coalescing);
        return 0;
    }
    item = &coalescing->items[coalescing->taken++];
    packet = &coalescing->packets[item->first];
    if (item->segments > 1)
        write_headers(item, packet->data);
    pieces[0] = (struct iovec){&item->vnet, VNET_HEADER_BYTES};
    pieces[1] = (struct iovec){packet->data, packet->length};
    while (packet->next != NO_PACKET) {
        packet = &coalescing->packets[packet->next];
        pieces[count++] =
            (struct iovec){packet->data + packet->payload_offset, packet->length - packet->payload_offset};
    }
    return count;
}
