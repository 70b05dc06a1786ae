/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source of ESP packets, over UDP (RFC 3948) or as protocol 50, as a peer or an attacker would send them: sealed with
 * the keys of an SA, sent again and again, forged, malformed. They are prepared in memory, so that sending costs little:
 * over UDP those of equal length leave by UDP_SEGMENT, without being copied here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "internet_headers.h"
#include "traffic_esp_ring.h"
#include "traffic_messages.h"
#include "traffic_sockets.h"

enum { UDP_PAYLOAD_BYTES_MAXIMUM = 65507, DEFAULT_PORT = 4500 };

struct esp_source {
    struct esp_ring ring;
    int socket;
    bool wait;
    bool used;               /* some of the ring has been sent */
    uint32_t next;           /* packet of the ring */
    uint32_t segments;       /* packets in one message */
    uint32_t batch_size;
    uint32_t overhead_bytes; /* outer headers */
    struct message_batch batch;
};

static void destroy(void *state)
{
    struct esp_source *source = state;

    if (source->socket >= 0)
        (void)close(source->socket);
    esp_ring_destroy(&source->ring);
    free(source);
}

static bool open_socket(struct esp_source *source, const struct traffic_settings *settings, struct failure *failure)
{
    uint8_t version = settings->outer_destination.version;
    bool over_udp = settings->transport == TRANSPORT_UDP;
    uint16_t port = settings->outer_destination_port != 0 ? settings->outer_destination_port : DEFAULT_PORT;

    if (version == 0)
        return fail(failure, FAILURE_USAGE, "outer_destination: missing");
    if (settings->outer_source.version != 0 && settings->outer_source.version != version)
        return fail(failure, FAILURE_USAGE, "outer_source: not of the same IP version as the destination");
    source->overhead_bytes = version == 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    source->overhead_bytes += over_udp ? UDP_HEADER_BYTES : 0;
    source->socket = traffic_socket(version, over_udp ? SOCK_DGRAM : SOCK_RAW, over_udp ? IPPROTO_UDP : NEXT_HEADER_ESP,
                                    failure);
    if (source->socket < 0)
        return false;
    socket_set_buffer(source->socket, SO_SNDBUF, SO_SNDBUFFORCE, TRAFFIC_BUFFER_BYTES);
    traffic_receive_nothing(source->socket);
    traffic_set_fragmentation(source->socket, version, false);
    if ((settings->outer_source.version != 0 || settings->outer_source_port != 0) &&
        !traffic_bind(source->socket, version, &settings->outer_source, over_udp ? settings->outer_source_port : 0,
                      failure))
        return false;
    return traffic_connect(source->socket, &settings->outer_destination, over_udp ? port : 0, failure);
}

static void *open_source(const struct traffic_settings *settings, const struct json_document *document,
                         struct failure *failure)
{
    struct esp_source *source = calloc(1, sizeof *source);

    if (source == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a source");
        return NULL;
    }
    source->socket = -1;
    source->wait = settings->wait;
    if (!esp_ring_create(&source->ring, settings, document, failure)) {
        free(source);
        return NULL;
    }
    source->segments = 1;
    if (settings->transport == TRANSPORT_UDP && source->ring.lengths == NULL)
        source->segments = settings->packets.segments;
    if (source->segments > UDP_PAYLOAD_BYTES_MAXIMUM / source->ring.stride)
        source->segments = UDP_PAYLOAD_BYTES_MAXIMUM / source->ring.stride;
    if (source->segments == 0)
        source->segments = 1;
    source->batch_size = message_batch_size(source->segments);
    if (!open_socket(source, settings, failure)) {
        destroy(source);
        return NULL;
    }
    return source;
}

/* Packets that lie side by side from the next one on; new ones, unless old ones are wanted or have not been sent yet. */
static uint32_t take_packets(struct esp_source *source, bool replay, uint32_t limit)
{
    struct esp_ring *ring = &source->ring;
    uint32_t count;

    if (source->next == ring->count) {
        source->next = 0;
        source->used = true;
    }
    count = ring->count - source->next < limit ? ring->count - source->next : limit;
    for (uint32_t i = 0; source->used && !replay && i < count; i++) {
        if (!esp_ring_renew(ring, source->next + i))
            return i;
    }
    return count;
}

static uint32_t send_some(struct traffic_end *end, uint32_t limit, struct traffic_progress *progress,
                          struct failure *failure)
{
    struct esp_source *source = end->state;
    struct esp_ring *ring = &source->ring;

    while (source->batch.count < source->batch_size && limit > 0) {
        uint32_t wanted = limit < source->segments ? limit : source->segments;
        uint32_t count, length, number;

        if (source->next == ring->count && source->batch.count > 0 && !end->plan.replay)
            break; /* what is in the batch must leave before it is made anew */
        count = take_packets(source, end->plan.replay, wanted);
        if (count == 0) {
            (void)fail(failure, FAILURE_FAILED, "no further packet can be sealed: the sequence numbers are used up");
            break;
        }
        length = esp_ring_length(ring, source->next);
        number = message_add(&source->batch, count, source->overhead_bytes + length,
                             esp_ring_packet(ring, source->next), (size_t)count * length, NULL, 0);
        if (count > 1)
            message_set_segment(&source->batch, number, (uint16_t)length);
        source->next += count;
        limit -= count;
    }
    if (source->batch.count == 0)
        return 0;
    return message_batch_send(&source->batch, source->socket, source->wait, end, progress, failure);
}

static void run(struct traffic_end *end)
{
    struct esp_source *source = end->state;

    traffic_run_paced(end, send_some, source->segments);
}

static void write_ring(FILE *stream, struct traffic_end *end, bool histogram)
{
    const struct esp_source *source = end->state;

    (void)histogram;
    fprintf(stream, ", \"prepared_packets\": %u, \"esp_bytes\": %u", source->ring.count, source->ring.stride);
}

const struct traffic_kind traffic_source_esp = {.name = "esp",
                                                .is_source = true,
                                                .open = open_source,
                                                .run = run,
                                                .write = write_ring,
                                                .destroy = destroy};
