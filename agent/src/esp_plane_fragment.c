/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_fragment.h"

#include <string.h>

#include "big_endian.h"

enum {
    OFFSET_UNIT_BYTES = 8,
    MORE_FRAGMENTS = 0x2000,
    OFFSET_MASK = 0x1FFF,
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_COPIED = 0x80
};

bool fragmentation_begin(struct fragmentation *fragmentation, const uint8_t *packet, const struct packet_facts *facts,
                         uint32_t mtu_bytes)
{
    uint32_t header_bytes = (uint32_t)(packet[0] & 0xF) * 4;

    if (facts->flow.version != 4 || mtu_bytes < header_bytes + OFFSET_UNIT_BYTES)
        return false;
    fragmentation->packet = packet;
    fragmentation->header_bytes = header_bytes;
    fragmentation->payload_bytes = facts->length - header_bytes;
    fragmentation->offset = 0;
    fragmentation->step = (mtu_bytes - header_bytes) / OFFSET_UNIT_BYTES * OFFSET_UNIT_BYTES;
    fragmentation->flags_and_offset = read_be16(packet + IPV4_FRAGMENT);
    return true;
}

/* Options that are not copied to later fragments become "no operation" there. */
static void keep_copied_options(uint8_t *options, size_t length)
{
    size_t place = 0;

    while (place < length && options[place] != OPTION_END) {
        size_t option_bytes = options[place] == OPTION_NOTHING ? 1 : place + 1 < length ? options[place + 1] : 0;

        if (option_bytes == 0 || option_bytes > length - place)
            option_bytes = length - place; /* malformed: nothing behind it means anything */
        if ((options[place] & OPTION_COPIED) == 0)
            memset(options + place, OPTION_NOTHING, option_bytes);
        place += option_bytes;
    }
}

size_t fragmentation_next(struct fragmentation *fragmentation, uint8_t *fragment)
{
    uint32_t left = fragmentation->payload_bytes - fragmentation->offset;
    uint32_t length = left < fragmentation->step ? left : fragmentation->step;
    unsigned more = fragmentation->flags_and_offset & MORE_FRAGMENTS;
    unsigned offset = (fragmentation->flags_and_offset & OFFSET_MASK) + fragmentation->offset / OFFSET_UNIT_BYTES;

    if (left == 0)
        return 0;
    memcpy(fragment, fragmentation->packet, fragmentation->header_bytes);
    memcpy(fragment + fragmentation->header_bytes,
           fragmentation->packet + fragmentation->header_bytes + fragmentation->offset, length);
    if (fragmentation->offset > 0)
        keep_copied_options(fragment + IPV4_HEADER_BYTES, fragmentation->header_bytes - IPV4_HEADER_BYTES);
    if (length < left)
        more = MORE_FRAGMENTS;
    write_be16(fragment + IPV4_LENGTH, fragmentation->header_bytes + length);
    write_be16(fragment + IPV4_FRAGMENT, more | (offset & OFFSET_MASK));
    packet_checksum_header(fragment, fragmentation->header_bytes);
    fragmentation->offset += length;
    return fragmentation->header_bytes + length;
}
