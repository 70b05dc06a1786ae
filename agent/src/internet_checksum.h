/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071), made for whole packets.
 *
 * A sum is kept in 64 bits, of words in the order they have in memory: the one's complement sum does not care about
 * byte order as long as the result is stored as it was loaded (RFC 1071 section 2 B). Sums of several pieces may be
 * added when every piece but the last has an even number of octets. A sum may cover 2^31 octets.
 */
#ifndef IPSECBENCH_INTERNET_CHECKSUM_H
#define IPSECBENCH_INTERNET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The sum of some octets; an odd last one is followed by zero. */
uint64_t checksum_of(const uint8_t *data, size_t length);

/* The same, and copies the octets. The places do not overlap, or are the same. */
uint64_t checksum_copy(uint8_t *destination, const uint8_t *source, size_t length);

/* A 16-bit number of a header as part of a sum. */
static inline uint64_t checksum_word(uint32_t value)
{
    uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    uint16_t word;

    memcpy(&word, octets, sizeof word);
    return word;
}

/* Two octets of a header as part of a sum. */
static inline uint64_t checksum_load16(const uint8_t *octets)
{
    uint16_t word;

    memcpy(&word, octets, sizeof word);
    return word;
}

/* Four octets of a header. */
static inline uint64_t checksum_load32(const uint8_t *octets)
{
    uint32_t word;

    memcpy(&word, octets, sizeof word);
    return word;
}

/* An IPv4 header without options. */
static inline uint64_t checksum_ipv4_header(const uint8_t *header)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < 20; i += 4)
        sum += checksum_load32(header + i);
    return sum;
}

/* The 16-bit sum, not complemented; 0 only when nothing but zeros was summed. */
static inline uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)sum;
}

/* Stores a sum as it is: what a header holds when the rest has still to be added. */
static inline void checksum_store_sum(uint8_t *field, uint64_t sum)
{
    uint16_t folded = checksum_fold(sum);

    memcpy(field, &folded, sizeof folded);
}

/* Stores the checksum of a header: the complement. */
static inline void checksum_store(uint8_t *field, uint64_t sum)
{
    uint16_t complement = (uint16_t)~checksum_fold(sum);

    memcpy(field, &complement, sizeof complement);
}

/* The same for UDP, where 0 means that there is none (RFC 768). */
static inline void checksum_store_not_zero(uint8_t *field, uint64_t sum)
{
    uint16_t complement = (uint16_t)~checksum_fold(sum);

    if (complement == 0)
        complement = UINT16_MAX;
    memcpy(field, &complement, sizeof complement);
}

/* True when the sum covers octets together with their right checksum. */
static inline int checksum_is_right(uint64_t sum)
{
    return checksum_fold(sum) == UINT16_MAX;
}

/* The pseudo-header of RFC 9293 section 3.1, without the length; `addresses` are the two of the IPv4 header. */
static inline uint64_t checksum_pseudo_ipv4(const uint8_t *addresses, uint8_t protocol)
{
    return checksum_load32(addresses) + checksum_load32(addresses + 4) + checksum_word(protocol);
}

/* The pseudo-header of RFC 8200 section 8.1, without the length. */
static inline uint64_t checksum_pseudo_ipv6(const uint8_t *addresses, uint8_t protocol)
{
    uint64_t sum = checksum_word(protocol);

    for (size_t i = 0; i < 32; i += 4)
        sum += checksum_load32(addresses + i);
    return sum;
}

#endif
