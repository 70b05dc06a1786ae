/* SPDX-License-Identifier: Apache-2.0 */
/* From an ESP packet to the inner packet on the TUN device (RFC 4301 section 5.2, RFC 4303 section 3.4). */
#include <string.h>

#include "big_endian.h"
#include "esp_plane.h"
#include "esp_plane_deliver.h"
#include "esp_plane_jobs.h"
#include "esp_plane_receive.h"

enum {
    KEEPALIVE = 0xFF,            /* RFC 3948 section 2.3 */
    GRE_BYTES = 4,
    GRE_IPV4 = 0x0800,
    GRE_IPV6 = 0x86DD,
    DEFAULT_HOP_LIMIT = 64
};

static void lock_window(struct sa *sa)
{
    if (sa->shared) {
        while (atomic_flag_test_and_set_explicit(&sa->lock, memory_order_acquire))
            ;
    }
}

static void unlock_window(struct sa *sa)
{
    if (sa->shared)
        atomic_flag_clear_explicit(&sa->lock, memory_order_release);
}

/* The whole sequence number of a packet; false when the window refuses it. */
static bool check_sequence(struct sa *sa, const uint8_t *packet, uint64_t *sequence)
{
    bool good = true;

    *sequence = esp_sequence_low(packet);
    if (sa->window == NULL)
        return true;
    lock_window(sa);
    if (sa->esn)
        *sequence |= (uint64_t)replay_window_infer_high(sa->window, (uint32_t)*sequence) << 32;
    if (sa->replay_protected)
        good = replay_window_check(sa->window, *sequence);
    unlock_window(sa);
    return good;
}

/* Marks the number of an authentic packet; false when another thread was first. `newest`: it is the highest so far. */
static bool mark_sequence(struct sa *sa, uint64_t sequence, bool *newest)
{
    bool good = true;

    *newest = true;
    if (sa->window == NULL)
        return true;
    lock_window(sa);
    /* Again: a packet with the same number may have been in flight too, or with another thread. */
    if (sa->replay_protected)
        good = replay_window_check(sa->window, sequence);
    *newest = sequence > sa->window->top;
    if (good && (sa->replay_protected || *newest))
        replay_window_update(sa->window, sequence);
    unlock_window(sa);
    return good;
}

static void note_path(struct worker *worker, struct sa *sa, const struct received *outer)
{
    struct plane_event event = {.kind = EVENT_PATH_CHANGED, .outbound = false, .spi = sa->spi};

    bool same;

    lock_window(sa);
    same = sa->last_port == outer->source_port && sa->last_source.high == outer->source.high &&
           sa->last_source.low == outer->source.low;
    sa->last_source = outer->source;
    sa->last_port = outer->source_port;
    unlock_window(sa);
    if (same)
        return;
    event.version = outer->version;
    event.port = outer->source_port;
    event.source = outer->source;
    plane_report(&worker->events, &event);
}

static bool carries_packets(const struct sa *sa)
{
    return sa->mode == MODE_TUNNEL || sa->layering != LAYERING_NONE;
}

/* Takes off what layering put before the inner packet; NULL when it is not what this SA carries. */
static uint8_t *inner_of_tunnel(const struct sa *sa, const struct esp_inner_packet *inner, size_t *length)
{
    uint8_t *data = (uint8_t *)(uintptr_t)inner->data;
    uint8_t next_header = inner->next_header;
    unsigned version;

    if (sa->layering == LAYERING_GRE) {
        unsigned protocol;

        /* RFC 2784: no checksum, version 0; and no key or sequence number (RFC 2890), which nobody agreed on. */
        if (next_header != PROTOCOL_GRE || *length <= GRE_BYTES || data[0] != 0 || data[1] != 0)
            return NULL;
        protocol = read_be16(data + 2);
        next_header = protocol == GRE_IPV4 ? PROTOCOL_IPIP : protocol == GRE_IPV6 ? PROTOCOL_IPV6 : PROTOCOL_NONE;
        data += GRE_BYTES;
        *length -= GRE_BYTES;
    }
    if ((next_header != PROTOCOL_IPIP && next_header != PROTOCOL_IPV6) || *length == 0)
        return NULL;
    version = data[0] >> 4;
    return version == (next_header == PROTOCOL_IPIP ? 4U : 6U) ? data : NULL;
}

/*
 * Puts an IP header before the payload of transport mode. It is longer than what ESP leaves free, so that the payload
 * was decrypted elsewhere, with room before it; what was never encrypted is copied.
 */
static uint8_t *inner_of_transport(const struct sa *sa, const struct received *outer, uint8_t *room,
                                   const struct esp_inner_packet *inner, size_t *length)
{
    size_t header_bytes = sa->version == 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    uint8_t hop_limit = outer->hop_limit != 0 ? outer->hop_limit : DEFAULT_HOP_LIMIT;
    uint8_t *packet = room + IPV6_HEADER_BYTES - header_bytes;

    if (inner->length + header_bytes > PACKET_BYTES_MAXIMUM)
        return NULL;
    if (inner->data != room + IPV6_HEADER_BYTES)
        memcpy(room + IPV6_HEADER_BYTES, inner->data, inner->length);
    packet_write_header(packet, sa->version, outer->source, sa->destination, inner->next_header, outer->traffic_class,
                        hop_limit, true, inner->length);
    *length = inner->length + header_bytes;
    return packet;
}

/* Whether the packet may have come by this SA (RFC 4301 section 5.2 step 4): its selectors, and the SPD. */
static bool may_enter(struct worker *worker, struct sa *sa, const struct packet_facts *facts)
{
    struct flow_cache_entry *entry =
        &worker->inbound_flows->entries[flow_hash(&facts->flow) & (FLOW_CACHE_ENTRIES - 1)];
    const struct policy *policy;
    bool selected = sa->selector_count == 0;

    if (entry->generation == worker->plane->generation && entry->sa == sa &&
        memcmp(&entry->flow, &facts->flow, sizeof facts->flow) == 0)
        return true;
    for (uint32_t i = 0; !selected && i < sa->selector_count; i++)
        selected = selector_matches(&sa->selectors[i], &facts->flow);
    if (!selected) {
        count_drop(worker, IN_STATE_MISMATCH);
        return false;
    }
    policy = policy_find(&worker->plane->policies[false], &facts->flow);
    if (policy == NULL || policy->action == ACTION_DISCARD) {
        count_drop(worker, policy == NULL ? IN_NO_POLICIES : IN_POLICY_BLOCK);
        return false;
    }
    if (policy->action != ACTION_PROTECT || policy->reqid != sa->reqid) {
        count_drop(worker, IN_TEMPLATE_MISMATCH);
        return false;
    }
    entry->flow = facts->flow;
    entry->sa = sa;
    entry->policy = policy;
    entry->generation = worker->plane->generation;
    return true;
}

/* Whether there is a checksum over the addresses: not in ICMP, nor in UDP over IPv4 where the sender left it out. */
static bool covers_addresses(const uint8_t *data, const struct packet_facts *facts)
{
    const uint8_t *checksum = data + facts->header_bytes + UDP_CHECKSUM;

    if (facts->flow.version == 6 || facts->flow.protocol == NEXT_HEADER_TCP)
        return true;
    return facts->flow.protocol == NEXT_HEADER_UDP && facts->length >= facts->header_bytes + UDP_HEADER_BYTES &&
           read_be16(checksum) != 0;
}

/* What has been decrypted goes to the TUN device, when it may. `room`: see inner_of_transport(). */
static void accept_inner(struct worker *worker, struct sa *sa, const struct received *outer,
                         const struct esp_inner_packet *inner, uint8_t *room)
{
    bool tunnel = carries_packets(sa);
    size_t length = inner->length;
    uint8_t *data;
    struct packet_facts facts;
    uint8_t traffic_class;

    if (inner->next_header == PROTOCOL_NONE) {
        worker->statistics.dummies++;
        return;
    }
    data = tunnel ? inner_of_tunnel(sa, inner, &length) : inner_of_transport(sa, outer, room, inner, &length);
    if (data == NULL) {
        count_drop(worker, IN_STATE_MODE_ERROR);
        return;
    }
    if (!packet_parse(data, length, &facts)) {
        count_drop(worker, IN_HEADER_ERROR);
        return;
    }
    if (tunnel) {
        if (!ecn_decapsulate(facts.traffic_class, outer->traffic_class, &traffic_class)) {
            count_drop(worker, IN_STATE_MODE_ERROR);
            return;
        }
        if (traffic_class != facts.traffic_class)
            packet_set_traffic_class(data, traffic_class);
    } else if (sa->encapsulated && covers_addresses(data, &facts)) {
        /* Addresses may have been translated: the checksum is that of others (RFC 3948 section 3.1.2). */
        (void)packet_checksum_payload(data, &facts);
    }
    if (!may_enter(worker, sa, &facts))
        return;
    worker->statistics.inbound_packets++;
    worker->statistics.inbound_bytes += facts.length;
    deliver_packet(worker, data, facts.length);
}

static void count_refusal(struct worker *worker, struct sa *sa, enum esp_result result)
{
    if (result == ESP_BAD_ICV)
        (void)atomic_fetch_add_explicit(&sa->forged, 1, memory_order_relaxed);
    count_drop(worker, result == ESP_MALFORMED ? IN_HEADER_ERROR : IN_STATE_PROTO_ERROR);
}

static void refuse_replay(struct worker *worker, struct sa *sa)
{
    (void)atomic_fetch_add_explicit(&sa->replayed, 1, memory_order_relaxed);
    count_drop(worker, IN_STATE_SEQ_ERROR);
}

void inbound_opened(struct worker *worker, const struct opening *opening, enum esp_result result,
                    const struct esp_inner_packet *inner)
{
    struct sa *sa = opening->sa;
    bool newest;

    if (result != ESP_OK && result != ESP_BAD_PADDING) {
        count_refusal(worker, sa, result);
        return;
    }
    if (!mark_sequence(sa, opening->sequence, &newest)) {
        refuse_replay(worker, sa);
        return;
    }
    if (newest)
        note_path(worker, sa, opening->outer);
    if (result == ESP_BAD_PADDING)
        count_drop(worker, IN_STATE_PROTO_ERROR);
    else if (!worker_admit(worker, sa, inner->length))
        count_drop(worker, IN_STATE_EXPIRED);
    else
        accept_inner(worker, sa, opening->outer, inner, opening->room);
}

/* Opens a packet, or hands it to the library that will. */
static void open_packet(struct worker *worker, struct opening *opening, uint8_t *packet, size_t length)
{
    struct sa *sa = opening->sa;
    struct esp_sa *transform;
    struct esp_inner_packet inner;
    uint8_t *output = packet + sa->payload_offset;
    enum esp_result result;

    if (!carries_packets(sa)) {
        opening->room = deliver_room(worker, IPV6_HEADER_BYTES + length);
        if (opening->room == NULL) {
            count_drop(worker, IN_BUFFER_ERROR);
            return;
        }
        output = opening->room + IPV6_HEADER_BYTES;
    }
    if (sa->mb != NULL) {
        result = jobs_open(worker, opening, packet, length, output);
        if (result != ESP_OK)
            count_refusal(worker, sa, result);
        return;
    }
    transform = worker_transform(worker, sa);
    if (transform == NULL) {
        count_drop(worker, IN_ERROR);
        return;
    }
    result = esp_open(transform, opening->sequence, packet, length, output, &inner);
    inbound_opened(worker, opening, result, &inner);
}

/* One ESP packet, from its SPI. It is decrypted where it is. */
static void inbound_packet(struct worker *worker, const struct received *outer, uint8_t *packet, size_t length)
{
    struct opening opening = {.outer = outer, .room = NULL};
    struct sa *sa;

    if (length == 1 && packet[0] == KEEPALIVE && outer->encapsulated) {
        worker->statistics.keepalives++;
        return;
    }
    if (length < ESP_HEADER_BYTES) {
        count_drop(worker, IN_HEADER_ERROR);
        return;
    }
    sa = sa_find(&worker->plane->sas, false, read_be32(packet));
    if (sa == NULL) {
        count_drop(worker, IN_NO_STATES);
        return;
    }
    if (sa->encapsulated != outer->encapsulated || sa->version != outer->version) {
        count_drop(worker, IN_STATE_MISMATCH);
        return;
    }
    if (!check_sequence(sa, packet, &opening.sequence)) {
        refuse_replay(worker, sa);
        return;
    }
    opening.sa = sa;
    open_packet(worker, &opening, packet, length);
}

/*
 * Brings what a packet will need of its SA into the cache while the one before it is worked on: with thousands of SAs
 * this is what takes the time. One SA after the other is the rule, and costs a comparison.
 */
static void expect(const struct worker *worker, const uint8_t *packet, const uint8_t *before)
{
    enum { LINE_BYTES = 64, LINES = 5 };
    const struct sa *sa;

    if (memcmp(packet, before, sizeof(uint32_t)) == 0)
        return;
    sa = sa_find(&worker->plane->sas, false, read_be32(packet));
    if (sa == NULL)
        return;
    for (size_t line = 0; line < LINES; line++) {
        __builtin_prefetch((const uint8_t *)sa + line * LINE_BYTES);
        if (sa->mb != NULL) {
            __builtin_prefetch((const uint8_t *)sa->mb + line * LINE_BYTES);
            __builtin_prefetch((const uint8_t *)sa->mb->keys + line * LINE_BYTES);
        }
    }
    if (sa->window != NULL)
        __builtin_prefetch(sa->window);
}

/* Every packet of one reception. */
static void inbound_datagram(struct worker *worker, const struct received *received)
{
    size_t step = received->segment_bytes;

    for (size_t offset = 0; offset < received->length; offset += step) {
        uint8_t *packet = received->data + offset;
        size_t left = received->length - offset;

        if (left >= step + ESP_HEADER_BYTES)
            expect(worker, packet + step, packet);
        inbound_packet(worker, received, packet, left < step ? left : step);
    }
}

size_t inbound_burst(struct worker *worker, enum socket_kind kind)
{
    size_t count = receive_burst(worker, kind);
    struct received received[RECEPTIONS_MAXIMUM];

    end_part(worker, CPU_SOCKET);
    for (size_t i = 0; i < count; i++) {
        if (receive_take(worker, kind, i, &received[i]))
            inbound_datagram(worker, &received[i]);
    }
    if (count > 0) {
        jobs_finish_opening(worker);
        deliver_end_burst(worker);
    }
    return count;
}
