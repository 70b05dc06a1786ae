/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed ciphers and MACs of one library, behind one interface: what the timed loops and the ESP transform call.
 *
 * A context is made once per key. The calls on it set only the IV, allocate nothing, and keep nothing from one call to
 * the next. A context belongs to one thread at a time.
 */
#ifndef IPSECBENCH_SYMMETRIC_H
#define IPSECBENCH_SYMMETRIC_H

#include "algorithms.h"
#include "operation.h"

struct cipher {
    const struct cipher_algorithm *algorithm;
    /*
     * CBC, CTR and NULL, in the direction that the context was made for. `iv` is the whole initial block (CTR: counter
     * block). `length` is a multiple of the block. `output` may be `input`.
     */
    bool (*crypt)(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output);
    /*
     * Combined ciphers, made for encryption. `output` may be `input`; when it is NULL, `input` is more associated data
     * (GMAC). Writes the algorithm's icv_bytes to `icv`.
     */
    bool (*seal)(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv);
    /* Combined ciphers, made for decryption. False when the ICV is wrong: `output` then means nothing. */
    bool (*open)(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv);
    void (*destroy)(struct cipher *cipher);
};

struct mac {
    const struct mac_algorithm *algorithm;
    /* Writes the algorithm's mac_bytes to `tag`. */
    bool (*compute)(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag);
    void (*destroy)(struct mac *mac);
};

struct symmetric_provider {
    const char *name;
    /* False with FAILURE_LIBRARY when the library cannot be used. */
    bool (*ready)(struct failure *failure);
    /* False with FAILURE_UNSUPPORTED when the usable library has no such algorithm. Main thread only. */
    bool (*offers_cipher)(const struct cipher_algorithm *algorithm, struct failure *failure);
    bool (*offers_mac)(const struct mac_algorithm *algorithm, struct failure *failure);
    /* For algorithms that are offered. `key` has the algorithm's key_bytes. NULL with a failure. Any thread. */
    struct cipher *(*new_cipher)(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure);
    struct mac *(*new_mac)(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                           struct failure *failure);
};

extern const struct symmetric_provider symmetric_libcrypto;
extern const struct symmetric_provider symmetric_libgcrypt;

/* What a known-answer table is run with: defined in known_answers_symmetric.c. */
bool known_answers_cipher(const struct symmetric_provider *provider, const struct cipher_algorithm *algorithm,
                          struct failure *failure);
bool known_answers_mac(const struct symmetric_provider *provider, const struct mac_algorithm *algorithm,
                       struct failure *failure);

/* The identity of RFC 2410, which needs no library. */
struct cipher *new_null_cipher(const struct cipher_algorithm *algorithm, struct failure *failure);

static inline void destroy_cipher(struct cipher *cipher)
{
    if (cipher != NULL)
        cipher->destroy(cipher);
}

static inline void destroy_mac(struct mac *mac)
{
    if (mac != NULL)
        mac->destroy(mac);
}

/* Compares in a time that does not depend on where the first difference is. */
static inline bool equal_constant_time(const uint8_t *left, const uint8_t *right, size_t length)
{
    unsigned difference = 0;

    for (size_t i = 0; i < length; i++)
        difference |= (unsigned)(left[i] ^ right[i]);
    return difference == 0;
}

#endif
