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
    char name[13];               /* "modp2048" */
    uint16_t prime_bits;
    uint16_t exponent_bits;      /* length of a private exponent when the order does not say */
    uint16_t subgroup_bits;      /* length of q; 0 for the safe primes, where it is (p - 1) / 2 */
    uint32_t constant;           /* c of the formula in modp_groups.c; 0: the prime is given in full */
};

/* NULL when there is no such group. */
const struct modp_group *modp_group_find(const char *name);

/* Write the prime and the generator, big-endian, prime_bits / 8 octets each. */
void modp_group_prime(const struct modp_group *group, uint8_t prime[MODP_PRIME_MAXIMUM_BYTES]);
void modp_group_generator(const struct modp_group *group, uint8_t generator[MODP_PRIME_MAXIMUM_BYTES]);

/* q, big-endian, subgroup_bits / 8 octets; NULL for the safe primes. */
const uint8_t *modp_group_subgroup_order(const struct modp_group *group);

#endif
