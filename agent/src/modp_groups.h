/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MODP groups of IKE: primes, generators, subgroup orders and the usual lengths of the private exponent.
 *
 * Groups 1 and 2: RFC 2409 sections 6.1 and 6.2; 5 and 14 to 18: RFC 3526; 22 to 24: RFC 5114 section 2.
 */
#ifndef IPSECBENCH_MODP_GROUPS_H
#define IPSECBENCH_MODP_GROUPS_H

#include <stddef.h>
#include <stdint.h>

enum { MODP_PRIME_MAXIMUM_BYTES = 1024 };

struct modp_group {
    const char *name;            /* "modp2048" */
    unsigned prime_bits;
    unsigned exponent_bits;      /* length of a private exponent when the order does not say */
    uint32_t constant;           /* c of the formula below; 0: the prime is given in full */
    const uint8_t *prime;        /* NULL when the formula gives it */
    const uint8_t *generator;
    size_t generator_bytes;
    const uint8_t *subgroup_order; /* q; NULL for the safe primes, where it is (p - 1) / 2 */
    size_t subgroup_order_bytes;
};

/* NULL when there is no such group. */
const struct modp_group *modp_group_find(const char *name);

/* Writes the prime, big-endian, prime_bits / 8 octets. */
void modp_group_prime(const struct modp_group *group, uint8_t prime[MODP_PRIME_MAXIMUM_BYTES]);

#endif
