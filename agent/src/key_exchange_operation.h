/* SPDX-License-Identifier: Apache-2.0 */
/* One worker's key exchange: its keys, its contexts, and the operations on them. */
#ifndef IPSECBENCH_KEY_EXCHANGE_OPERATION_H
#define IPSECBENCH_KEY_EXCHANGE_OPERATION_H

#include "key_exchange_keys.h"

struct exchange {
    const struct key_exchange_method *method;
    EVP_PKEY *own;  /* the private key at hand */
    EVP_PKEY *peer; /* keys are generated from its parameters, and it takes the peer's public value; not ML-KEM */
    EVP_PKEY_CTX *generator;
    EVP_PKEY_CTX *deriver;   /* bound to own; for ML-KEM it decapsulates */
    uint8_t own_public[PUBLIC_MAXIMUM_BYTES];
    uint8_t peer_public[PUBLIC_MAXIMUM_BYTES];
    uint8_t ciphertext[PUBLIC_MAXIMUM_BYTES];
    uint8_t secret[SECRET_MAXIMUM_BYTES];
};

/* The generator and a peer without a value; own is still missing. NULL on failure. */
struct exchange *exchange_create(const struct key_exchange_method *method, unsigned exponent_bits,
                                 struct failure *failure);
void exchange_destroy(void *exchange);
/* Takes own over, whatever happens, and binds the context of agree or decapsulate to it. False when own is NULL. */
bool exchange_adopt(struct exchange *exchange, EVP_PKEY *own, struct failure *failure);
/* The same with a fresh key pair, whose public value goes to own_public. */
bool exchange_adopt_fresh(struct exchange *exchange, struct failure *failure);

/* A fresh key pair and its public value, to own_public; own stays. */
bool exchange_generate(struct exchange *exchange);
/* peer_public decoded, checked and combined with own, to secret. */
bool exchange_agree(struct exchange *exchange);

/* One encapsulation to an encapsulation key of method->public_bytes octets. False when the key is refused. */
bool ml_kem_encapsulate(const struct key_exchange_method *method, const uint8_t *public_key, uint8_t *ciphertext,
                        uint8_t *secret);
/* A context that decapsulates with a key; NULL on failure. */
EVP_PKEY_CTX *ml_kem_decapsulator(EVP_PKEY *key);
bool ml_kem_decapsulate(const struct key_exchange_method *method, EVP_PKEY_CTX *context, const uint8_t *ciphertext,
                        uint8_t *secret);
/* ML-KEM's known answers. */
bool ml_kem_check(const struct key_exchange_method *method, struct failure *failure);

#endif
