/* SPDX-License-Identifier: Apache-2.0 */
#include "key_exchange_keys.h"

#include <string.h>

#include "der_writer.h"

enum {
    POINT_UNCOMPRESSED = 4,
    PLACEHOLDER = 2, /* a private number that is in range everywhere */
};

/* Keys are decoded alike by all versions; their public values are not read and written alike. */
static bool is_first_generation(void)
{
    return libcrypto.EVP_PKEY_set1_encoded_public_key == NULL;
}

/* --- keys as PKCS #8 ---------------------------------------------------------------------------------------------- */

/*
 * PKCS #3 for the safe primes, X9.42 with q for groups 22 to 24, because q makes libcrypto check that the peer's value
 * lies in the subgroup (RFC 6989 section 2.2). p and g are given as numbers although OpenSSL has names for most groups:
 * it recognises those that it knows and treats them as named, and the others (768 and 1024 bits) work the same way.
 */
static void put_modp_algorithm(struct der_writer *writer, const struct modp_group *group, unsigned exponent_bits)
{
    static const uint8_t dh_key_agreement[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01";
    static const uint8_t dh_public_number[] = "\x06\x07\x2a\x86\x48\xce\x3e\x02\x01";
    const uint8_t *order = modp_group_subgroup_order(group);
    const uint8_t bits[] = {(uint8_t)(exponent_bits >> 8), (uint8_t)exponent_bits};
    uint8_t number[MODP_PRIME_MAXIMUM_BYTES];
    size_t end = writer->at;

    if (order != NULL)
        der_put_integer(writer, order, group->subgroup_bits / 8);
    else if (exponent_bits != 0)
        der_put_integer(writer, bits, sizeof bits); /* 1.1.1 goes by it; see set_exponent() */
    modp_group_generator(group, number);
    der_put_integer(writer, number, group->prime_bits / 8);
    modp_group_prime(group, number);
    der_put_integer(writer, number, group->prime_bits / 8);
    der_wrap(writer, DER_SEQUENCE, end);
    if (order != NULL)
        der_put(writer, dh_public_number, sizeof dh_public_number - 1);
    else
        der_put(writer, dh_key_agreement, sizeof dh_key_agreement - 1);
}

/* PrivateKeyInfo (RFC 5208) of a private number; libcrypto works out the public value. */
static EVP_PKEY *key_of_number(const struct key_exchange_method *method, const uint8_t *number, size_t length,
                               unsigned exponent_bits)
{
    static const uint8_t ec_public_key[] = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
    static const uint8_t zero = 0, one = 1;
    struct der_writer writer = {.at = DER_CAPACITY_BYTES};
    const uint8_t *reading;
    size_t end;

    if (method->kind == KIND_MODP) {
        der_put_integer(&writer, number, length);
    } else {
        der_put(&writer, number, length);
        der_wrap(&writer, DER_OCTET_STRING, DER_CAPACITY_BYTES);
        der_put_integer(&writer, &one, 1);
        der_wrap(&writer, DER_SEQUENCE, DER_CAPACITY_BYTES); /* ECPrivateKey, RFC 5915 */
    }
    der_wrap(&writer, DER_OCTET_STRING, DER_CAPACITY_BYTES);
    end = writer.at;
    if (method->kind == KIND_MODP) {
        put_modp_algorithm(&writer, modp_group_find(method->name), exponent_bits);
    } else {
        der_put(&writer, method->curve, 2U + (uint8_t)method->curve[1]);
        der_put(&writer, ec_public_key, sizeof ec_public_key - 1);
    }
    der_wrap(&writer, DER_SEQUENCE, end);
    der_put_integer(&writer, &zero, 1);
    der_wrap(&writer, DER_SEQUENCE, DER_CAPACITY_BYTES);
    reading = writer.octets + writer.at;
    return libcrypto.d2i_AutoPrivateKey(NULL, &reading, (long)(DER_CAPACITY_BYTES - writer.at));
}

EVP_PKEY *key_exchange_parameters(const struct key_exchange_method *method, unsigned exponent_bits,
                                  struct failure *failure)
{
    uint8_t number[PRIVATE_MAXIMUM_BYTES] = {9}; /* Montgomery: the base point */
    EVP_PKEY *key;

    if (method->kind == KIND_MONTGOMERY) {
        key = libcrypto.EVP_PKEY_new_raw_public_key(method->identifier, NULL, number, method->public_bytes);
    } else {
        number[0] = 0;
        number[method->secret_bytes - 1] = PLACEHOLDER;
        key = key_of_number(method, number, method->secret_bytes, exponent_bits);
    }
    if (key == NULL)
        (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, method->name);
    return key;
}

/*
 * From 3.0 on the length has to be set here: the one in the parameters is not inherited by the keys made from them, and
 * without it libcrypto takes its own (225 bits for modp2048, the whole length for modp1024).
 */
static bool set_exponent(EVP_PKEY_CTX *context, unsigned exponent_bits)
{
    int bits = (int)exponent_bits;
    OSSL_PARAM parameters[] = {{"priv_len", OSSL_PARAM_TYPE_INTEGER, &bits, sizeof bits, SIZE_MAX},
                               {NULL, 0, NULL, 0, 0}};

    if (exponent_bits == 0 || is_first_generation())
        return true;
    return libcrypto.EVP_PKEY_CTX_set_params(context, parameters) > 0;
}

EVP_PKEY_CTX *key_exchange_generator(const struct key_exchange_method *method, EVP_PKEY *parameters,
                                     unsigned exponent_bits, struct failure *failure)
{
    EVP_PKEY_CTX *context = NULL;

    if (method->kind == KIND_MONTGOMERY)
        context = libcrypto.EVP_PKEY_CTX_new_id(method->identifier, NULL);
    else if (method->kind == KIND_ML_KEM && libcrypto.EVP_PKEY_CTX_new_from_name != NULL)
        context = libcrypto.EVP_PKEY_CTX_new_from_name(NULL, method->curve, NULL);
    else if (parameters != NULL)
        context = libcrypto.EVP_PKEY_CTX_new(parameters, NULL);
    if (context != NULL && libcrypto.EVP_PKEY_keygen_init(context) > 0 && set_exponent(context, exponent_bits))
        return context;
    libcrypto.EVP_PKEY_CTX_free(context);
    (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, method->name);
    return NULL;
}

/* True for a number from 1 to p - 1, or for a curve one that is not 0 and no longer than a coordinate. */
static bool is_in_range(const struct key_exchange_method *method, const uint8_t *number)
{
    uint8_t prime[MODP_PRIME_MAXIMUM_BYTES];

    if (method->kind == KIND_MODP) {
        modp_group_prime(modp_group_find(method->name), prime);
        if (memcmp(number, prime, method->secret_bytes) >= 0)
            return false;
    }
    for (size_t i = 0; i < method->secret_bytes; i++) {
        if (number[i] != 0)
            return true;
    }
    return false;
}

EVP_PKEY *key_exchange_import(const struct key_exchange_method *method, const uint8_t *private_key, size_t length,
                              struct failure *failure)
{
    uint8_t number[PRIVATE_MAXIMUM_BYTES] = {0};
    size_t wanted = method->secret_bytes;
    EVP_PKEY *key = NULL;

    if (method->kind == KIND_MONTGOMERY) {
        key = libcrypto.EVP_PKEY_new_raw_private_key(method->identifier, NULL, private_key, length);
    } else if (method->kind == KIND_ML_KEM) {
        if (libcrypto.EVP_PKEY_new_raw_private_key_ex != NULL)
            key = libcrypto.EVP_PKEY_new_raw_private_key_ex(NULL, method->curve, NULL, private_key, length);
    } else {
        for (; length > wanted && private_key[0] == 0; length--)
            private_key++;
        if (length > 0 && length <= wanted) {
            memcpy(number + wanted - length, private_key, length);
            if (is_in_range(method, number))
                key = key_of_number(method, number, wanted, 0);
        }
    }
    if (key == NULL) {
        libcrypto.ERR_clear_error();
        (void)fail(failure, FAILURE_USAGE, "private: not a private key of %s", method->name);
    }
    return key;
}

/* 1.1.1: a DH number has no encoding of its own, and a point is given in memory that libcrypto allocates. */
static bool public_of_object(const struct key_exchange_method *method, EVP_PKEY *key, uint8_t *octets)
{
    const BIGNUM *value = NULL;
    uint8_t *point = NULL;
    size_t length;
    bool good;

    if (method->kind == KIND_MODP) {
        libcrypto.DH_get0_key(libcrypto.EVP_PKEY_get0(key), &value, NULL);
        return value != NULL && libcrypto.BN_bn2binpad(value, octets, (int)method->public_bytes) > 0;
    }
    length = libcrypto.EVP_PKEY_get1_tls_encodedpoint(key, &point);
    good = length == 1U + method->public_bytes && point[0] == POINT_UNCOMPRESSED;
    if (good)
        memcpy(octets, point + 1, method->public_bytes);
    libcrypto.CRYPTO_free(point, "", 0);
    return good;
}

bool key_exchange_public(const struct key_exchange_method *method, EVP_PKEY *key, uint8_t *octets)
{
    uint8_t point[1 + PUBLIC_MAXIMUM_BYTES];
    size_t length = method->public_bytes;

    if (method->kind == KIND_MONTGOMERY)
        return libcrypto.EVP_PKEY_get_raw_public_key(key, octets, &length) > 0 && length == method->public_bytes;
    if (is_first_generation())
        return public_of_object(method, key, octets);
    if (libcrypto.EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", point, sizeof point, &length) <= 0)
        return false;
    if (method->kind != KIND_ECP) {
        if (length != method->public_bytes)
            return false;
        memcpy(octets, point, length);
        return true;
    }
    if (length != 1U + method->public_bytes || point[0] != POINT_UNCOMPRESSED)
        return false;
    memcpy(octets, point + 1, method->public_bytes);
    return true;
}

bool key_exchange_set_peer(const struct key_exchange_method *method, EVP_PKEY *peer, const uint8_t *octets)
{
    uint8_t point[1 + PUBLIC_MAXIMUM_BYTES];
    size_t length = method->public_bytes;

    if (method->kind == KIND_ECP) {
        point[0] = POINT_UNCOMPRESSED;
        memcpy(point + 1, octets, length++);
        octets = point;
    }
    if (!is_first_generation())
        return libcrypto.EVP_PKEY_set1_encoded_public_key(peer, octets, length) > 0;
    if (method->kind == KIND_MODP) {
        BIGNUM *value = libcrypto.BN_bin2bn(octets, (int)length, NULL);

        if (value != NULL && libcrypto.DH_set0_key(libcrypto.EVP_PKEY_get0(peer), value, NULL))
            return true;
        libcrypto.BN_clear_free(value);
        return false;
    }
    return libcrypto.EVP_PKEY_set1_tls_encodedpoint(peer, octets, length) > 0;
}

unsigned key_exchange_exponent_bits(EVP_PKEY *key)
{
    const BIGNUM *borrowed = NULL;
    BIGNUM *owned = NULL;
    unsigned bits = 0;

    if (is_first_generation()) {
        libcrypto.DH_get0_key(libcrypto.EVP_PKEY_get0(key), NULL, &borrowed);
        return borrowed != NULL ? (unsigned)libcrypto.BN_num_bits(borrowed) : 0;
    }
    if (libcrypto.EVP_PKEY_get_bn_param(key, "priv", &owned) > 0)
        bits = (unsigned)libcrypto.BN_num_bits(owned);
    libcrypto.BN_clear_free(owned);
    return bits;
}
