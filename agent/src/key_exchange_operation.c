/* SPDX-License-Identifier: Apache-2.0 */
#include "key_exchange_operation.h"

#include <stdlib.h>
#include <string.h>

/* --- one operation ---------------------------------------------------------------------------------------------- */

bool exchange_generate(struct exchange *exchange)
{
    EVP_PKEY *fresh = NULL;
    bool good = libcrypto.EVP_PKEY_keygen(exchange->generator, &fresh) > 0 &&
                key_exchange_public(exchange->method, fresh, exchange->own_public);

    libcrypto.EVP_PKEY_free(fresh);
    return good;
}

/*
 * RFC 7296 section 2.14: g^ir has the length of the prime, with leading zeros. libcrypto 1.1.1 leaves them out of the
 * secrets of groups 22 to 24, once in 256 times.
 */
static bool restore_zeros(struct exchange *exchange, size_t length)
{
    size_t missing = exchange->method->secret_bytes - length;

    if (length > exchange->method->secret_bytes || exchange->method->kind != KIND_MODP)
        return false;
    memmove(exchange->secret + missing, exchange->secret, length);
    memset(exchange->secret, 0, missing);
    return true;
}

/* The peer's value is checked by libcrypto: on decoding, in EVP_PKEY_derive_set_peer, or in EVP_PKEY_derive. */
bool exchange_agree(struct exchange *exchange)
{
    size_t length = sizeof exchange->secret;

    return key_exchange_set_peer(exchange->method, exchange->peer, exchange->peer_public) &&
           libcrypto.EVP_PKEY_derive_set_peer(exchange->deriver, exchange->peer) > 0 &&
           libcrypto.EVP_PKEY_derive(exchange->deriver, exchange->secret, &length) > 0 &&
           (length == exchange->method->secret_bytes || restore_zeros(exchange, length));
}

/* --- setting up ------------------------------------------------------------------------------------------------- */

void exchange_destroy(void *state)
{
    struct exchange *exchange = state;

    libcrypto.EVP_PKEY_CTX_free(exchange->deriver);
    libcrypto.EVP_PKEY_CTX_free(exchange->generator);
    libcrypto.EVP_PKEY_free(exchange->peer);
    libcrypto.EVP_PKEY_free(exchange->own);
    free(exchange);
}

struct exchange *exchange_create(const struct key_exchange_method *method, unsigned exponent_bits,
                                 struct failure *failure)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    exchange->method = method;
    if (method->kind != KIND_ML_KEM)
        exchange->peer = key_exchange_parameters(method, exponent_bits, failure);
    if (method->kind == KIND_ML_KEM || exchange->peer != NULL)
        exchange->generator = key_exchange_generator(method, exchange->peer, exponent_bits, failure);
    if (exchange->generator != NULL)
        return exchange;
    exchange_destroy(exchange);
    return NULL;
}

bool exchange_adopt(struct exchange *exchange, EVP_PKEY *own, struct failure *failure)
{
    bool good;

    libcrypto.EVP_PKEY_CTX_free(exchange->deriver);
    libcrypto.EVP_PKEY_free(exchange->own);
    exchange->deriver = NULL;
    exchange->own = own;
    if (own == NULL)
        return false;
    if (exchange->method->kind == KIND_ML_KEM) {
        exchange->deriver = ml_kem_decapsulator(own);
        good = exchange->deriver != NULL;
    } else {
        exchange->deriver = libcrypto.EVP_PKEY_CTX_new(own, NULL);
        good = exchange->deriver != NULL && libcrypto.EVP_PKEY_derive_init(exchange->deriver) > 0;
        /* Keeps leading zeros; 1.1.1 refuses it for groups 22 to 24, and restore_zeros() does it. */
        if (good && exchange->method->kind == KIND_MODP)
            (void)libcrypto.EVP_PKEY_CTX_ctrl_str(exchange->deriver, "dh_pad", "1");
    }
    return good || libcrypto_fail(failure, FAILURE_FAILED, "setting up a key exchange");
}

bool exchange_adopt_fresh(struct exchange *exchange, struct failure *failure)
{
    EVP_PKEY *own = NULL;

    if (libcrypto.EVP_PKEY_keygen(exchange->generator, &own) <= 0)
        return libcrypto_fail(failure, FAILURE_UNSUPPORTED, "generating a key pair");
    if (!exchange_adopt(exchange, own, failure))
        return false;
    return key_exchange_public(exchange->method, own, exchange->own_public) ||
           libcrypto_fail(failure, FAILURE_FAILED, "reading a public value");
}
