/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and data for measurements: the same in every run, without structure, and secret from nobody. */
#ifndef IPSECBENCH_TEST_OCTETS_H
#define IPSECBENCH_TEST_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/* xorshift64 (Marsaglia, 2003); `seed` is not 0. */
static inline void fill_test_octets(uint8_t *octets, size_t length, uint64_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        octets[i] = (uint8_t)(seed >> 32);
    }
}

#endif
