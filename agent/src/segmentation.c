/* SPDX-License-Identifier: Apache-2.0 */
#include "segmentation.h"

#include <string.h>

#include "big_endian.h"
#include "internet_checksum.h"
#include "internet_headers.h"

const char *segmentation_result_text(enum segmentation_result result)
{
    switch (result) {
    case SEGMENTATION_OK:
        return "good";
    case SEGMENTATION_TRUNCATED:
        return "packet shorter than its headers say";
    case SEGMENTATION_WRONG_TYPE:
        return "segmentation of a type that the packet is not of";
    case SEGMENTATION_WRONG_HEADERS:
        return "headers that cannot be repeated in segments";
    case SEGMENTATION_WRONG_SIZE:
        return "segment size out of range";
    case SEGMENTATION_WRONG_FLAGS:
        return "a SYN or RST that would have to be cut";
    case SEGMENTATION_WRONG_CHECKSUM_PLACE:
        return "checksum outside the packet";
    }
    return "unknown";
}

/* A packet that stays as it is, but perhaps for a checksum that has to be finished. */
static enum segmentation_result begin_whole(struct segmentation *segmentation, const struct vnet_header *vnet,
                                            size_t length)
{
    segmentation->count = 1;
    segmentation->payload_bytes = (uint32_t)length;
    segmentation->segment_payload_bytes = (uint32_t)length;
    segmentation->segment_bytes = (uint32_t)length;
    if (vnet->flags & VNET_NEEDS_CHECKSUM) {
        uint32_t place = (uint32_t)vnet->checksum_start + vnet->checksum_offset;

        if (vnet->checksum_offset == 0 || vnet->checksum_offset % 2 != 0 || place + 2 > length)
            return SEGMENTATION_WRONG_CHECKSUM_PLACE;
        segmentation->checksum_start = vnet->checksum_start;
        segmentation->checksum_place = place;
    }
    return SEGMENTATION_OK;
}

static enum segmentation_result begin_ipv4(struct segmentation *segmentation, uint8_t protocol, size_t length,
                                           size_t *total)
{
    const uint8_t *packet = segmentation->packet;
    uint32_t header = (uint32_t)(packet[0] & 15) * 4;

    if (header < IPV4_HEADER_BYTES)
        return SEGMENTATION_WRONG_HEADERS;
    if (length < header)
        return SEGMENTATION_TRUNCATED;
    if (packet[IPV4_PROTOCOL] != protocol)
        return SEGMENTATION_WRONG_TYPE;
    if (read_be16(packet + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK)
        return SEGMENTATION_WRONG_HEADERS;
    *total = read_be16(packet + IPV4_LENGTH);
    segmentation->is_ipv4 = true;
    segmentation->network_bytes = header;
    segmentation->identification = read_be16(packet + IPV4_IDENTIFICATION);
    segmentation->network_sum = checksum_of(packet, header) - checksum_load16(packet + IPV4_LENGTH) -
                                checksum_load16(packet + IPV4_IDENTIFICATION) -
                                checksum_load16(packet + IPV4_CHECKSUM);
    segmentation->transport_sum = checksum_pseudo_ipv4(packet + IPV4_ADDRESSES, protocol);
    return SEGMENTATION_OK;
}

static enum segmentation_result begin_ipv6(struct segmentation *segmentation, uint8_t protocol, size_t length,
                                           size_t *total)
{
    const uint8_t *packet = segmentation->packet;
    size_t position = IPV6_HEADER_BYTES;
    uint8_t next;

    if (length < IPV6_HEADER_BYTES)
        return SEGMENTATION_TRUNCATED;
    next = packet[IPV6_NEXT_HEADER];
    for (unsigned headers = 0; next != protocol; headers++) {
        /* Others change the pseudo-header (a routing header), or cannot be in every segment. */
        if (next == NEXT_HEADER_TCP || next == NEXT_HEADER_UDP)
            return SEGMENTATION_WRONG_TYPE;
        if ((next != NEXT_HEADER_HOP_BY_HOP && next != NEXT_HEADER_DESTINATION_OPTIONS) ||
            headers == SEGMENTATION_EXTENSIONS_MAXIMUM)
            return SEGMENTATION_WRONG_HEADERS;
        if (length - position < IPV6_EXTENSION_UNIT_BYTES)
            return SEGMENTATION_TRUNCATED;
        next = packet[position];
        position += ((size_t)packet[position + 1] + 1) * IPV6_EXTENSION_UNIT_BYTES;
        if (position > length)
            return SEGMENTATION_TRUNCATED;
    }
    *total = IPV6_HEADER_BYTES + (size_t)read_be16(packet + IPV6_LENGTH);
    segmentation->network_bytes = (uint32_t)position;
    segmentation->transport_sum = checksum_pseudo_ipv6(packet + IPV6_ADDRESSES, protocol);
    return SEGMENTATION_OK;
}

static enum segmentation_result begin_tcp(struct segmentation *segmentation, size_t total)
{
    const uint8_t *tcp = segmentation->packet + segmentation->network_bytes;
    uint32_t header;

    if (total < segmentation->network_bytes + (size_t)TCP_HEADER_BYTES)
        return SEGMENTATION_TRUNCATED;
    header = (uint32_t)(tcp[TCP_DATA_OFFSET] >> 4) * 4;
    if (header < TCP_HEADER_BYTES)
        return SEGMENTATION_WRONG_HEADERS;
    if (total < segmentation->network_bytes + (size_t)header)
        return SEGMENTATION_TRUNCATED;
    segmentation->is_tcp = true;
    segmentation->header_bytes = segmentation->network_bytes + header;
    segmentation->tcp_flags = tcp[TCP_FLAGS];
    segmentation->sequence = read_be32(tcp + TCP_SEQUENCE);
    segmentation->urgent_pointer = read_be16(tcp + TCP_URGENT_POINTER);
    segmentation->transport_sum += checksum_of(tcp, header) - checksum_load32(tcp + TCP_SEQUENCE) -
                                   checksum_load16(tcp + TCP_DATA_OFFSET) - checksum_load16(tcp + TCP_CHECKSUM) -
                                   checksum_load16(tcp + TCP_URGENT_POINTER);
    return SEGMENTATION_OK;
}

static enum segmentation_result begin_udp(struct segmentation *segmentation, size_t total)
{
    const uint8_t *udp = segmentation->packet + segmentation->network_bytes;

    if (total < segmentation->network_bytes + (size_t)UDP_HEADER_BYTES)
        return SEGMENTATION_TRUNCATED;
    segmentation->header_bytes = segmentation->network_bytes + UDP_HEADER_BYTES;
    segmentation->transport_sum += checksum_load32(udp); /* the ports */
    return SEGMENTATION_OK;
}

static enum segmentation_result begin_segments(struct segmentation *segmentation, size_t total, uint32_t size)
{
    segmentation->payload_bytes = (uint32_t)total - segmentation->header_bytes;
    if (size < SEGMENT_PAYLOAD_BYTES_MINIMUM || size > UINT16_MAX)
        return SEGMENTATION_WRONG_SIZE;
    segmentation->segment_payload_bytes = size;
    segmentation->count = segmentation->payload_bytes > size ? (segmentation->payload_bytes + size - 1) / size : 1;
    segmentation->segment_bytes =
        segmentation->header_bytes + (segmentation->count > 1 ? size : segmentation->payload_bytes);
    if (segmentation->is_tcp && segmentation->count > 1 && segmentation->tcp_flags & (TCP_SYN | TCP_RST))
        return SEGMENTATION_WRONG_FLAGS;
    return SEGMENTATION_OK;
}

enum segmentation_result segmentation_begin(struct segmentation *segmentation, const struct vnet_header *vnet,
                                            const uint8_t *packet, size_t length)
{
    uint8_t type = vnet->gso_type & (uint8_t)~VNET_GSO_ECN;
    uint8_t protocol = type == VNET_GSO_UDP ? NEXT_HEADER_UDP : NEXT_HEADER_TCP;
    enum segmentation_result result;
    size_t total;
    uint8_t version;

    memset(segmentation, 0, sizeof *segmentation);
    segmentation->packet = packet;
    if (type == VNET_GSO_NONE)
        return begin_whole(segmentation, vnet, length);
    if (type != VNET_GSO_TCP4 && type != VNET_GSO_TCP6 && type != VNET_GSO_UDP)
        return SEGMENTATION_WRONG_TYPE;
    if (length < IPV4_HEADER_BYTES)
        return SEGMENTATION_TRUNCATED;
    version = packet[0] >> 4;
    if (version != 4 && version != 6)
        return SEGMENTATION_WRONG_HEADERS;
    if ((type == VNET_GSO_TCP4 && version != 4) || (type == VNET_GSO_TCP6 && version != 6))
        return SEGMENTATION_WRONG_TYPE;
    result = version == 4 ? begin_ipv4(segmentation, protocol, length, &total)
                          : begin_ipv6(segmentation, protocol, length, &total);
    if (result != SEGMENTATION_OK)
        return result;
    if (total > length) /* octets behind the packet are not part of it */
        return SEGMENTATION_TRUNCATED;
    result = protocol == NEXT_HEADER_TCP ? begin_tcp(segmentation, total) : begin_udp(segmentation, total);
    return result == SEGMENTATION_OK ? begin_segments(segmentation, total, vnet->segment_bytes) : result;
}

static size_t write_whole(const struct segmentation *segmentation, uint8_t *destination)
{
    const uint8_t *packet = segmentation->packet;
    size_t length = segmentation->payload_bytes;
    size_t start = segmentation->checksum_start;
    uint64_t sum;

    if (segmentation->checksum_place == 0) {
        if (destination != packet)
            memcpy(destination, packet, length);
        return length;
    }
    if (destination != packet)
        memcpy(destination, packet, start);
    /* The field holds the sum of the pseudo-header already. */
    sum = checksum_copy(destination + start, packet + start, length - start);
    checksum_store_not_zero(destination + segmentation->checksum_place, sum);
    return length;
}

static void write_network(const struct segmentation *segmentation, uint32_t index, uint8_t *packet, size_t length)
{
    if (segmentation->is_ipv4) {
        uint16_t identification = (uint16_t)(segmentation->identification + index);

        write_be16(packet + IPV4_LENGTH, (uint32_t)length);
        write_be16(packet + IPV4_IDENTIFICATION, identification);
        checksum_store(packet + IPV4_CHECKSUM,
                       segmentation->network_sum + checksum_word((uint32_t)length) + checksum_word(identification));
    } else {
        write_be16(packet + IPV6_LENGTH, (uint32_t)length - IPV6_HEADER_BYTES);
    }
}

static void write_tcp(const struct segmentation *segmentation, uint32_t index, uint8_t *tcp, size_t length,
                      uint64_t sum)
{
    uint32_t offset = index * segmentation->segment_payload_bytes;
    uint32_t urgent = segmentation->urgent_pointer;
    uint8_t flags = segmentation->tcp_flags;

    if (index + 1 < segmentation->count)
        flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
    if (index > 0) {
        flags &= (uint8_t)~TCP_CWR;
        if (flags & TCP_URG) {
            if (urgent <= offset)
                flags &= (uint8_t)~TCP_URG;
            urgent = urgent > offset ? urgent - offset : 0;
        }
    }
    write_be32(tcp + TCP_SEQUENCE, segmentation->sequence + offset);
    tcp[TCP_FLAGS] = flags;
    write_be16(tcp + TCP_URGENT_POINTER, urgent);
    sum += checksum_load32(tcp + TCP_SEQUENCE) + checksum_load16(tcp + TCP_DATA_OFFSET) + checksum_word(urgent) +
           checksum_word((uint32_t)length);
    checksum_store(tcp + TCP_CHECKSUM, sum);
}

static void write_udp(uint8_t *udp, size_t length, uint64_t sum)
{
    write_be16(udp + UDP_LENGTH, (uint32_t)length);
    /* The length is in the pseudo-header too. */
    checksum_store_not_zero(udp + UDP_CHECKSUM, sum + 2 * checksum_word((uint32_t)length));
}

size_t segmentation_write(const struct segmentation *segmentation, uint32_t index, uint8_t *destination)
{
    size_t header = segmentation->header_bytes;
    uint8_t *transport = destination + segmentation->network_bytes;
    size_t length, transport_bytes;
    uint64_t sum;

    if (header == 0)
        return write_whole(segmentation, destination);
    length = segmentation_bytes(segmentation, index);
    transport_bytes = length - segmentation->network_bytes;
    if (destination != segmentation->packet)
        memcpy(destination, segmentation->packet, header);
    sum = checksum_copy(destination + header,
                        segmentation->packet + header + (size_t)index * segmentation->segment_payload_bytes,
                        length - header);
    sum += segmentation->transport_sum;
    write_network(segmentation, index, destination, length);
    if (segmentation->is_tcp)
        write_tcp(segmentation, index, transport, transport_bytes, sum);
    else
        write_udp(transport, transport_bytes, sum);
    return length;
}
