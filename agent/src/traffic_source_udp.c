/* SPDX-License-Identifier: Apache-2.0 */
/* A source of UDP packets from a socket: the host's own stack makes the headers. With segments, by UDP_SEGMENT. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "traffic_messages.h"
#include "traffic_packets.h"
#include "traffic_sockets.h"

struct udp_source {
    struct packet_sequence sequence;
    int socket;
    bool wait;
    uint32_t batch_size;
    uint8_t *payloads[SIZE_CLASSES_MAXIMUM][MESSAGES_MAXIMUM];
    struct sockaddr_storage *addresses; /* of every flow; NULL: connected to the only one */
    socklen_t address_bytes;
    struct message_batch batch;
};

static void destroy(void *state)
{
    struct udp_source *source = state;

    if (source->socket >= 0)
        (void)close(source->socket);
    for (size_t i = 0; i < SIZE_CLASSES_MAXIMUM; i++)
        free(source->payloads[i][0]);
    free(source->addresses);
    free(source);
}

static bool open_socket(struct udp_source *source, const struct traffic_settings *settings, struct failure *failure)
{
    const struct traffic_packets *packets = &settings->packets;

    source->socket = traffic_socket(packets->destination.version, SOCK_DGRAM, IPPROTO_UDP, failure);
    if (source->socket < 0)
        return false;
    socket_set_buffer(source->socket, SO_SNDBUF, SO_SNDBUFFORCE, TRAFFIC_BUFFER_BYTES);
    traffic_set_fragmentation(source->socket, packets->destination.version, settings->dont_fragment);
    if ((packets->source.version != 0 || packets->source_port != 0) &&
        !traffic_bind(source->socket, packets->destination.version, &packets->source, packets->source_port, failure))
        return false;
    if (packets->flows == 1)
        return traffic_connect(source->socket, &packets->destination, packets->destination_port, failure);
    source->addresses = calloc(packets->flows, sizeof *source->addresses);
    if (source->addresses == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for %u flows", packets->flows);
    for (uint32_t flow = 0; flow < packets->flows; flow++) {
        struct flow_addresses addresses;
        struct traffic_address destination = {.version = packets->destination.version};

        flow_addresses_of(packets, flow, &addresses);
        memcpy(destination.octets, addresses.destination, sizeof destination.octets);
        source->address_bytes =
            traffic_socket_address(&destination, addresses.destination_port, &source->addresses[flow]);
    }
    return true;
}

static void *open_source(const struct traffic_settings *settings, const struct json_document *document,
                         struct failure *failure)
{
    struct udp_source *source = calloc(1, sizeof *source);

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

static uint32_t send_some(struct traffic_end *end, uint32_t limit, struct traffic_progress *progress,
                          struct failure *failure)
{
    struct udp_source *source = end->state;
    struct packet_sequence *sequence = &source->sequence;
    uint32_t segments = sequence->packets.segments;
    uint64_t now = traffic_now_ns();

    while (source->batch.count < source->batch_size && limit > 0) {
        uint32_t count = limit < segments ? limit : segments, number;
        struct packet_unit unit;
        uint8_t *payloads;

        if (count < segments && source->batch.count > 0)
            break; /* the rest of a unit comes later, or by itself at the end */
        packet_sequence_next(sequence, &unit);
        payloads = source->payloads[unit.size_class][source->batch.count];
        packet_sequence_write(sequence, &unit, payloads, count, now);
        number = message_add(&source->batch, count, sequence->class_bytes[unit.size_class], payloads,
                             (size_t)count * unit.payload_bytes, NULL, 0);
        if (count > 1)
            message_set_segment(&source->batch, number, (uint16_t)unit.payload_bytes);
        if (source->addresses != NULL) {
            source->batch.headers[number].msg_hdr.msg_name = &source->addresses[unit.flow];
            source->batch.headers[number].msg_hdr.msg_namelen = source->address_bytes;
        }
        limit -= count;
    }
    return message_batch_send(&source->batch, source->socket, source->wait, end, progress, failure);
}

static void run(struct traffic_end *end)
{
    struct udp_source *source = end->state;

    if (end->plan.stream != STREAM_KEPT)
        packet_sequence_restart(&source->sequence, (uint8_t)end->plan.stream);
    traffic_run_paced(end, send_some, source->sequence.packets.segments);
}

const struct traffic_kind traffic_source_udp = {
    .name = "udp", .is_source = true, .open = open_source, .run = run, .destroy = destroy};
