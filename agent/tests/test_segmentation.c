/* SPDX-License-Identifier: Apache-2.0 */
#include "segmentation.h"

#include "expect.h"
#include "internet_packets.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, CWR = 128 };

static struct packet_recipe recipe_of(int version, int protocol)
{
    return (struct packet_recipe){
        .version = version,
        .protocol = protocol,
        .source_port = 40000,
        .destination_port = 5001,
        .sequence = 0xfffffc00, /* wraps within the packet */
        .acknowledgment = 77,
        .flags = ACK,
        .window = 500,
        .ttl = 63,
        .tos = 2,
        .identification = 0xfffe,
        .payload_bytes = 4321,
    };
}

static struct vnet_header vnet_of(const struct packet_recipe *recipe, uint16_t segment_bytes)
{
    return (struct vnet_header){
        .flags = VNET_NEEDS_CHECKSUM,
        .gso_type = recipe->protocol == 17 ? VNET_GSO_UDP : recipe->version == 4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6,
        .segment_bytes = segment_bytes,
    };
}

/*
 * What a host without offload would have sent: each segment made from the recipe, with what is due to its place. TCP
 * flags and the urgent pointer as the caller says they must be.
 */
static size_t expected_segment(uint8_t *packet, const struct packet_recipe *whole, uint32_t index, uint32_t count,
                               size_t size, uint8_t flags, uint16_t urgent)
{
    struct packet_recipe recipe = *whole;
    static uint8_t all[70000];
    size_t offset = index * size, header, length, network;

    recipe.payload_bytes = index + 1 < count ? size : whole->payload_bytes - offset;
    recipe.sequence += (uint32_t)offset;
    recipe.identification = (uint16_t)(recipe.identification + index);
    recipe.flags = flags;
    recipe.urgent = urgent;
    length = make_packet(packet, &recipe);
    header = length - recipe.payload_bytes;
    (void)make_packet(all, whole);
    memcpy(packet + header, all + header + offset, recipe.payload_bytes);
    network = recipe.version == 4 ? 20 : 40 + recipe.extension_bytes;
    finish_transport(packet, length, network, recipe.protocol);
    return length;
}

static void cuts(int version, int protocol, size_t options, size_t extensions, size_t payload, uint16_t size)
{
    static uint8_t packet[70000], expected[70000];
    struct packet_recipe recipe = recipe_of(version, protocol);
    struct vnet_header vnet = vnet_of(&recipe, size);
    struct segmentation segmentation;
    uint32_t count = (uint32_t)(payload > size ? (payload + size - 1) / size : 1);
    bool same = true;
    size_t length;

    recipe.option_bytes = options;
    recipe.extension_bytes = extensions;
    recipe.payload_bytes = payload;
    length = make_packet(packet, &recipe);
    EXPECT(segmentation_begin(&segmentation, &vnet, packet, length) == SEGMENTATION_OK);
    EXPECT(segmentation.count == count);
    for (uint32_t i = 0; i < segmentation.count && same; i++) {
        size_t bytes = segmentation_bytes(&segmentation, i);
        uint8_t *segment = exact_memory(bytes);
        size_t due = expected_segment(expected, &recipe, i, count, size, ACK, 0);

        same = bytes == due && segmentation_write(&segmentation, i, segment) == due &&
               memcmp(segment, expected, due) == 0 && bytes <= segmentation.segment_bytes;
        free(segment);
    }
    EXPECT(same);
}

static void treats_flags_by_place(void)
{
    uint8_t packet[4000], segment[2000], expected[2000];
    struct packet_recipe recipe = recipe_of(4, 6);
    struct vnet_header vnet = vnet_of(&recipe, 1000);
    struct segmentation segmentation;
    /* The urgent data ends 1500 octets in: in the second of three segments. */
    static const uint8_t flags[] = {ACK | CWR | URG, ACK | URG, ACK | FIN | PSH};
    static const uint16_t urgent[] = {1500, 500, 0};
    size_t length;

    recipe.payload_bytes = 2500;
    recipe.flags = ACK | FIN | PSH | CWR | URG;
    recipe.urgent = 1500;
    length = make_packet(packet, &recipe);
    vnet.gso_type |= VNET_GSO_ECN;
    EXPECT(segmentation_begin(&segmentation, &vnet, packet, length) == SEGMENTATION_OK);
    EXPECT(segmentation.count == 3);
    for (uint32_t i = 0; i < 3; i++) {
        size_t due = expected_segment(expected, &recipe, i, 3, 1000, flags[i], urgent[i]);

        EXPECT(segmentation_write(&segmentation, i, segment) == due);
        EXPECT(memcmp(segment, expected, due) == 0);
    }
}

/* A packet that is to stay whole, with and without a checksum to finish; also in its own place. */
static void finishes_checksums(void)
{
    uint8_t packet[600], expected[600], copy[600];

    for (int protocol = 6; protocol <= 17; protocol += 11) {
        struct packet_recipe recipe = recipe_of(4, protocol);
        struct vnet_header vnet = {.flags = VNET_NEEDS_CHECKSUM, .checksum_start = 20};
        struct segmentation segmentation;
        uint8_t tail[4] = {0, (uint8_t)protocol, 0, 0};
        size_t length, place = protocol == 6 ? 36 : 26;

        recipe.payload_bytes = 333;
        length = make_packet(expected, &recipe);
        memcpy(packet, expected, length);
        put16(tail + 2, length - 20);
        put16(packet + place, plain_sum(plain_sum(0, packet + 12, 8), tail, 4));
        vnet.checksum_offset = (uint16_t)(place - 20);
        EXPECT(segmentation_begin(&segmentation, &vnet, packet, length) == SEGMENTATION_OK);
        EXPECT(segmentation.count == 1 && segmentation_bytes(&segmentation, 0) == length);
        EXPECT(segmentation_write(&segmentation, 0, copy) == length && memcmp(copy, expected, length) == 0);
        EXPECT(segmentation_write(&segmentation, 0, packet) == length && memcmp(packet, expected, length) == 0);
        vnet = (struct vnet_header){.flags = 0};
        EXPECT(segmentation_begin(&segmentation, &vnet, packet, length) == SEGMENTATION_OK);
        EXPECT(segmentation_write(&segmentation, 0, copy) == length && memcmp(copy, expected, length) == 0);
    }
}

static enum segmentation_result begin(const struct packet_recipe *recipe, size_t place, uint8_t value, uint8_t type,
                                      uint16_t size, size_t length)
{
    static uint8_t packet[70000];
    struct vnet_header vnet = vnet_of(recipe, size);
    struct segmentation segmentation;
    enum segmentation_result result;
    size_t made = make_packet(packet, recipe);
    uint8_t *exact = exact_memory(length > 0 ? length : made);

    if (place > 0)
        packet[place] = value;
    if (type != 0)
        vnet.gso_type = type;
    memcpy(exact, packet, length > 0 ? length : made);
    result = segmentation_begin(&segmentation, &vnet, exact, length > 0 ? length : made);
    free(exact);
    return result;
}

static void refuses(void)
{
    struct packet_recipe tcp4 = recipe_of(4, 6), tcp6 = recipe_of(6, 6), udp4 = recipe_of(4, 17), syn = tcp4, chain = tcp6;

    chain.extension_bytes = 16;
    EXPECT(begin(&tcp4, 0, 0, 0, 1000, 0) == SEGMENTATION_OK);
    EXPECT(begin(&tcp6, 0, 0, 0, 1000, 0) == SEGMENTATION_OK);
    EXPECT(begin(&chain, 0, 0, 0, 1000, 0) == SEGMENTATION_OK);
    for (size_t length = 1; length < 4361; length += length < 100 ? 1 : 331)
        EXPECT(begin(&tcp4, 0, 0, 0, 1000, length) == SEGMENTATION_TRUNCATED);
    for (size_t length = 1; length < 4381; length += length < 100 ? 1 : 331)
        EXPECT(begin(&chain, 0, 0, 0, 1000, length) == SEGMENTATION_TRUNCATED);
    EXPECT(begin(&tcp4, 0, 0, VNET_GSO_TCP6, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&tcp6, 0, 0, VNET_GSO_TCP4, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&tcp4, 0, 0, VNET_GSO_UDP, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&tcp6, 0, 0, VNET_GSO_UDP, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&udp4, 0, 0, VNET_GSO_TCP4, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&udp4, 0, 0, 3, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&udp4, 0, 0, 0x7f, 1000, 0) == SEGMENTATION_WRONG_TYPE);
    EXPECT(begin(&tcp4, 0, 0, 0, 0, 0) == SEGMENTATION_WRONG_SIZE);
    EXPECT(begin(&tcp4, 0, 0, 0, 7, 0) == SEGMENTATION_WRONG_SIZE);
    EXPECT(begin(&tcp4, 6, 0x20, 0, 1000, 0) == SEGMENTATION_WRONG_HEADERS); /* MF */
    EXPECT(begin(&tcp4, 7, 0x01, 0, 1000, 0) == SEGMENTATION_WRONG_HEADERS); /* an offset */
    EXPECT(begin(&tcp4, 32, 0x40, 0, 1000, 0) == SEGMENTATION_WRONG_HEADERS); /* data offset 16 */
    EXPECT(begin(&tcp4, 3, 0xff, 0, 1000, 0) == SEGMENTATION_TRUNCATED);     /* longer than it is */
    EXPECT(begin(&tcp4, 2, 1, 0, 1000, 0) == SEGMENTATION_OK);               /* shorter: the rest is not part of it */
    EXPECT(begin(&tcp6, 4, 0xff, 0, 1000, 0) == SEGMENTATION_TRUNCATED);
    for (int next = 0; next < 256; next++) {
        enum segmentation_result due = next == 6                 ? SEGMENTATION_OK
                                       : next == 0 || next == 60 ? SEGMENTATION_WRONG_HEADERS /* or what follows it */
                                       : next == 17              ? SEGMENTATION_WRONG_TYPE
                                                                 : SEGMENTATION_WRONG_HEADERS;
        enum segmentation_result result = begin(&tcp6, 6, (uint8_t)next, 0, 1000, 0);

        EXPECT(result == due || ((next == 0 || next == 60) && result != SEGMENTATION_OK));
    }
    for (uint8_t flag = SYN; flag <= RST; flag += 2) {
        syn.flags = ACK | flag;
        EXPECT(begin(&syn, 0, 0, 0, 1000, 0) == SEGMENTATION_WRONG_FLAGS);
        EXPECT(begin(&syn, 0, 0, 0, 5000, 0) == SEGMENTATION_OK); /* not cut */
    }
}

static void refuses_checksums_outside(void)
{
    uint8_t *packet = exact_memory(60);
    struct segmentation segmentation;

    memset(packet, 0, 60);
    for (unsigned start = 0; start < 70; start++) {
        for (unsigned offset = 0; offset < 70; offset++) {
            struct vnet_header vnet = {.flags = VNET_NEEDS_CHECKSUM, .checksum_start = (uint16_t)start,
                                       .checksum_offset = (uint16_t)offset};
            bool good = offset > 0 && offset % 2 == 0 && start + offset + 2 <= 60;
            enum segmentation_result result = segmentation_begin(&segmentation, &vnet, packet, 60);

            if (result != (good ? SEGMENTATION_OK : SEGMENTATION_WRONG_CHECKSUM_PLACE))
                EXPECT(!"the place is judged wrongly");
            if (result == SEGMENTATION_OK && segmentation_write(&segmentation, 0, packet) != 60)
                EXPECT(!"the length changed");
        }
    }
    free(packet);
}

/* Changed packets and headers of every kind: no step outside, and lengths that add up. */
static void survives_nonsense(void)
{
    static uint8_t packet[70000];
    uint64_t random = 42;
    unsigned accepted = 0, wrong = 0;

    for (unsigned round = 0; round < 20000; round++) {
        struct packet_recipe recipe = recipe_of(next_random(&random) % 2 ? 4 : 6, next_random(&random) % 2 ? 6 : 17);
        struct vnet_header vnet;
        struct segmentation segmentation;
        size_t length, total = 0;
        uint8_t *exact;

        recipe.payload_bytes = next_random(&random) % 3000;
        recipe.option_bytes = next_random(&random) % 11 * 4;
        recipe.extension_bytes = recipe.version == 6 ? next_random(&random) % 4 * 8 : 0;
        length = make_packet(packet, &recipe);
        vnet = vnet_of(&recipe, (uint16_t)(next_random(&random) % 1500));
        for (unsigned change = next_random(&random) % 4; change > 0; change--)
            packet[next_random(&random) % (length < 80 ? length : 80)] = (uint8_t)next_random(&random);
        if (next_random(&random) % 8 == 0)
            length = next_random(&random) % (length + 1);
        if (next_random(&random) % 8 == 0)
            vnet.gso_type = (uint8_t)next_random(&random);
        exact = exact_memory(length);
        memcpy(exact, packet, length);
        if (segmentation_begin(&segmentation, &vnet, exact, length) == SEGMENTATION_OK) {
            accepted++;
            for (uint32_t i = 0; i < segmentation.count; i++) {
                size_t bytes = segmentation_bytes(&segmentation, i);
                uint8_t *segment = exact_memory(bytes);

                wrong += segmentation_write(&segmentation, i, segment) != bytes || bytes > segmentation.segment_bytes;
                total += bytes - segmentation.header_bytes;
                free(segment);
            }
            wrong += total != segmentation.payload_bytes;
        }
        free(exact);
    }
    EXPECT(accepted > 5000 && accepted < 20000);
    EXPECT(wrong == 0);
}

int main(void)
{
    cuts(4, 6, 0, 0, 4321, 1460);
    cuts(4, 6, 12, 0, 65483, 1448);
    cuts(4, 6, 40, 0, 4321, 8);
    cuts(4, 6, 12, 0, 3000, 1000);
    cuts(4, 6, 12, 0, 1000, 1000);
    cuts(4, 6, 12, 0, 0, 1000);
    cuts(6, 6, 12, 0, 60000, 1428);
    cuts(6, 6, 12, 8, 9999, 1001);
    cuts(6, 6, 0, 264, 9999, 8);
    cuts(4, 17, 0, 0, 1473, 1472);
    cuts(4, 17, 0, 0, 65500, 33);
    cuts(6, 17, 0, 0, 40000, 1232);
    cuts(6, 17, 0, 24, 4000, 1232);
    treats_flags_by_place();
    finishes_checksums();
    refuses();
    refuses_checksums_outside();
    survives_nonsense();
    return expect_summary("segmentation");
}
