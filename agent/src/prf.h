/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pseudorandom functions of IKE and prf+ (RFC 7296 section 2.13) through libcrypto.
 *
 * One `prf` operation is prf(K, S) with a key that the context has not seen: IKE keys a PRF anew for nearly every use
 * (SKEYSEED, SK_pi, the AUTH payload), so setting the key is part of the work. One `prf-plus` operation sets the key
 * once and then makes as many blocks as the output needs, from a seed of Ni | Nr | SPIi | SPIr.
 */
#ifndef IPSECBENCH_PRF_H
#define IPSECBENCH_PRF_H

#include "libcrypto.h"

extern const struct family prf_family;

enum { PRF_MAXIMUM_BYTES = 64, PRF_BLOCK_BYTES = 16, PRF_SCRATCH_BYTES = 1024, PRF_PLUS_BLOCKS_MAXIMUM = 255 };

enum prf_kind { PRF_HMAC, PRF_CMAC, PRF_XCBC };

struct prf_algorithm {
    char name[11];
    char digest[7]; /* HMAC only */
    uint8_t kind;   /* enum prf_kind */
    uint8_t output_bytes; /* also the preferred length of the key (RFC 7296 section 2.13) */
};

/* A context for one algorithm; the key changes. It belongs to one thread at a time. */
struct prf {
    const struct prf_algorithm *algorithm;
    HMAC_CTX *hmac;
    CMAC_CTX *cmac;
    EVP_MAC_CTX *mac;
    EVP_CIPHER_CTX *constants; /* XCBC: keyed with K */
    EVP_CIPHER_CTX *chain;     /* XCBC: keyed with K1 */
    bool keyed_afresh;         /* no message since the key was set */
    uint8_t derived[3 * PRF_BLOCK_BYTES]; /* K1, K2, K3 */
    uint8_t scratch[PRF_SCRATCH_BYTES];
};

/* Fetches what the algorithm needs; main thread, before the first prf_create(). */
bool prf_offered(const struct prf_algorithm *algorithm, struct failure *failure);
struct prf *prf_create(const struct prf_algorithm *algorithm, struct failure *failure);
void prf_destroy(struct prf *prf);

/* Sets a key of any length, as RFC 2104, RFC 4434 or RFC 4615 say. */
bool prf_set_key(struct prf *prf, const uint8_t *key, size_t length);
/* prf(K, data) with the key that was set; may be called again with the same key. */
bool prf_compute(struct prf *prf, const uint8_t *data, size_t length, uint8_t *output);

#endif
