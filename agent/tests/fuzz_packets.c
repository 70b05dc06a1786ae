/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: octets as a packet with a header in front, cut into segments; and as a burst of packets, joined and
 * cut again. Not only must nothing go wrong: each side is the other's oracle.
 *
 *     make -C agent fuzz CLANG=clang && agent/build/fuzz-packets -max_len=8192
 */
#include "coalescing.h"
#include "internet_packets.h"
#include "segmentation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void cut(const uint8_t *data, size_t size)
{
    struct vnet_header vnet;
    struct segmentation segmentation;
    size_t payload = 0, length = size - sizeof vnet;
    uint8_t *packet = exact_memory(length);

    memcpy(&vnet, data, sizeof vnet);
    memcpy(packet, data + sizeof vnet, length);
    if (segmentation_begin(&segmentation, &vnet, packet, length) == SEGMENTATION_OK) {
        for (uint32_t i = 0; i < segmentation.count; i++) {
            size_t bytes = segmentation_bytes(&segmentation, i);
            uint8_t *segment = exact_memory(bytes);

            must(segmentation_write(&segmentation, i, segment) == bytes && bytes <= segmentation.segment_bytes);
            if (segmentation.header_bytes > 0)
                must(transport_sum_of(segment, bytes, segmentation.network_bytes, segmentation.is_tcp ? 6 : 17) ==
                     0xffff);
            payload += bytes - segmentation.header_bytes;
            free(segment);
        }
        must(payload == segmentation.payload_bytes);
    }
    free(packet);
}

enum { PACKETS = 64 };

struct packets {
    uint8_t *added[PACKETS], *before[PACKETS];
    size_t length[PACKETS];
    size_t count;
};

/* Adds what the input says: two octets of length, the octets; every other TCP packet gets right checksums. */
static void add_all(struct coalescing *coalescing, struct packets *packets, const uint8_t *data, size_t size)
{
    while (size > 2 && packets->count < PACKETS) {
        size_t length = (size_t)(data[0] & 7) << 8 | data[1], number = packets->count;
        bool finish = data[0] & 8;

        length = length < size - 2 ? length : size - 2;
        packets->added[number] = exact_memory(length);
        memcpy(packets->added[number], data + 2, length);
        if (finish && length >= 40 && packets->added[number][0] == 0x45 && packets->added[number][9] == 6) {
            put16(packets->added[number] + 2, length);
            put16(packets->added[number] + 10, 0);
            put16(packets->added[number] + 10, 0xffff - plain_sum(0, packets->added[number], 20));
            put16(packets->added[number] + 36, 0);
            put16(packets->added[number] + 36, 0xffff - transport_sum_of(packets->added[number], length, 20, 6));
        }
        packets->before[number] = exact_memory(length);
        memcpy(packets->before[number], packets->added[number], length);
        packets->length[number] = length;
        must(coalescing_add(coalescing, packets->added[number], length));
        packets->count++;
        data += 2 + length;
        size -= 2 + length;
    }
}

/* One of the packets that were added, not seen before, has these octets; with DF set the identification may differ. */
static void must_have_been_added(struct packets *packets, const uint8_t *segment, size_t length)
{
    for (size_t i = 0; i < packets->count; i++) {
        uint8_t *before = packets->before[i];

        if (before == NULL || packets->length[i] != length)
            continue;
        if (length >= 20 && before[0] == 0x45 && before[6] & 0x40 && memcmp(before + 4, segment + 4, 2) != 0) {
            memcpy(before + 4, segment + 4, 2);
            put16(before + 10, 0);
            put16(before + 10, 0xffff - plain_sum(0, before, 20));
        }
        if (memcmp(before, segment, length) == 0) {
            free(before);
            packets->before[i] = NULL;
            return;
        }
    }
    abort();
}

static void join(const uint8_t *data, size_t size)
{
    static struct coalescing coalescing;
    static uint8_t gathered[65536 + 64], segment[65536];
    struct iovec pieces[COALESCING_PIECES_MAXIMUM];
    struct packets packets = {.count = 0};
    size_t count;

    coalescing_initialise(&coalescing, data[0] & 3);
    add_all(&coalescing, &packets, data + 1, size - 1);
    while ((count = coalescing_take(&coalescing, pieces)) != 0) {
        struct segmentation segmentation;
        struct vnet_header vnet;
        size_t length = 0;

        memcpy(&vnet, pieces[0].iov_base, sizeof vnet);
        for (size_t i = 1; i < count; i++) {
            must(length + pieces[i].iov_len <= 65535);
            memcpy(gathered + length, pieces[i].iov_base, pieces[i].iov_len);
            length += pieces[i].iov_len;
        }
        must(segmentation_begin(&segmentation, &vnet, gathered, length) == SEGMENTATION_OK);
        for (uint32_t i = 0; i < segmentation.count; i++)
            must_have_been_added(&packets, segment, segmentation_write(&segmentation, i, segment));
    }
    for (size_t i = 0; i < packets.count; i++) {
        free(packets.added[i]);
        free(packets.before[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + sizeof(struct vnet_header) || size > 65536)
        return 0;
    if (data[0] & 0x80)
        cut(data + 1, size - 1);
    else
        join(data, size);
    return 0;
}
