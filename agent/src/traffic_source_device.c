/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that puts packets onto a device through a packet socket, past the host's stack and the device's queueing
 * discipline. With segments, one call carries up to 64 packets as a super packet (PACKET_VNET_HDR), which costs the
 * generator less than any data plane needs for them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <unistd.h>

#include "traffic_messages.h"
#include "traffic_packets.h"
#include "traffic_sockets.h"
#include "internet_headers.h"
#include "vnet_header.h"

enum { MAC_BYTES = 6, ETHERNET_HEADER_BYTES = 14 };

/* What stands in front of the payloads of a message. */
struct device_headers {
    struct vnet_header vnet;
    uint8_t octets[ETHERNET_HEADER_BYTES + PACKET_HEADERS_MAXIMUM];
};

struct device_source {
    struct packet_sequence sequence;
    int socket;
    bool wait;
    uint32_t batch_size;
    uint32_t link_bytes;  /* of an Ethernet header; 0: none */
    uint8_t mac[MAC_BYTES];
    struct sockaddr_ll device;
    uint8_t *payloads[SIZE_CLASSES_MAXIMUM][MESSAGES_MAXIMUM];
    struct device_headers headers[MESSAGES_MAXIMUM];
    struct message_batch batch;
};

static void destroy(void *state)
{
    struct device_source *source = state;

    if (source->socket >= 0)
        (void)close(source->socket);
    for (size_t i = 0; i < SIZE_CLASSES_MAXIMUM; i++)
        free(source->payloads[i][0]);
    free(source);
}

static bool open_socket(struct device_source *source, const struct traffic_settings *settings, struct failure *failure)
{
    uint16_t protocol = htons(settings->packets.destination.version == 4 ? ETH_P_IP : ETH_P_IPV6);
    bool is_ethernet;
    int yes = 1;

    source->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: receives nothing */
    if (source->socket < 0)
        return fail(failure, FAILURE_FAILED, "no packet socket: %s%s", strerror(errno),
                    errno == EPERM ? "; it needs CAP_NET_RAW" : "");
    source->device = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = protocol};
    source->device.sll_ifindex = traffic_device(source->socket, settings->device, &is_ethernet, failure);
    if (source->device.sll_ifindex == 0)
        return false;
    if (is_ethernet && settings->mac.length != MAC_BYTES)
        return fail(failure, FAILURE_USAGE, "mac: '%s' is an Ethernet device and needs a destination of 12 digits",
                    settings->device);
    if (is_ethernet) {
        source->link_bytes = ETHERNET_HEADER_BYTES;
        memcpy(source->mac, settings->mac.data, MAC_BYTES);
    }
    if (setsockopt(source->socket, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) != 0)
        return fail(failure, FAILURE_FAILED, "no PACKET_VNET_HDR: %s", strerror(errno));
    /* What the kernel has to cut goes through the queueing discipline: past it, it would be dropped. */
    if (settings->packets.segments == 1 || traffic_device_cuts_udp(source->socket, settings->device))
        (void)setsockopt(source->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    socket_set_buffer(source->socket, SO_SNDBUF, SO_SNDBUFFORCE, TRAFFIC_BUFFER_BYTES);
    return true;
}

static void *open_source(const struct traffic_settings *settings, const struct json_document *document,
                         struct failure *failure)
{
    struct device_source *source = calloc(1, sizeof *source);

    (void)document;
    if (source == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a source");
        return NULL;
    }
    packet_sequence_begin(&source->sequence, &settings->packets);
    source->wait = settings->wait;
    source->batch_size = message_batch_size(settings->packets.segments);
    source->socket = -1;
    if (!traffic_allocate_payloads(&source->sequence, source->batch_size, source->payloads, failure) ||
        !open_socket(source, settings, failure)) {
        destroy(source);
        return NULL;
    }
    return source;
}

/* The headers of a message of `count` packets; returns their length, with the header in front. */
static size_t write_headers(struct device_source *source, struct device_headers *headers,
                            const struct packet_unit *unit, uint32_t count)
{
    uint32_t network = source->sequence.header_bytes - UDP_HEADER_BYTES;
    uint32_t bytes;

    if (source->link_bytes > 0) {
        memset(headers->octets, 0, ETHERNET_HEADER_BYTES);
        memcpy(headers->octets, source->mac, MAC_BYTES);
        memcpy(headers->octets + 12, &source->device.sll_protocol, 2);
    }
    bytes = packet_write_headers(headers->octets + source->link_bytes, &source->sequence.packets, unit->flow,
                                 count * unit->payload_bytes);
    headers->vnet = (struct vnet_header){
        .flags = VNET_NEEDS_CHECKSUM,
        .gso_type = count > 1 ? VNET_GSO_UDP : VNET_GSO_NONE,
        .header_bytes = (uint16_t)(source->link_bytes + bytes),
        .segment_bytes = count > 1 ? (uint16_t)unit->payload_bytes : 0,
        .checksum_start = (uint16_t)(source->link_bytes + network),
        .checksum_offset = UDP_CHECKSUM,
    };
    return VNET_HEADER_BYTES + (size_t)source->link_bytes + bytes;
}

static uint32_t send_some(struct traffic_end *end, uint32_t limit, struct traffic_progress *progress,
                          struct failure *failure)
{
    struct device_source *source = end->state;
    struct packet_sequence *sequence = &source->sequence;
    uint32_t segments = sequence->packets.segments;
    uint64_t now = traffic_now_ns();

    while (source->batch.count < source->batch_size && limit > 0) {
        uint32_t count = limit < segments ? limit : segments, slot = source->batch.count, number;
        struct device_headers *headers = &source->headers[slot];
        struct packet_unit unit;
        uint8_t *payloads;

        if (count < segments && slot > 0)
            break;
        packet_sequence_next(sequence, &unit);
        payloads = source->payloads[unit.size_class][slot];
        packet_sequence_write(sequence, &unit, payloads, count, now);
        number = message_add(&source->batch, count, sequence->class_bytes[unit.size_class], (uint8_t *)headers,
                             write_headers(source, headers, &unit, count), payloads,
                             (size_t)count * unit.payload_bytes);
        source->batch.headers[number].msg_hdr.msg_name = &source->device;
        source->batch.headers[number].msg_hdr.msg_namelen = sizeof source->device;
        limit -= count;
    }
    return message_batch_send(&source->batch, source->socket, source->wait, end, progress, failure);
}

static void run(struct traffic_end *end)
{
    struct device_source *source = end->state;

    if (end->plan.stream != STREAM_KEPT)
        packet_sequence_restart(&source->sequence, (uint8_t)end->plan.stream);
    traffic_run_paced(end, send_some, source->sequence.packets.segments);
}

const struct traffic_kind traffic_source_device = {
    .name = "device", .is_source = true, .open = open_source, .run = run, .destroy = destroy};
