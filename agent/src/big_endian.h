/* SPDX-License-Identifier: Apache-2.0 */
/* Network byte order, octet by octet: right on every machine and at every address. */
#ifndef IPSECBENCH_BIG_ENDIAN_H
#define IPSECBENCH_BIG_ENDIAN_H

#include <stdint.h>

static inline uint16_t read_be16(const uint8_t *octets)
{
    return (uint16_t)(octets[0] << 8 | octets[1]);
}

static inline void write_be16(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

static inline uint32_t read_be32(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static inline void write_be32(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 24);
    octets[1] = (uint8_t)(value >> 16);
    octets[2] = (uint8_t)(value >> 8);
    octets[3] = (uint8_t)value;
}

static inline void write_be64(uint8_t *octets, uint64_t value)
{
    /* Written out so that a compiler sees that it is one store. */
    octets[0] = (uint8_t)(value >> 56);
    octets[1] = (uint8_t)(value >> 48);
    octets[2] = (uint8_t)(value >> 40);
    octets[3] = (uint8_t)(value >> 32);
    octets[4] = (uint8_t)(value >> 24);
    octets[5] = (uint8_t)(value >> 16);
    octets[6] = (uint8_t)(value >> 8);
    octets[7] = (uint8_t)value;
}

#endif
