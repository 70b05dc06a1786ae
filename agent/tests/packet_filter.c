/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmentation and coalescing as a filter, for tests in other languages. All numbers are big-endian.
 *
 * input:  'S', header in front (10 octets, the machine's byte order), packet         one packet to cut
 *         'J', what may be joined (1 octet), number of packets (2), that many packets one burst to join
 * output: 'S', result (1 octet), number of segments (4), segments
 *         'J', number of items (4), for each: header in front (10 octets), packet
 * A packet is its length (4 octets) and its octets.
 */
#include <stdio.h>

#include "coalescing.h"
#include "internet_packets.h"
#include "segmentation.h"

enum { LENGTH_MAXIMUM = 70000 };

static void read_exactly(void *octets, size_t length)
{
    if (length > 0 && fread(octets, 1, length, stdin) != length) {
        fputs("the input ends in the middle\n", stderr);
        exit(EXIT_FAILURE);
    }
}

static uint8_t *read_packet(size_t *length)
{
    uint8_t number[4], *packet;

    read_exactly(number, sizeof number);
    *length = get32(number);
    if (*length > LENGTH_MAXIMUM) {
        fputs("a packet is too long\n", stderr);
        exit(EXIT_FAILURE);
    }
    packet = exact_memory(*length);
    read_exactly(packet, *length);
    return packet;
}

static void write_number(size_t value)
{
    uint8_t number[4];

    put32(number, (uint32_t)value);
    (void)fwrite(number, 1, sizeof number, stdout);
}

static void cut(void)
{
    struct vnet_header vnet;
    struct segmentation segmentation;
    enum segmentation_result result;
    size_t length;
    uint8_t *packet;

    read_exactly(&vnet, sizeof vnet);
    packet = read_packet(&length);
    result = segmentation_begin(&segmentation, &vnet, packet, length);
    putchar('S');
    putchar(result);
    write_number(result == SEGMENTATION_OK ? segmentation.count : 0);
    for (uint32_t i = 0; result == SEGMENTATION_OK && i < segmentation.count; i++) {
        size_t bytes = segmentation_bytes(&segmentation, i);
        uint8_t *segment = exact_memory(bytes);

        write_number(segmentation_write(&segmentation, i, segment));
        (void)fwrite(segment, 1, bytes, stdout);
        free(segment);
    }
    free(packet);
}

static void join(void)
{
    static struct coalescing coalescing;
    static uint8_t *packets[COALESCING_PACKETS_MAXIMUM];
    struct iovec pieces[COALESCING_PIECES_MAXIMUM];
    uint8_t head[3];
    size_t count, number_of_pieces, length;

    read_exactly(head, sizeof head);
    count = get16(head + 1);
    coalescing_initialise(&coalescing, head[0]);
    for (size_t i = 0; i < count; i++) {
        packets[i] = read_packet(&length);
        if (!coalescing_add(&coalescing, packets[i], length))
            exit(EXIT_FAILURE);
    }
    putchar('J');
    write_number(coalescing.item_count);
    while ((number_of_pieces = coalescing_take(&coalescing, pieces)) != 0) {
        length = 0;
        for (size_t i = 1; i < number_of_pieces; i++)
            length += pieces[i].iov_len;
        (void)fwrite(pieces[0].iov_base, 1, pieces[0].iov_len, stdout);
        write_number(length);
        for (size_t i = 1; i < number_of_pieces; i++)
            (void)fwrite(pieces[i].iov_base, 1, pieces[i].iov_len, stdout);
    }
    for (size_t i = 0; i < count; i++)
        free(packets[i]);
}

int main(void)
{
    int kind;

    while ((kind = getchar()) != EOF) {
        if (kind == 'S')
            cut();
        else if (kind == 'J')
            join();
        else
            return EXIT_FAILURE;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
