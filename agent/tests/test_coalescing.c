/* SPDX-License-Identifier: Apache-2.0 */
#include "coalescing.h"

#include "expect.h"
#include "internet_packets.h"
#include "segmentation.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };
enum { PACKETS_MAXIMUM = COALESCING_PACKETS_MAXIMUM };

static struct coalescing coalescing;

/* A burst: the packets that were added, as they were and where they lie. */
static struct {
    uint8_t *added[PACKETS_MAXIMUM];
    uint8_t *before[PACKETS_MAXIMUM];
    size_t length[PACKETS_MAXIMUM];
    size_t count;
} burst;

static struct packet_recipe recipe_of(int version, int protocol)
{
    return (struct packet_recipe){
        .version = version,
        .protocol = protocol,
        .source_port = 40000,
        .destination_port = 5001,
        .sequence = 0xffffff00,
        .acknowledgment = 77,
        .flags = ACK,
        .window = 500,
        .ttl = 63,
        .dont_fragment = true,
        .option_bytes = protocol == 6 ? 12 : 0,
        .payload_bytes = 1000,
    };
}

static void start(unsigned joins)
{
    coalescing_initialise(&coalescing, joins);
    burst.count = 0;
}

static void add_octets(const uint8_t *packet, size_t length)
{
    burst.added[burst.count] = exact_memory(length);
    burst.before[burst.count] = exact_memory(length);
    memcpy(burst.added[burst.count], packet, length);
    memcpy(burst.before[burst.count], packet, length);
    burst.length[burst.count] = length;
    EXPECT(coalescing_add(&coalescing, burst.added[burst.count], length));
    burst.count++;
}

static void add(const struct packet_recipe *recipe)
{
    uint8_t packet[3000];

    add_octets(packet, make_packet(packet, recipe));
}

/* The next packet of a flow. */
static void advance(struct packet_recipe *recipe)
{
    recipe->sequence += (uint32_t)recipe->payload_bytes;
    recipe->identification++;
    recipe->payload_start += 7;
}

static void forget_burst(void)
{
    for (size_t i = 0; i < burst.count; i++) {
        free(burst.added[i]);
        free(burst.before[i]);
    }
    burst.count = 0;
}

/*
 * Takes the burst and cuts every super packet into segments again. `segments[i]` gets the length of packet i, and
 * `octets[i]` its octets, in the order in which a receiver would see them. Returns how many there are.
 */
static size_t take_and_cut(uint8_t **octets, size_t *lengths, size_t *items)
{
    struct iovec pieces[COALESCING_PIECES_MAXIMUM];
    size_t count = 0, number_of_pieces;

    *items = 0;
    while ((number_of_pieces = coalescing_take(&coalescing, pieces)) != 0) {
        struct vnet_header vnet;
        struct segmentation segmentation;
        size_t length = 0;
        uint8_t *packet;

        (*items)++;
        EXPECT(pieces[0].iov_len == sizeof vnet);
        memcpy(&vnet, pieces[0].iov_base, sizeof vnet);
        for (size_t i = 1; i < number_of_pieces; i++)
            length += pieces[i].iov_len;
        packet = exact_memory(length);
        length = 0;
        for (size_t i = 1; i < number_of_pieces; i++) {
            memcpy(packet + length, pieces[i].iov_base, pieces[i].iov_len);
            length += pieces[i].iov_len;
        }
        if (segmentation_begin(&segmentation, &vnet, packet, length) != SEGMENTATION_OK) {
            EXPECT(!"a super packet cannot be cut");
            free(packet);
            continue;
        }
        if (vnet.gso_type != VNET_GSO_NONE) { /* what the kernel relies on */
            size_t network = packet[0] >> 4 == 4 ? 20 : 40, place = vnet.gso_type == VNET_GSO_UDP ? 6 : 16;
            uint32_t payload = (uint32_t)plain_sum(0, packet + network, length - network);

            EXPECT(vnet.flags == VNET_NEEDS_CHECKSUM && vnet.checksum_start == network);
            EXPECT(vnet.checksum_offset == place && vnet.header_bytes == segmentation.header_bytes);
            EXPECT(segmentation.count > 1);
            /* pseudo-header already summed: finishing it gives a right checksum over the whole */
            put16(packet + network + place, 0xffff - payload);
            EXPECT(transport_sum_of(packet, length, network, place == 6 ? 17 : 6) == 0xffff);
        }
        for (uint32_t i = 0; i < segmentation.count; i++, count++) {
            lengths[count] = segmentation_bytes(&segmentation, i);
            octets[count] = exact_memory(lengths[count]);
            (void)segmentation_write(&segmentation, i, octets[count]);
        }
        free(packet);
    }
    return count;
}

/* True when a receiver sees what was added, in the same order, in this many writes. */
static bool arrives_in(size_t items_due)
{
    static uint8_t *octets[PACKETS_MAXIMUM];
    static size_t lengths[PACKETS_MAXIMUM];
    size_t items, count = take_and_cut(octets, lengths, &items);
    bool same = count == burst.count && items == items_due;

    for (size_t i = 0; i < count; i++) {
        same = same && lengths[i] == burst.length[i] && memcmp(octets[i], burst.before[i], lengths[i]) == 0;
        free(octets[i]);
    }
    forget_burst();
    return same;
}

static void joins_a_stream(int version, int protocol, unsigned joins, bool dont_fragment)
{
    struct packet_recipe recipe = recipe_of(version, protocol);

    start(joins);
    recipe.dont_fragment = dont_fragment;
    recipe.identification = 0xfffc;
    for (int i = 0; i < 20; i++) {
        if (i == 19) {
            recipe.payload_bytes = 123;
            recipe.flags |= PSH;
        }
        add(&recipe);
        advance(&recipe);
    }
    EXPECT(arrives_in(1));
}

/* Two packets, the second changed in one respect: never joined. */
static void keeps_apart(int version, int protocol, void (*change)(struct packet_recipe *))
{
    struct packet_recipe recipe = recipe_of(version, protocol);

    start(COALESCE_TCP | COALESCE_UDP);
    add(&recipe);
    advance(&recipe);
    change(&recipe);
    add(&recipe);
    EXPECT(arrives_in(2));
}

#define CHANGE(name, statement)                        \
    static void name(struct packet_recipe *recipe)     \
    {                                                  \
        statement;                                     \
    }

CHANGE(other_source_port, recipe->source_port++)
CHANGE(other_destination_port, recipe->destination_port++)
CHANGE(gap, recipe->sequence++)
CHANGE(overlap, recipe->sequence--)
CHANGE(again, recipe->sequence -= 1000)
CHANGE(other_acknowledgment, recipe->acknowledgment++)
CHANGE(other_window, recipe->window++)
CHANGE(urgent_pointer, recipe->urgent++)
CHANGE(other_tos, recipe->tos ^= 3)
CHANGE(other_ttl, recipe->ttl--)
CHANGE(other_df, recipe->dont_fragment = false)
CHANGE(longer, recipe->payload_bytes++)
CHANGE(no_payload, recipe->payload_bytes = 0)
CHANGE(fewer_options, recipe->option_bytes -= 4)
CHANGE(syn, recipe->flags |= SYN)
CHANGE(rst, recipe->flags |= RST)
CHANGE(urg, recipe->flags |= URG)
CHANGE(cwr, recipe->flags |= CWR)
CHANGE(ece, recipe->flags |= ECE)
CHANGE(no_ack, recipe->flags = PSH)
CHANGE(extension, recipe->extension_bytes = 8)

static void keeps_apart_what_differs(void)
{
    static void (*const tcp[])(struct packet_recipe *) = {
        other_source_port, other_destination_port, gap, overlap, again, other_acknowledgment, other_window,
        urgent_pointer, other_tos, other_ttl, longer, no_payload, fewer_options, syn, rst, urg, cwr, ece, no_ack};
    static void (*const udp[])(struct packet_recipe *) = {other_source_port, other_destination_port, other_tos,
                                                          other_ttl, longer, no_payload};

    for (int version = 4; version <= 6; version += 2) {
        for (size_t i = 0; i < sizeof tcp / sizeof tcp[0]; i++)
            keeps_apart(version, 6, tcp[i]);
        for (size_t i = 0; i < sizeof udp / sizeof udp[0]; i++)
            keeps_apart(version, 17, udp[i]);
    }
    keeps_apart(4, 6, other_df);
    keeps_apart(6, 6, extension);
    keeps_apart(6, 17, extension);
}

/* Octets that no recipe has: changed in the second packet, its checksums made right again where it says so. */
static void keeps_apart_octets(int version, int protocol, size_t place, uint8_t bits, bool finish)
{
    struct packet_recipe recipe = recipe_of(version, protocol);
    uint8_t packet[3000];
    size_t length, network = version == 4 ? 20 : 40;

    start(COALESCE_TCP | COALESCE_UDP);
    add(&recipe);
    advance(&recipe);
    length = make_packet(packet, &recipe);
    packet[place] ^= bits;
    if (finish) {
        if (version == 4) {
            put16(packet + 10, 0);
            put16(packet + 10, 0xffff - plain_sum(0, packet, 20));
        }
        finish_transport(packet, length, network, protocol);
    }
    add_octets(packet, length);
    EXPECT(arrives_in(2));
    /* and the other way round: the first one is the odd one */
    start(COALESCE_TCP | COALESCE_UDP);
    add_octets(packet, length);
    advance(&recipe);
    add(&recipe);
    EXPECT(arrives_in(2));
}

static void keeps_apart_other_octets(void)
{
    for (size_t place = 12; place < 20; place++)
        keeps_apart_octets(4, 6, place, 1, true); /* addresses */
    for (size_t place = 8; place < 40; place++)
        keeps_apart_octets(6, 17, place, 1, true);
    for (size_t place = 40; place < 52; place++)
        keeps_apart_octets(4, 6, place, 1, true); /* options */
    keeps_apart_octets(4, 6, 32, 1, true);        /* a reserved bit */
    keeps_apart_octets(6, 6, 3, 1, true);         /* flow label */
    keeps_apart_octets(4, 6, 6, 0x20, true);      /* MF */
    keeps_apart_octets(4, 6, 6, 0x80, true);      /* the reserved bit of the fragment field */
    keeps_apart_octets(4, 6, 7, 1, true);         /* an offset */
    keeps_apart_octets(4, 6, 0, 0x01 ^ 0x04, false); /* header length 16 */
    keeps_apart_octets(4, 6, 3, 1, true);         /* total length */
    keeps_apart_octets(6, 6, 5, 1, true);
    keeps_apart_octets(4, 17, 25, 1, true);       /* length of UDP */
    keeps_apart_octets(4, 6, 900, 1, false);      /* wrong checksums */
    keeps_apart_octets(6, 6, 900, 1, false);
    keeps_apart_octets(4, 17, 900, 1, false);
    keeps_apart_octets(4, 6, 10, 1, false);
    keeps_apart_octets(4, 6, 36, 1, false);
}

static void obeys_what_may_be_joined(void)
{
    for (unsigned joins = 0; joins < 4; joins++) {
        for (int protocol = 6; protocol <= 17; protocol += 11) {
            struct packet_recipe recipe = recipe_of(4, protocol);
            bool joined = joins & (protocol == 6 ? COALESCE_TCP : COALESCE_UDP);

            start(joins);
            for (int i = 0; i < 10; i++) {
                add(&recipe);
                advance(&recipe);
            }
            EXPECT(arrives_in(joined ? 1 : 10));
        }
    }
}

/* Without DF the identification must count up. */
static void watches_identifications(void)
{
    struct packet_recipe recipe = recipe_of(4, 6);

    recipe.dont_fragment = false;
    start(COALESCE_TCP);
    add(&recipe);
    advance(&recipe);
    add(&recipe);
    advance(&recipe);
    recipe.identification++;
    add(&recipe);
    EXPECT(arrives_in(2));
}

static void no_udp_without_checksum(void)
{
    struct packet_recipe recipe = recipe_of(4, 17);
    uint8_t packet[3000];

    start(COALESCE_UDP);
    for (int i = 0; i < 3; i++) {
        size_t length = make_packet(packet, &recipe);

        put16(packet + 26, 0);
        add_octets(packet, length);
        advance(&recipe);
    }
    EXPECT(arrives_in(3));
}

/* PSH, FIN and a shorter packet end a super packet; what follows begins the next. */
static void ends_where_it_must(void)
{
    struct packet_recipe recipe = recipe_of(6, 6);

    start(COALESCE_TCP);
    for (int i = 0; i < 12; i++) {
        recipe.flags = i == 3 || i == 4 ? ACK | PSH : i == 11 ? ACK | FIN : ACK; /* 0-3, 4, 5-8, 9-11 */
        recipe.payload_bytes = i == 8 ? 999 : 1000;
        add(&recipe);
        advance(&recipe);
    }
    EXPECT(arrives_in(4));
}

/* No super packet is longer than IP can say, nor of more than COALESCING_SEGMENTS_MAXIMUM segments. */
static void knows_the_limits(void)
{
    struct packet_recipe recipe = recipe_of(4, 6);

    start(COALESCE_TCP);
    recipe.payload_bytes = 1448;
    for (int i = 0; i < 100; i++) { /* 45 * 1448 + 52 = 65212 */
        add(&recipe);
        advance(&recipe);
    }
    EXPECT(arrives_in(3));
    start(COALESCE_UDP);
    recipe = recipe_of(4, 17);
    recipe.payload_bytes = 18;
    for (int i = 0; i < PACKETS_MAXIMUM; i++) {
        add(&recipe);
        advance(&recipe);
    }
    EXPECT(!coalescing_add(&coalescing, burst.added[0], burst.length[0]));
    EXPECT(arrives_in(PACKETS_MAXIMUM / COALESCING_SEGMENTS_MAXIMUM));
}

/* Nothing is added while a burst is being taken, and the next one begins empty. */
static void takes_a_burst_to_its_end(void)
{
    struct packet_recipe recipe = recipe_of(4, 6);
    struct iovec pieces[COALESCING_PIECES_MAXIMUM];

    start(COALESCE_TCP);
    EXPECT(coalescing_take(&coalescing, pieces) == 0);
    add(&recipe);
    advance(&recipe);
    EXPECT(coalescing_take(&coalescing, pieces) == 2 && pieces[1].iov_base == burst.added[0]);
    EXPECT(!coalescing_add(&coalescing, burst.added[0], burst.length[0]));
    EXPECT(coalescing_take(&coalescing, pieces) == 0);
    forget_burst();
    add(&recipe); /* goes on where the flow was, but in another burst */
    EXPECT(arrives_in(1));
}

enum { FLOWS = 6 };

/* One random step of a flow: mostly the next packet, sometimes something odd. */
static void add_random(struct packet_recipe *flow, uint64_t *random)
{
    uint8_t packet[3000];
    size_t length;
    uint32_t dice = next_random(random) % 40;

    flow->flags = dice == 0 ? ACK | PSH : dice == 1 ? ACK | CWR : dice == 2 ? ACK | SYN : ACK;
    flow->payload_bytes = dice == 3 ? 400 : dice == 4 ? 0 : dice == 5 ? 1100 : 1000;
    flow->window += dice == 6;
    flow->acknowledgment += dice == 7;
    flow->sequence -= dice == 8 ? 1000 : 0;
    flow->ttl -= dice == 9;
    flow->identification += dice == 10;
    length = make_packet(packet, flow);
    if (dice == 11)
        packet[length - 1] ^= 1;
    if (dice == 12 && flow->version == 4)
        packet[6] |= 0x20;
    if (dice == 13)
        packet[flow->version == 4 ? 9 : 6] = 47;
    add_octets(packet, length);
    advance(flow);
}

/* Which flow a packet is of: its source port, and what was turned into another protocol is a flow of its own. */
static size_t flow_of(const uint8_t *packet)
{
    bool is_ipv4 = packet[0] >> 4 == 4;

    return get16(packet + (is_ipv4 ? 20 : 40)) + (packet[is_ipv4 ? 9 : 6] == 47 ? FLOWS : 0);
}

/* Several flows mixed at random: each arrives octet by octet as it was sent, in its order. */
static void keeps_the_order_within_flows(void)
{
    static uint8_t *octets[PACKETS_MAXIMUM];
    static size_t lengths[PACKETS_MAXIMUM];
    uint64_t random = 7;
    size_t all = 0, writes = 0;

    for (int round = 0; round < 60; round++) {
        struct packet_recipe flows[FLOWS];
        size_t items, count;

        start(COALESCE_TCP | COALESCE_UDP);
        for (int i = 0; i < FLOWS; i++) {
            flows[i] = recipe_of(i % 2 ? 6 : 4, i < 4 ? 6 : 17);
            flows[i].source_port = (uint16_t)(i + 1);
            flows[i].dont_fragment = false;
        }
        for (int i = 0; i < 300; i++)
            add_random(&flows[next_random(&random) % FLOWS], &random);
        count = take_and_cut(octets, lengths, &items);
        EXPECT(count == burst.count);
        for (size_t flow = 1; flow <= 2 * FLOWS; flow++) {
            size_t in = 0, out = 0;
            bool same = true;

            for (; in < burst.count && same; in++) {
                if (flow_of(burst.before[in]) != flow)
                    continue;
                while (out < count && flow_of(octets[out]) != flow)
                    out++;
                same = out < count && lengths[out] == burst.length[in] &&
                       memcmp(octets[out], burst.before[in], lengths[out]) == 0;
                out++;
            }
            EXPECT(same);
        }
        all += count;
        writes += items;
        for (size_t i = 0; i < count; i++)
            free(octets[i]);
        forget_burst();
    }
    EXPECT(writes * 2 < all); /* and yet much is joined */
}

/* Octets that are no packet. */
static void survives_nonsense(void)
{
    uint64_t random = 11;
    uint8_t packet[120];

    for (int round = 0; round < 300; round++) {
        size_t items_due = 0;

        start(COALESCE_TCP | COALESCE_UDP);
        for (int i = 0; i < 60; i++) {
            struct packet_recipe recipe = recipe_of(next_random(&random) % 2 ? 4 : 6, next_random(&random) % 2 ? 6 : 17);
            size_t length;

            recipe.payload_bytes = 10;
            length = make_packet(packet, &recipe);
            for (int change = 0; change < 2; change++)
                packet[next_random(&random) % length] = (uint8_t)next_random(&random);
            if (next_random(&random) % 4 == 0)
                length = next_random(&random) % length;
            add_octets(packet, length);
            items_due++;
        }
        {
            struct iovec pieces[COALESCING_PIECES_MAXIMUM];
            size_t octets = 0, expected = 0, count;

            for (size_t i = 0; i < burst.count; i++)
                expected += burst.length[i];
            while ((count = coalescing_take(&coalescing, pieces)) != 0) {
                for (size_t i = 1; i < count; i++)
                    octets += pieces[i].iov_len;
            }
            EXPECT(octets <= expected && burst.count == items_due);
            forget_burst();
        }
    }
}

int main(void)
{
    for (int version = 4; version <= 6; version += 2) {
        joins_a_stream(version, 6, COALESCE_TCP, false);
        joins_a_stream(version, 17, COALESCE_UDP, false);
        joins_a_stream(version, 17, COALESCE_TCP | COALESCE_UDP, true);
    }
    joins_a_stream(4, 6, COALESCE_TCP, true);
    keeps_apart_what_differs();
    keeps_apart_other_octets();
    obeys_what_may_be_joined();
    watches_identifications();
    no_udp_without_checksum();
    ends_where_it_must();
    knows_the_limits();
    takes_a_burst_to_its_end();
    keeps_the_order_within_flows();
    survives_nonsense();
    return expect_summary("coalescing");
}
