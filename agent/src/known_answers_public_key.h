/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of key exchange and PRFs: the .c files say where each comes from. */
#ifndef IPSECBENCH_KNOWN_ANSWERS_PUBLIC_KEY_H
#define IPSECBENCH_KNOWN_ANSWERS_PUBLIC_KEY_H

#include <stddef.h>
#include <stdint.h>

enum {
    ANSWER_PART_BYTES = 16,
    ML_KEM_SEED_BYTES = 64,
    ML_KEM_SEED_START = 1,
    ML_KEM_MESSAGE_BYTES = 32,
    ML_KEM_MESSAGE_START = 2,
    PRF_PLUS_KEY_START = 1,
    PRF_PLUS_SEED_BYTES = 80,
    PRF_PLUS_SEED_START = 2
};

/*
 * An agreement. Of the secret the first and the last octets are kept: nothing wrong gets these 256 bits right. Inputs
 * that are NULL are a pattern: octet i is (start + 167 i) mod 256.
 */
struct key_exchange_answer {
    const char *name;
    const uint8_t *private_key;
    size_t private_bytes;
    uint8_t private_start;
    const uint8_t *peer_public;
    uint8_t peer_start;
    const uint8_t *secret_head;
    const uint8_t *secret_tail;
};

/* ML-KEM. The seed (d | z) and the message m of FIPS 203 are the patterns from 1 and from 2. */
struct ml_kem_answer {
    const char *name;
    const uint8_t *public_head, *public_tail;
    const uint8_t *ciphertext_head, *ciphertext_tail;
    const uint8_t *secret_head, *secret_tail;
};

/* NULL when there is none. */
const struct key_exchange_answer *key_exchange_answer_find(const char *name);
const struct ml_kem_answer *ml_kem_answer_find(const char *name);

/* Writes the private key and peer_bytes octets of the peer's value; returns the length of the private key. */
size_t key_exchange_answer_inputs(const struct key_exchange_answer *answer, uint8_t *private_key,
                                  uint8_t *peer_public, size_t peer_bytes);

/* prf(key, data) */
struct prf_answer {
    const char *name;
    const uint8_t *key;
    size_t key_bytes;
    const uint8_t *data;
    size_t data_bytes;
    const uint8_t *output;
};

/* NULL when index is past the last answer of that PRF. */
const struct prf_answer *prf_answer_find(const char *name, size_t index);

/* The last octets of prf+; key and seed are patterns. */
struct prf_plus_answer {
    const char *name;
    size_t key_bytes;
    size_t output_bytes;
    const uint8_t *output_tail;
};

const struct prf_plus_answer *prf_plus_answer_find(const char *name);

/* Octet i is (start + 167 i) mod 256: every value comes once in 256 octets. */
void answer_pattern(uint8_t start, uint8_t *octets, size_t length);

#endif
