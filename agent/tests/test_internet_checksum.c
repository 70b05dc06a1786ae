/* SPDX-License-Identifier: Apache-2.0 */
#include "internet_checksum.h"

#include "expect.h"
#include "internet_packets.h"

static uint32_t folded(uint64_t sum)
{
    uint8_t octets[2];

    checksum_store_sum(octets, sum);
    return (uint32_t)get16(octets);
}

/* Every length up to some thousand, at every alignment, summed and copied. */
static void agrees_with_the_plain_sum(void)
{
    uint64_t random = 1;
    bool sums = true, copies = true, inside = true;

    for (size_t length = 0; length <= 3000; length += length < 300 ? 1 : 97) {
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t *source = exact_memory(length + shift), *destination = exact_memory(length + shift + 4);
            uint32_t expected;

            for (size_t i = 0; i < length + shift; i++)
                source[i] = (uint8_t)next_random(&random);
            memset(destination, 0xA5, length + shift + 4);
            expected = plain_sum(0, source + shift, length);
            sums = sums && folded(checksum_of(source + shift, length)) == expected;
            copies = copies && folded(checksum_copy(destination + shift, source + shift, length)) == expected &&
                     memcmp(destination + shift, source + shift, length) == 0;
            for (size_t i = 0; i < 4; i++)
                inside = inside && destination[length + shift + i] == 0xA5;
            free(source);
            free(destination);
        }
    }
    EXPECT(sums);
    EXPECT(copies);
    EXPECT(inside);
}

static void loses_no_carry(void)
{
    static const size_t lengths[] = {1, 2, 3, 4, 64, 1499, 65534, 65535, 1048576};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *octets = exact_memory(lengths[i]);

        memset(octets, 0xFF, lengths[i]);
        EXPECT(folded(checksum_of(octets, lengths[i])) == plain_sum(0, octets, lengths[i]));
        memset(octets, 0, lengths[i]);
        EXPECT(checksum_of(octets, lengths[i]) == 0);
        free(octets);
    }
    EXPECT(checksum_fold(UINT64_MAX) == 0xFFFF);
    EXPECT(checksum_fold(UINT64_C(0xFFFFFFFF00000001)) == 1); /* ~0 + 1, twice around */
    EXPECT(checksum_fold(0) == 0);
}

/* The example of RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 have the sum ddf2. */
static void follows_the_rfc(void)
{
    static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t field[2];

    EXPECT(folded(checksum_of(octets, 8)) == 0xddf2);
    EXPECT(folded(checksum_of(octets, 6) + checksum_word(0xf6f7)) == 0xddf2);
    EXPECT(folded(checksum_load32(octets) + checksum_load16(octets + 4) + checksum_load16(octets + 6)) == 0xddf2);
    checksum_store(field, checksum_of(octets, 8));
    EXPECT(get16(field) == 0x220d);
    EXPECT(checksum_is_right(checksum_of(octets, 8) + checksum_load16(field)));
    EXPECT(!checksum_is_right(checksum_of(octets, 8)));
    checksum_store_not_zero(field, checksum_word(0xffff));
    EXPECT(get16(field) == 0xffff);
    checksum_store(field, checksum_word(0xffff));
    EXPECT(get16(field) == 0);
}

static void copies_onto_itself(void)
{
    uint8_t octets[77], before[77];
    uint64_t random = 3;

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)next_random(&random);
    memcpy(before, octets, sizeof octets);
    EXPECT(folded(checksum_copy(octets, octets, sizeof octets)) == plain_sum(0, before, sizeof before));
    EXPECT(memcmp(before, octets, sizeof octets) == 0);
}

int main(void)
{
    agrees_with_the_plain_sum();
    loses_no_carry();
    follows_the_rfc();
    copies_onto_itself();
    return expect_summary("Internet checksum");
}
