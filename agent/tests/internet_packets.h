/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for tests, made octet by octet, and a checksum of the plainest kind: nothing here is shared with what is
 * tested.
 */
#ifndef IPSECBENCH_INTERNET_PACKETS_H
#define IPSECBENCH_INTERNET_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct packet_recipe {
    int version;             /* 4 or 6 */
    int protocol;            /* 6 or 17 */
    uint16_t source_port, destination_port;
    uint32_t sequence, acknowledgment;
    uint8_t flags;
    uint16_t window, urgent;
    uint8_t tos, ttl;
    bool dont_fragment;
    uint16_t identification;
    size_t option_bytes;     /* TCP; a multiple of 4 */
    size_t extension_bytes;  /* IPv6 destination options; a multiple of 8 */
    size_t payload_bytes;
    uint8_t payload_start;   /* payload[i] = start + i */
};

static inline uint32_t plain_sum(uint32_t start, const uint8_t *data, size_t length)
{
    uint64_t sum = start;

    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

static inline void put16(uint8_t *place, size_t value)
{
    place[0] = (uint8_t)(value >> 8);
    place[1] = (uint8_t)value;
}

static inline size_t get16(const uint8_t *place)
{
    return (size_t)place[0] << 8 | place[1];
}

static inline void put32(uint8_t *place, uint32_t value)
{
    put16(place, value >> 16);
    put16(place + 2, value & 0xffff);
}

static inline uint32_t get32(const uint8_t *place)
{
    return (uint32_t)(get16(place) << 16 | get16(place + 2));
}

/* The sum of pseudo-header and transport part; 0xffff when the checksum in it is right. */
static inline uint32_t transport_sum_of(const uint8_t *packet, size_t length, size_t network_bytes, int protocol)
{
    uint8_t tail[4] = {0, (uint8_t)protocol, 0, 0};
    uint32_t sum;

    put16(tail + 2, length - network_bytes);
    sum = plain_sum(0, tail, 4);
    sum = packet[0] >> 4 == 4 ? plain_sum(sum, packet + 12, 8) : plain_sum(sum, packet + 8, 32);
    return plain_sum(sum, packet + network_bytes, length - network_bytes);
}

/* Sets the checksum of TCP or UDP; UDP sends 0 as 0xffff. */
static inline void finish_transport(uint8_t *packet, size_t length, size_t network_bytes, int protocol)
{
    uint8_t *checksum = packet + network_bytes + (protocol == 6 ? 16 : 6);
    uint32_t complement;

    put16(checksum, 0);
    complement = 0xffff - transport_sum_of(packet, length, network_bytes, protocol);
    put16(checksum, complement == 0 && protocol == 17 ? 0xffff : complement);
}

/* Writes a packet with right checksums and returns its length. */
static inline size_t make_packet(uint8_t *packet, const struct packet_recipe *recipe)
{
    size_t network = recipe->version == 4 ? 20 : 40 + recipe->extension_bytes;
    size_t header = network + (recipe->protocol == 6 ? 20 + recipe->option_bytes : 8);
    size_t length = header + recipe->payload_bytes;
    uint8_t *transport = packet + network;

    memset(packet, 0, header);
    if (recipe->version == 4) {
        packet[0] = 0x45;
        packet[1] = recipe->tos;
        put16(packet + 2, length);
        put16(packet + 4, recipe->identification);
        packet[6] = recipe->dont_fragment ? 0x40 : 0;
        packet[8] = recipe->ttl;
        packet[9] = (uint8_t)recipe->protocol;
        put32(packet + 12, 0x0a010001);
        put32(packet + 16, 0x0a020001);
        put16(packet + 10, 0xffff - plain_sum(0, packet, 20));
    } else {
        packet[0] = 0x60 | (uint8_t)(recipe->tos >> 4);
        packet[1] = (uint8_t)(recipe->tos << 4) | 0x0a; /* and some flow label */
        packet[2] = 0x12;
        put16(packet + 4, length - 40);
        packet[6] = recipe->extension_bytes > 0 ? 60 : (uint8_t)recipe->protocol;
        packet[7] = recipe->ttl;
        packet[8] = 0x20;
        packet[23] = 1;
        packet[24] = 0x20;
        packet[39] = 2;
        if (recipe->extension_bytes > 0) {
            packet[40] = (uint8_t)recipe->protocol;
            packet[41] = (uint8_t)(recipe->extension_bytes / 8 - 1);
            packet[42] = 1; /* PadN */
            packet[43] = (uint8_t)(recipe->extension_bytes - 4);
        }
    }
    put16(transport, recipe->source_port);
    put16(transport + 2, recipe->destination_port);
    if (recipe->protocol == 6) {
        put32(transport + 4, recipe->sequence);
        put32(transport + 8, recipe->acknowledgment);
        transport[12] = (uint8_t)((20 + recipe->option_bytes) / 4 << 4);
        transport[13] = recipe->flags;
        put16(transport + 14, recipe->window);
        put16(transport + 18, recipe->urgent);
        for (size_t i = 0; i < recipe->option_bytes; i++)
            transport[20 + i] = (uint8_t)(0x40 + i);
    } else {
        put16(transport + 4, length - network);
    }
    for (size_t i = 0; i < recipe->payload_bytes; i++)
        packet[header + i] = (uint8_t)(recipe->payload_start + i + i / 256);
    finish_transport(packet, length, network, recipe->protocol);
    return length;
}

/* Pseudo-random numbers, the same in every run. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Memory of exactly this size, so that a step beyond it is seen by the sanitizers. */
static inline uint8_t *exact_memory(size_t length)
{
    uint8_t *memory = malloc(length > 0 ? length : 1);

    if (memory == NULL)
        abort();
    return memory;
}

#endif
