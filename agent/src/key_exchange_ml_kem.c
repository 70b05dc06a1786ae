/* SPDX-License-Identifier: Apache-2.0 */
/* ML-KEM (FIPS 203) through libcrypto's interface for key encapsulation, OpenSSL 3.5 and later. */
#include "key_exchange_operation.h"
#include "known_answers_public_key.h"

#include <string.h>

enum { SELECT_KEY_PAIR = 0x87 /* EVP_PKEY_KEYPAIR */ };

static bool encapsulate(const struct key_exchange_method *method, const uint8_t *public_key, const uint8_t *message,
                        uint8_t *ciphertext, uint8_t *secret)
{
    /* OSSL_PARAM has no const; the library only reads it. */
    uint8_t entropy[ML_KEM_MESSAGE_BYTES];
    OSSL_PARAM parameters[] = {{"ikme", OSSL_PARAM_TYPE_OCTET_STRING, entropy, sizeof entropy, SIZE_MAX},
                               {NULL, 0, NULL, 0, 0}};
    size_t ciphertext_bytes = method->ciphertext_bytes;
    size_t secret_bytes = method->secret_bytes;
    EVP_PKEY *peer =
        libcrypto.EVP_PKEY_new_raw_public_key_ex(NULL, method->curve, NULL, public_key, method->public_bytes);
    EVP_PKEY_CTX *context = peer != NULL ? libcrypto.EVP_PKEY_CTX_new(peer, NULL) : NULL;
    bool good;

    if (message != NULL)
        memcpy(entropy, message, sizeof entropy);
    good = context != NULL &&
           libcrypto.EVP_PKEY_encapsulate_init(context, message != NULL ? parameters : NULL) > 0 &&
           libcrypto.EVP_PKEY_encapsulate(context, ciphertext, &ciphertext_bytes, secret, &secret_bytes) > 0 &&
           ciphertext_bytes == method->ciphertext_bytes && secret_bytes == method->secret_bytes;
    libcrypto.EVP_PKEY_CTX_free(context);
    libcrypto.EVP_PKEY_free(peer);
    return good;
}

bool ml_kem_encapsulate(const struct key_exchange_method *method, const uint8_t *public_key, uint8_t *ciphertext,
                        uint8_t *secret)
{
    return encapsulate(method, public_key, NULL, ciphertext, secret);
}

EVP_PKEY_CTX *ml_kem_decapsulator(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = libcrypto.EVP_PKEY_CTX_new(key, NULL);

    if (context != NULL && libcrypto.EVP_PKEY_decapsulate_init(context, NULL) > 0)
        return context;
    libcrypto.EVP_PKEY_CTX_free(context);
    return NULL;
}

bool ml_kem_decapsulate(const struct key_exchange_method *method, EVP_PKEY_CTX *context, const uint8_t *ciphertext,
                        uint8_t *secret)
{
    size_t length = method->secret_bytes;

    return libcrypto.EVP_PKEY_decapsulate(context, secret, &length, ciphertext, method->ciphertext_bytes) > 0 &&
           length == method->secret_bytes;
}

static EVP_PKEY *known_key(const struct key_exchange_method *method)
{
    uint8_t octets[ML_KEM_SEED_BYTES];
    OSSL_PARAM parameters[] = {{"seed", OSSL_PARAM_TYPE_OCTET_STRING, octets, sizeof octets, SIZE_MAX},
                               {NULL, 0, NULL, 0, 0}};
    EVP_PKEY_CTX *context = libcrypto.EVP_PKEY_CTX_new_from_name(NULL, method->curve, NULL);
    EVP_PKEY *key = NULL;

    answer_pattern(ML_KEM_SEED_START, octets, sizeof octets);
    if (context == NULL || libcrypto.EVP_PKEY_fromdata_init(context) <= 0 ||
        libcrypto.EVP_PKEY_fromdata(context, &key, SELECT_KEY_PAIR, parameters) <= 0)
        key = NULL;
    libcrypto.EVP_PKEY_CTX_free(context);
    return key;
}

/* Compares with a head and a tail. */
static bool matches(const uint8_t *octets, size_t length, const struct octets parts[2])
{
    return memcmp(octets, parts[0].data, ANSWER_PART_BYTES) == 0 &&
           memcmp(octets + length - ANSWER_PART_BYTES, parts[1].data, ANSWER_PART_BYTES) == 0;
}

/*
 * The whole of FIPS 203 with its randomness given: key generation from a seed, encapsulation with a message, and back.
 * Then implicit rejection: a changed ciphertext must give another secret, not an error (section 6.3).
 */
static const char *first_difference(const struct key_exchange_method *method, const struct octets *answer,
                                    EVP_PKEY *key, EVP_PKEY_CTX *decapsulator)
{
    uint8_t public_key[PUBLIC_MAXIMUM_BYTES];
    uint8_t ciphertext[PUBLIC_MAXIMUM_BYTES];
    uint8_t secret[SECRET_MAXIMUM_BYTES];
    uint8_t message[ML_KEM_MESSAGE_BYTES];

    answer_pattern(ML_KEM_MESSAGE_START, message, sizeof message);
    if (!key_exchange_public(method, key, public_key) ||
        !matches(public_key, method->public_bytes, answer))
        return "the public key is wrong";
    if (!encapsulate(method, public_key, message, ciphertext, secret) ||
        !matches(ciphertext, method->ciphertext_bytes, answer + 2) ||
        !matches(secret, method->secret_bytes, answer + 4))
        return "the shared secret is wrong";
    memset(secret, 0, sizeof secret);
    if (!ml_kem_decapsulate(method, decapsulator, ciphertext, secret) ||
        !matches(secret, method->secret_bytes, answer + 4))
        return "the shared secret is wrong";
    ciphertext[0] ^= 1;
    if (!ml_kem_decapsulate(method, decapsulator, ciphertext, secret) ||
        matches(secret, method->secret_bytes, answer + 4))
        return "a forged ciphertext was accepted";
    return NULL;
}

bool ml_kem_check(const struct key_exchange_method *method, struct failure *failure)
{
    struct octets answer[ML_KEM_FIELDS];
    bool known = answer_find(ml_kem_answers, method->name, 0, answer, ML_KEM_FIELDS);
    EVP_PKEY *key = known ? known_key(method) : NULL;
    EVP_PKEY_CTX *decapsulator = key != NULL ? ml_kem_decapsulator(key) : NULL;
    const char *difference = "a good key was refused";

    if (decapsulator != NULL)
        difference = first_difference(method, answer, key, decapsulator);
    libcrypto.EVP_PKEY_CTX_free(decapsulator);
    libcrypto.EVP_PKEY_free(key);
    libcrypto.ERR_clear_error();
    if (difference == NULL)
        return true;
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: %s: %s", libcrypto_short_version(), method->name, difference);
}
