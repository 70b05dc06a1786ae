/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink that merely counts what passes a device: a ring that the kernel fills (TPACKET_V3), the first octets of each
 * packet only, and the header in front, so that the segments of super packets are counted too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "big_endian.h"
#include "clock.h"
#include "internet_headers.h"
#include "traffic_sockets.h"
#include "vnet_header.h"

enum { BLOCK_BYTES = 1 << 18, BLOCKS = 32, FRAME_BYTES = 2048, SNAP_BYTES = 128, RETIRE_MS = 20, WAIT_MS = 50 };

struct device_sink {
    int socket;
    uint8_t *ring;
    uint32_t block;     /* the next one */
    uint32_t protocol;  /* 0: any */
    uint16_t port;      /* destination, 0: any */
    bool outgoing;
};

static void destroy(void *state)
{
    struct device_sink *sink = state;

    if (sink->ring != NULL)
        (void)munmap(sink->ring, (size_t)BLOCK_BYTES * BLOCKS);
    if (sink->socket >= 0)
        (void)close(sink->socket);
    free(sink);
}

static bool make_ring(struct device_sink *sink, struct failure *failure)
{
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = BLOCKS,
        .tp_frame_size = FRAME_BYTES,
        .tp_frame_nr = BLOCK_BYTES / FRAME_BYTES * BLOCKS,
        .tp_retire_blk_tov = RETIRE_MS,
    };
    struct sock_filter keep_little = BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES);
    struct sock_fprog program = {1, &keep_little};
    int version = TPACKET_V3, yes = 1;
    void *ring;

    if (setsockopt(sink->socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(sink->socket, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) != 0 ||
        setsockopt(sink->socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        setsockopt(sink->socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
        return fail(failure, FAILURE_FAILED, "no ring of packets: %s", strerror(errno));
    ring = mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, sink->socket, 0);
    if (ring == MAP_FAILED)
        return fail(failure, FAILURE_MEMORY, "no memory for a ring of packets: %s", strerror(errno));
    sink->ring = ring;
    return true;
}

static void *open_sink(const struct traffic_settings *settings, const struct json_document *document,
                       struct failure *failure)
{
    struct device_sink *sink = calloc(1, sizeof *sink);
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    bool is_ethernet;

    (void)document;
    if (sink == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a sink");
        return NULL;
    }
    sink->protocol = settings->protocol;
    sink->port = settings->port;
    sink->outgoing = settings->outgoing;
    sink->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* SOCK_DGRAM has no header in front */
    if (sink->socket < 0) {
        (void)fail(failure, FAILURE_FAILED, "no packet socket: %s%s", strerror(errno),
                   errno == EPERM ? "; it needs CAP_NET_RAW" : "");
        free(sink);
        return NULL;
    }
    place.sll_ifindex = traffic_device(sink->socket, settings->device, &is_ethernet, failure);
    if (place.sll_ifindex == 0 || !make_ring(sink, failure)) {
        destroy(sink);
        return NULL;
    }
    if (bind(sink->socket, (const struct sockaddr *)&place, sizeof place) != 0) {
        (void)fail(failure, FAILURE_FAILED, "cannot watch '%s': %s", settings->device, strerror(errno));
        destroy(sink);
        return NULL;
    }
    return sink;
}

/* The headers in front of the payload of one segment, and whether the packet is one that is to be counted. */
static bool is_counted(const struct device_sink *sink, const uint8_t *packet, uint32_t length, uint32_t *header_bytes)
{
    uint32_t network;
    uint8_t protocol;

    if (length >= IPV4_HEADER_BYTES && packet[0] >> 4 == 4) {
        network = (uint32_t)(packet[0] & 15) * 4;
        protocol = packet[IPV4_PROTOCOL];
    } else if (length >= IPV6_HEADER_BYTES && packet[0] >> 4 == 6) {
        network = IPV6_HEADER_BYTES;
        protocol = packet[IPV6_NEXT_HEADER];
    } else {
        return sink->protocol == 0 && sink->port == 0;
    }
    *header_bytes = network + UDP_HEADER_BYTES;
    if (protocol == NEXT_HEADER_TCP && length >= network + TCP_HEADER_BYTES)
        *header_bytes = network + (uint32_t)(packet[network + TCP_DATA_OFFSET] >> 4) * 4;
    if (sink->protocol != 0 && protocol != sink->protocol)
        return false;
    return sink->port == 0 || ((protocol == NEXT_HEADER_TCP || protocol == NEXT_HEADER_UDP) && length >= network + 4 &&
                               read_be16(packet + network + 2) == sink->port);
}

static void count_frame(const struct device_sink *sink, const uint8_t *frame, struct traffic_progress *progress)
{
    struct tpacket3_hdr header;
    struct sockaddr_ll from;
    struct vnet_header vnet;
    uint32_t header_bytes = 0, segments = 1, link, length;

    memcpy(&header, frame, sizeof header);
    link = (uint32_t)header.tp_net - header.tp_mac;
    if (header.tp_net < header.tp_mac || header.tp_snaplen < link)
        return;
    length = header.tp_len - link;
    memcpy(&from, frame + TPACKET_ALIGN(sizeof header), sizeof from);
    if (!sink->outgoing && from.sll_pkttype == PACKET_OUTGOING)
        return;
    if (!is_counted(sink, frame + header.tp_net, header.tp_snaplen - link, &header_bytes))
        return;
    memcpy(&vnet, frame + header.tp_mac - VNET_HEADER_BYTES, sizeof vnet);
    if (vnet.gso_type != VNET_GSO_NONE && vnet.segment_bytes > 0 && length > header_bytes)
        segments = (length - header_bytes + vnet.segment_bytes - 1) / vnet.segment_bytes;
    progress->packets += segments;
    progress->bytes += length + (segments - 1) * header_bytes;
}

/* Counts a block that is full, or was closed because nothing more came. */
static void count_block(const struct device_sink *sink, const struct tpacket_block_desc *block,
                        struct traffic_progress *progress)
{
    const uint8_t *frame = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        uint32_t next;

        count_frame(sink, frame, progress);
        memcpy(&next, frame + offsetof(struct tpacket3_hdr, tp_next_offset), sizeof next);
        frame += next;
    }
}

/* Packets for which there was no room; reading sets the kernel's count back. */
static uint32_t lost_packets(const struct device_sink *sink)
{
    struct tpacket_stats_v3 statistics;
    socklen_t length = sizeof statistics;

    if (getsockopt(sink->socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) != 0)
        return 0;
    return statistics.tp_drops;
}

static void run(struct traffic_end *end)
{
    struct device_sink *sink = end->state;
    uint64_t cpu = thread_cpu_ns();

    while (!atomic_load_explicit(&end->stop, memory_order_relaxed)) {
        void *place = sink->ring + (size_t)sink->block * BLOCK_BYTES;
        struct tpacket_block_desc *block = place;
        uint32_t *status = &block->hdr.bh1.block_status;
        struct pollfd waiting = {.fd = sink->socket, .events = POLLIN | POLLERR};
        uint64_t now, spent;

        if ((__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) {
            (void)poll(&waiting, 1, WAIT_MS);
            continue;
        }
        now = traffic_now_ns();
        spent = thread_cpu_ns();
        (void)pthread_mutex_lock(&end->mutex);
        if (end->progress.packets == 0)
            end->progress.started_ns = now;
        count_block(sink, block, &end->progress);
        end->progress.ended_ns = now;
        end->progress.cpu_ns += spent - cpu;
        end->progress.calls++;
        end->progress.dropped += lost_packets(sink);
        (void)pthread_mutex_unlock(&end->mutex);
        cpu = spent;
        __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        sink->block = (sink->block + 1) % BLOCKS;
    }
}

const struct traffic_kind traffic_sink_device = {
    .name = "device", .open = open_sink, .run = run, .destroy = destroy};
