/* SPDX-License-Identifier: Apache-2.0 */
/* From a packet of the TUN device to ESP packets (RFC 4301 section 5.1, RFC 4303 section 3.3). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "big_endian.h"
#include "esp_plane.h"
#include "esp_plane_deliver.h"
#include "esp_plane_fragment.h"
#include "esp_plane_jobs.h"
#include "esp_plane_send.h"
#include "segmentation.h"

enum { READS_MAXIMUM = 64, BURST_BYTES = 256 * 1024, GRE_IPV4 = 0x0800, GRE_IPV6 = 0x86DD };

/* The SA for a flow: remembered, or the newest of the policy; NULL when the packet is dropped, and counted. */
static struct sa *find_sa(struct worker *worker, const struct flow *flow)
{
    struct plane *plane = worker->plane;
    struct flow_cache_entry *entry = &worker->outbound_flows->entries[flow_hash(flow) & (FLOW_CACHE_ENTRIES - 1)];
    const struct policy *policy;
    struct sa *sa;

    if (entry->generation == plane->generation && memcmp(&entry->flow, flow, sizeof *flow) == 0)
        return entry->sa;
    policy = policy_find(&plane->policies[true], flow);
    if (policy == NULL || policy->action == ACTION_DISCARD) {
        count_drop(worker, OUT_POLICY_BLOCK);
        return NULL;
    }
    if (policy->action == ACTION_BYPASS) {
        /* What shall go out as it is must not be routed to this device: there is no way out of it but ESP. */
        count_drop(worker, OUT_POLICY_ERROR);
        return NULL;
    }
    sa = sa_find_reqid(&plane->sas, policy->reqid);
    if (sa == NULL) {
        count_drop(worker, OUT_NO_STATES);
        return NULL;
    }
    entry->flow = *flow;
    entry->policy = policy;
    entry->sa = sa;
    entry->generation = plane->generation;
    return sa;
}

/* The next sequence number; false when there is none left. */
static bool next_sequence(struct worker *worker, struct sa *sa, uint64_t *sequence)
{
    uint64_t last = sa->esn ? UINT64_MAX : UINT32_MAX;
    uint64_t used;

    if (worker->plane->worker_count > 1) {
        used = atomic_fetch_add_explicit(&sa->sequence, 1, memory_order_relaxed);
        if (used >= last)
            (void)atomic_fetch_sub_explicit(&sa->sequence, 1, memory_order_relaxed);
    } else {
        used = atomic_load_explicit(&sa->sequence, memory_order_relaxed);
        if (used < last)
            atomic_store_explicit(&sa->sequence, used + 1, memory_order_relaxed);
    }
    *sequence = used + 1;
    if (used < last)
        return true;
    worker_report_once(worker, sa, EVENT_SEQUENCE_EXHAUSTED);
    count_drop(worker, OUT_STATE_SEQ_ERROR);
    return false;
}

/* Seals what lies at the payload's place of a reserved packet, and hands it on. */
static void seal(struct worker *worker, struct sa *sa, struct esp_sa *transform, uint8_t *packet, size_t payload_bytes,
                 size_t inner_bytes, uint8_t next_header, struct outer_fields fields)
{
    uint64_t sequence;
    size_t packet_bytes;

    if (!worker_admit(worker, sa, inner_bytes)) {
        count_drop(worker, OUT_STATE_EXPIRED);
        return;
    }
    if (!next_sequence(worker, sa, &sequence))
        return;
    if (sa->mb != NULL ? !jobs_seal(worker, sa, sequence, packet, payload_bytes, next_header, &packet_bytes)
                       : esp_outbound_numbered(transform, sequence, packet, payload_bytes, next_header,
                                               &packet_bytes) != ESP_OK) {
        count_drop(worker, OUT_STATE_PROTO_ERROR);
        return;
    }
    worker->statistics.outbound_packets++;
    worker->statistics.outbound_bytes += inner_bytes;
    send_commit(worker, sa, packet_bytes, fields);
}

static bool outer_dont_fragment(const struct sa *sa, bool inner_dont_fragment)
{
    return sa->dont_fragment == DF_SET || (sa->dont_fragment == DF_COPY && inner_dont_fragment);
}

static struct outer_fields tunnel_fields(const struct sa *sa, const struct packet_facts *facts)
{
    struct outer_fields fields = {
        .traffic_class = sa->copy_dscp ? facts->traffic_class : facts->traffic_class & ECN_MASK,
        .dont_fragment = outer_dont_fragment(sa, facts->dont_fragment),
    };

    return fields;
}

/* Room for a sealed packet with `inner_bytes`, with all that is put around it. */
static uint8_t *reserve(struct worker *worker, const struct sa *sa, size_t inner_bytes)
{
    size_t payload = inner_bytes > sa->tfc_bytes ? inner_bytes : sa->tfc_bytes;

    return send_reserve(worker, payload + sa->prefix_bytes + ESP_OVERHEAD_MAXIMUM);
}

/* A whole inner packet lies behind the prefix: what is around it is added. */
static void seal_inner(struct worker *worker, struct sa *sa, struct esp_sa *transform, uint8_t *packet,
                       size_t inner_bytes, unsigned version, struct outer_fields fields)
{
    uint8_t *payload = packet + sa->payload_offset;
    size_t payload_bytes = sa->prefix_bytes + inner_bytes;
    uint8_t next_header = version == 4 ? PROTOCOL_IPIP : PROTOCOL_IPV6;

    if (sa->layering == LAYERING_GRE) {
        write_be32(payload, version == 4 ? GRE_IPV4 : GRE_IPV6);
        next_header = PROTOCOL_GRE;
    }
    if (payload_bytes < sa->tfc_bytes) {
        size_t most = (size_t)sa->prefix_bytes + sa->inner_mtu_bytes;
        size_t padded = sa->tfc_bytes < most ? sa->tfc_bytes : most;

        if (padded > payload_bytes) {
            memset(payload + payload_bytes, 0, padded - payload_bytes);
            payload_bytes = padded;
        }
    }
    seal(worker, sa, transform, packet, payload_bytes, inner_bytes, next_header, fields);
}

static void seal_copy(struct worker *worker, struct sa *sa, struct esp_sa *transform, const uint8_t *inner,
                      size_t inner_bytes, struct outer_fields fields)
{
    uint8_t *packet = reserve(worker, sa, inner_bytes);

    memcpy(packet + sa->payload_offset + sa->prefix_bytes, inner, inner_bytes);
    seal_inner(worker, sa, transform, packet, inner_bytes, inner[0] >> 4, fields);
}

static void tell_too_big(struct worker *worker, const uint8_t *packet, const struct packet_facts *facts,
                         uint32_t mtu_bytes)
{
    uint8_t error[IPV6_MTU_MINIMUM];
    size_t length = packet_too_big(packet, facts, mtu_bytes, error);

    count_drop(worker, OUT_STATE_MODE_ERROR);
    if (length > 0)
        deliver_now(worker, error, length);
}

/* An inner packet that is longer than fits the path, whole and at hand (RFC 4301 section 8). */
static void tunnel_too_long(struct worker *worker, struct sa *sa, struct esp_sa *transform, const uint8_t *inner,
                            const struct packet_facts *facts)
{
    struct outer_fields fields = tunnel_fields(sa, facts);
    uint32_t mtu = sa->inner_mtu_bytes;

    if (!facts->dont_fragment && (!sa->fragment_after || fields.dont_fragment)) {
        struct fragmentation fragmentation;
        size_t length;

        if (!fragmentation_begin(&fragmentation, inner, facts, mtu)) {
            count_drop(worker, OUT_STATE_MODE_ERROR);
            return;
        }
        while ((length = fragmentation_next(&fragmentation, worker->fragment_buffer)) > 0)
            seal_copy(worker, sa, transform, worker->fragment_buffer, length, fields);
        return;
    }
    if (facts->flow.version == 6 && facts->length <= IPV6_MTU_MINIMUM)
        fields.dont_fragment = false; /* no IPv6 packet so short may be refused (RFC 2473 section 7.1) */
    if (fields.dont_fragment) {
        if (facts->flow.version == 6 && mtu < IPV6_MTU_MINIMUM)
            mtu = IPV6_MTU_MINIMUM;
        tell_too_big(worker, inner, facts, mtu);
        return;
    }
    seal_copy(worker, sa, transform, inner, facts->length, fields);
}

static void outbound_tunnel(struct worker *worker, struct sa *sa, struct esp_sa *transform,
                            const struct segmentation *segmentation, const struct packet_facts *facts)
{
    struct outer_fields fields = tunnel_fields(sa, facts);

    for (uint32_t i = 0; i < segmentation->count; i++) {
        size_t inner_bytes = segmentation->count > 1 ? segmentation_bytes(segmentation, i) : facts->length;
        uint8_t *packet;

        if (inner_bytes > sa->inner_mtu_bytes) {
            struct packet_facts segment = *facts;

            segment.length = (uint32_t)inner_bytes;
            (void)segmentation_write(segmentation, i, worker->segment_buffer);
            tunnel_too_long(worker, sa, transform, worker->segment_buffer, &segment);
            continue;
        }
        packet = reserve(worker, sa, segmentation->segment_bytes);
        (void)segmentation_write(segmentation, i, packet + sa->payload_offset + sa->prefix_bytes);
        seal_inner(worker, sa, transform, packet, inner_bytes, facts->flow.version, fields);
    }
}

/* The IP header's own fields go to the outer header; its options and extensions cannot, and neither can fragments. */
static void outbound_transport(struct worker *worker, struct sa *sa, struct esp_sa *transform,
                               const struct segmentation *segmentation, const struct packet_facts *facts)
{
    struct outer_fields fields = {
        .traffic_class = facts->traffic_class,
        .hop_limit = facts->hop_limit,
        .dont_fragment = facts->dont_fragment,
    };

    if (facts->fragment || facts->extended || facts->flow.version != sa->version ||
        facts->flow.destination.high != sa->destination.high || facts->flow.destination.low != sa->destination.low) {
        count_drop(worker, OUT_STATE_MODE_ERROR);
        return;
    }
    for (uint32_t i = 0; i < segmentation->count; i++) {
        size_t inner_bytes = segmentation->count > 1 ? segmentation_bytes(segmentation, i) : facts->length;
        size_t payload_bytes = inner_bytes - facts->header_bytes;
        uint8_t *packet;

        (void)segmentation_write(segmentation, i, worker->segment_buffer);
        if (fields.dont_fragment &&
            sa_outer_bytes(sa) + esp_packet_bytes(&sa->suite, payload_bytes) > sa->path_mtu_bytes) {
            struct packet_facts segment = *facts;

            segment.length = (uint32_t)inner_bytes;
            tell_too_big(worker, worker->segment_buffer, &segment, sa->inner_mtu_bytes + facts->header_bytes);
            continue;
        }
        packet = reserve(worker, sa, payload_bytes);
        memcpy(packet + sa->payload_offset, worker->segment_buffer + facts->header_bytes, payload_bytes);
        seal(worker, sa, transform, packet, payload_bytes, inner_bytes, facts->flow.protocol, fields);
    }
}

/* One packet as it was read, with what stood before it. */
static void outbound_packet(struct worker *worker, const struct vnet_header *vnet, const uint8_t *packet, size_t length)
{
    struct segmentation segmentation;
    struct packet_facts facts;
    struct esp_sa *transform; /* NULL with intel-ipsec-mb */
    struct sa *sa;

    if (!packet_parse(packet, length, &facts) ||
        segmentation_begin(&segmentation, vnet, packet, length) != SEGMENTATION_OK ||
        segmentation.segment_bytes > PACKET_BYTES_MAXIMUM) {
        count_drop(worker, OUT_ERROR);
        return;
    }
    sa = find_sa(worker, &facts.flow);
    if (sa == NULL)
        return;
    transform = sa->mb == NULL ? worker_transform(worker, sa) : NULL;
    if (transform == NULL && sa->mb == NULL)
        count_drop(worker, OUT_ERROR);
    else if (sa->mode == MODE_TUNNEL || sa->layering != LAYERING_NONE)
        outbound_tunnel(worker, sa, transform, &segmentation, &facts);
    else
        outbound_transport(worker, sa, transform, &segmentation, &facts);
}

size_t outbound_burst(struct worker *worker)
{
    uint32_t header_bytes = worker->plane->vnet_header_bytes;
    size_t count = 0, bytes = 0;

    while (count < READS_MAXIMUM && bytes < BURST_BYTES) {
        struct vnet_header vnet;
        ssize_t length = read(worker->queue.tun, worker->tun_buffer, TUN_BUFFER_BYTES);

        worker->statistics.tun_reads++;
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            break;
        end_part(worker, CPU_TUN);
        count++;
        bytes += (size_t)length;
        if ((size_t)length <= header_bytes) {
            count_drop(worker, OUT_ERROR);
            continue;
        }
        memset(&vnet, 0, sizeof vnet);
        if (header_bytes >= VNET_HEADER_BYTES)
            memcpy(&vnet, worker->tun_buffer, VNET_HEADER_BYTES);
        outbound_packet(worker, &vnet, worker->tun_buffer + header_bytes, (size_t)length - header_bytes);
        end_part(worker, CPU_CRYPTO);
    }
    send_flush(worker);
    return count;
}
