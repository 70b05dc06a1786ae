/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_esp_ring.h"

#include <stdlib.h>

#include "hex.h"
#include "internet_checksum.h"
#include "internet_headers.h"
#include "random_octets.h"

enum { NEXT_HEADER_IPV4 = 4, NEXT_HEADER_IPV6 = 41, MALFORMED_BYTES_MAXIMUM = 1400 };

#define RING_BYTES_MAXIMUM (UINT64_C(1) << 30)

static uint64_t next_random(struct esp_ring *ring)
{
    ring->random ^= ring->random << 13;
    ring->random ^= ring->random >> 7;
    ring->random ^= ring->random << 17;
    return ring->random;
}

static void fill_random(struct esp_ring *ring, uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = next_random(ring);

        memcpy(octets + i, &word, length - i < 8 ? length - i : 8);
    }
}

/* An inner packet of the sequence, with whole checksums, as a host would have sent it. */
static void write_inner(struct esp_ring *ring, uint8_t *packet)
{
    struct packet_unit unit;
    uint32_t header;
    uint8_t *udp;

    packet_sequence_next(&ring->sequence, &unit);
    header = packet_write_headers(packet, &ring->sequence.packets, unit.flow, unit.payload_bytes);
    packet_sequence_write(&ring->sequence, &unit, packet + header, 1, 0);
    memset(packet + header + PAYLOAD_HEADER_BYTES, PAYLOAD_FILLER, unit.payload_bytes - PAYLOAD_HEADER_BYTES);
    udp = packet + header - UDP_HEADER_BYTES;
    checksum_store_not_zero(udp + UDP_CHECKSUM, checksum_of(udp, UDP_HEADER_BYTES + (size_t)unit.payload_bytes));
}

/* Sealed in its place: the packets lie end to end. */
static bool renew_sealed(struct esp_ring *ring, uint32_t index)
{
    uint8_t *packet = esp_ring_packet(ring, index);
    bool is_ipv4 = ring->sequence.packets.destination.version == 4;
    size_t length;

    write_inner(ring, packet + ring->sa.payload_offset);
    ring->sa.sequence = ring->number - 1;
    return esp_outbound(&ring->sa, packet, ring->sequence.class_bytes[0],
                        is_ipv4 ? NEXT_HEADER_IPV4 : NEXT_HEADER_IPV6, &length) == ESP_OK &&
           length == ring->stride;
}

static void renew_forged(struct esp_ring *ring, uint32_t index)
{
    uint8_t *packet = esp_ring_packet(ring, index);

    write_be32(packet, ring->spi);
    write_be32(packet + 4, (uint32_t)ring->number);
    /* A few octets of the ICV are enough to make it another forgery. */
    fill_random(ring, packet + ring->stride - 8, 8);
}

/* What is wrong with the packet, by turns. Nothing with SPI 0, which would be IKE's (RFC 3948 section 2.2). */
static void renew_malformed(struct esp_ring *ring, uint32_t index)
{
    static const uint16_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 20, 24, 28, 33, 47, 61, 101, 1399};
    uint8_t *packet = esp_ring_packet(ring, index);
    uint32_t length = lengths[index % (sizeof lengths / sizeof lengths[0])];
    uint32_t spi = ring->spi;

    fill_random(ring, packet, length);
    if (index / 20 % 4 == 1)
        spi = 1 + (uint32_t)(next_random(ring) % 255); /* reserved (RFC 4303 section 2.1) */
    else if (index / 20 % 4 == 2)
        spi = (uint32_t)next_random(ring) | 1U << 31; /* most likely nobody's */
    if (length >= 8) {
        write_be32(packet, spi);
        write_be32(packet + 4, index / 20 % 4 == 3 ? 0 : (uint32_t)ring->number);
    }
    if (length >= 4 && read_be32(packet) == 0)
        packet[0] = 0xA5;
    ring->lengths[index] = length;
}

bool esp_ring_renew(struct esp_ring *ring, uint32_t index)
{
    switch ((enum esp_packets)ring->kind) {
    case PACKETS_SEALED:
        if (!renew_sealed(ring, index))
            return false;
        break;
    case PACKETS_FORGED:
        renew_forged(ring, index);
        break;
    case PACKETS_MALFORMED:
        renew_malformed(ring, index);
        break;
    case PACKETS_GIVEN:
        return true;
    }
    ring->number++;
    return true;
}

void esp_ring_destroy(struct esp_ring *ring)
{
    free(ring->octets);
    free(ring->lengths);
    esp_sa_destroy(&ring->sa);
    iv_source_destroy(&ring->iv_source);
    ring->octets = NULL;
    ring->lengths = NULL;
}

static bool find_suite(const char *name, struct esp_suite *suite, struct failure *failure)
{
    char candidate[64];

    for (size_t i = 0; name != NULL && i < esp_suite_count(); i++) {
        *suite = esp_suite_at(i);
        esp_suite_name(suite, candidate, sizeof candidate);
        if (strcmp(candidate, name) == 0)
            return true;
    }
    return fail(failure, FAILURE_USAGE, "suite: there is no suite '%.40s'", name != NULL ? name : "");
}

static bool make_sa(struct esp_ring *ring, const struct traffic_settings *settings, struct failure *failure)
{
    const struct symmetric_provider *provider = &symmetric_libcrypto;
    struct esp_sa_parameters parameters = {.outbound = true, .spi = settings->spi, .esn = settings->esn};
    size_t cipher_key, mac_key;

    if (!find_suite(settings->suite, &parameters.suite, failure))
        return false;
    cipher_key = (size_t)parameters.suite.cipher->key_bytes + parameters.suite.cipher->salt_bytes;
    mac_key = parameters.suite.mac != NULL ? parameters.suite.mac->key_bytes : 0;
    if (settings->encryption_key.length != cipher_key)
        return fail(failure, FAILURE_USAGE, "encryption_key: must have %zu octets", cipher_key);
    if (settings->integrity_key.length != mac_key)
        return fail(failure, FAILURE_USAGE, "integrity_key: must have %zu octets", mac_key);
    if (!provider->ready(failure) || !provider->offers_cipher(parameters.suite.cipher, failure) ||
        (parameters.suite.mac != NULL && !provider->offers_mac(parameters.suite.mac, failure)))
        return false;
    if (!provider->offers_cipher(cipher_algorithm_find("aes128ctr"), failure)) /* for IVs */
        return false;
    if (!random_octets(ring->keystream_key, sizeof ring->keystream_key, failure))
        return false;
    if (!iv_source_create(&ring->iv_source, provider, ring->keystream_key, failure))
        return false;
    parameters.encryption_key = settings->encryption_key.data;
    parameters.integrity_key = settings->integrity_key.data;
    parameters.iv_source = &ring->iv_source;
    return esp_sa_create(&ring->sa, provider, &parameters, failure);
}

static bool allocate(struct esp_ring *ring, bool with_lengths, struct failure *failure)
{
    uint64_t bytes = (uint64_t)ring->count * ring->stride;

    if (bytes > RING_BYTES_MAXIMUM)
        return fail(failure, FAILURE_USAGE, "prepared_packets: %u packets of %u octets are more than 1 GB", ring->count,
                    ring->stride);
    ring->octets = malloc((size_t)bytes + ESP_OVERHEAD_MAXIMUM);
    if (with_lengths)
        ring->lengths = calloc(ring->count, sizeof *ring->lengths);
    if (ring->octets == NULL || (with_lengths && ring->lengths == NULL))
        return fail(failure, FAILURE_MEMORY, "no memory for %u packets", ring->count);
    return true;
}

static bool prepare(struct esp_ring *ring, struct failure *failure)
{
    for (uint32_t i = 0; i < ring->count; i++) {
        if (!esp_ring_renew(ring, i))
            return fail(failure, FAILURE_FAILED, "packet %u cannot be sealed", i);
    }
    return true;
}

/* Packets as they were given, in hexadecimal. */
static bool take_given(struct esp_ring *ring, uint32_t node, const struct json_document *document,
                       struct failure *failure)
{
    const struct json_node *nodes = document->nodes;
    uint32_t number = 0;

    if (node == 0 || nodes[node].type != JSON_ARRAY || nodes[node].end == node + 1)
        return fail(failure, FAILURE_USAGE, "octets: must be an array of strings");
    ring->count = 0;
    ring->stride = 1;
    for (uint32_t i = node + 1; i < nodes[node].end; i++) {
        if (nodes[i].type != JSON_STRING || nodes[i].length % 2 != 0 || nodes[i].length == 0)
            return fail(failure, FAILURE_USAGE, "octets: must be strings of hexadecimal digits, two for each octet");
        ring->count++;
        if (nodes[i].length / 2 > ring->stride)
            ring->stride = (uint32_t)(nodes[i].length / 2);
    }
    if (!allocate(ring, true, failure))
        return false;
    for (uint32_t i = node + 1; i < nodes[node].end; i++, number++) {
        if (!hex_decode(nodes[i].text, nodes[i].length, esp_ring_packet(ring, number), ring->stride))
            return fail(failure, FAILURE_USAGE, "octets: must be strings of hexadecimal digits, two for each octet");
        ring->lengths[number] = (uint32_t)(nodes[i].length / 2);
    }
    return true;
}

bool esp_ring_create(struct esp_ring *ring, const struct traffic_settings *settings,
                     const struct json_document *document, struct failure *failure)
{
    bool good;

    memset(ring, 0, sizeof *ring);
    ring->kind = settings->esp_packets;
    ring->count = settings->prepared_packets;
    ring->spi = settings->spi;
    ring->number = settings->sequence;
    ring->random = UINT64_C(0x2545F4914F6CDD1D);
    packet_sequence_begin(&ring->sequence, &settings->packets);
    if (ring->kind == PACKETS_SEALED) {
        good = settings->packets.mix == 0 ||
               fail(failure, FAILURE_USAGE, "mix: packets that are sealed are of one size: give size_bytes");
        good = good && make_sa(ring, settings, failure);
        if (good)
            ring->stride = (uint32_t)esp_packet_bytes(&ring->sa.suite, ring->sequence.class_bytes[0]);
        good = good && allocate(ring, false, failure) && prepare(ring, failure);
    } else if (ring->kind == PACKETS_FORGED) {
        ring->stride = settings->packets.size_bytes;
        good = (ring->stride >= 44 && settings->packets.mix == 0) ||
               fail(failure, FAILURE_USAGE, "size_bytes: of an ESP packet, 44 or more");
        good = good && allocate(ring, false, failure);
        if (good)
            fill_random(ring, ring->octets, (size_t)ring->count * ring->stride);
        good = good && prepare(ring, failure);
    } else if (ring->kind == PACKETS_MALFORMED) {
        ring->stride = MALFORMED_BYTES_MAXIMUM;
        good = allocate(ring, true, failure) && prepare(ring, failure);
    } else {
        good = take_given(ring, settings->given, document, failure);
    }
    if (!good)
        esp_ring_destroy(ring);
    return good;
}
