/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of key exchange, signatures and PRFs, as tables of known_answers.h; the .c files say where from. */
#ifndef IPSECBENCH_KNOWN_ANSWERS_PUBLIC_KEY_H
#define IPSECBENCH_KNOWN_ANSWERS_PUBLIC_KEY_H

#include "known_answers.h"

enum {
    /* Of long values the first and the last octets are kept: nothing wrong gets these 128 bits right. */
    ANSWER_PART_BYTES = 8,
    KEY_EXCHANGE_FIELDS = 4,
    ML_KEM_FIELDS = 6,
    PRF_FIELDS = 3,
    PRF_PLUS_FIELDS = 1,
    SIGNATURE_FIELDS = 1
};

/* Where patterns start, and how long they are. */
enum {
    ML_KEM_SEED_START = 1, /* d | z of FIPS 203 */
    ML_KEM_SEED_BYTES = 64,
    ML_KEM_MESSAGE_START = 2, /* m of FIPS 203 */
    ML_KEM_MESSAGE_BYTES = 32,
    PRF_PLUS_KEY_START = 1, /* as long as the PRF's output */
    PRF_PLUS_SEED_START = 2,
    PRF_PLUS_SEED_BYTES = 80, /* Ni | Nr | SPIi | SPIr with nonces of 32 octets */
    PRF_PLUS_ANSWER_BLOCKS = 3,
    PRF_PLUS_ANSWER_REST_BYTES = 5
};

extern const char key_exchange_answers[];
extern const char ml_kem_answers[];
extern const char prf_answers[];
extern const char prf_plus_answers[];
extern const char signature_answers[]; /* signing_keys.c */

/* The fields of an algorithm's entry with this number, from 0. False when there is none. */
bool answer_find(const char *table, const char *name, size_t index, struct octets *fields, size_t field_count);

/* Octet i is (start + 167 i) mod 256: every value comes once in 256 octets. */
void answer_pattern(uint8_t start, uint8_t *octets, size_t length);

#endif
