/* SPDX-License-Identifier: Apache-2.0 */
#include "key_exchange_keys.h"

#include <string.h>

/* Numbers of libcrypto's interface that its headers define; they are the same in 1.1.1, 3.x and 4.x. */
enum {
    EVP_PKEY_DH_TYPE = 28,
    EVP_PKEY_DHX_TYPE = 920, /* DH with q; in a key of the other type 1.1.1 drops it */
    EVP_PKEY_EC_TYPE = 408,
    POINT_UNCOMPRESSED = 4,
    SELECT_PARAMETERS = 0x04 | 0x80, /* EVP_PKEY_KEY_PARAMETERS */
    SELECT_KEY_PAIR = SELECT_PARAMETERS | 0x01 | 0x02
};

static bool is_first_generation(void)
{
    return libcrypto.EVP_PKEY_fromdata == NULL;
}

static void *no_memory(struct failure *failure)
{
    (void)fail(failure, FAILURE_MEMORY, "libcrypto has no memory for a key");
    return NULL;
}

static BIGNUM *number(const uint8_t *octets, size_t length)
{
    return libcrypto.BN_bin2bn(octets, (int)length, NULL);
}

static BIGNUM *modp_prime(const struct modp_group *group)
{
    uint8_t prime[MODP_PRIME_MAXIMUM_BYTES];

    modp_group_prime(group, prime);
    return number(prime, group->prime_bits / 8);
}

static BIGNUM *modp_generator(const struct modp_group *group)
{
    uint8_t generator[MODP_PRIME_MAXIMUM_BYTES];

    modp_group_generator(group, generator);
    return number(generator, group->prime_bits / 8);
}

/* NULL for the safe primes. */
static BIGNUM *modp_subgroup_order(const struct modp_group *group)
{
    const uint8_t *order = modp_group_subgroup_order(group);

    return order != NULL ? number(order, group->subgroup_bits / 8) : NULL;
}

/* --- 3.0 and later: keys made of parameters ------------------------------------------------------------------- */

static EVP_PKEY *key_from_parameters(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = libcrypto.OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = libcrypto.EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (parameters == NULL || context == NULL || libcrypto.EVP_PKEY_fromdata_init(context) <= 0 ||
        libcrypto.EVP_PKEY_fromdata(context, &key, selection, parameters) <= 0)
        key = NULL;
    libcrypto.EVP_PKEY_CTX_free(context);
    libcrypto.OSSL_PARAM_free(parameters);
    return key;
}

/*
 * p and g are given as numbers although OpenSSL has names for most groups: it recognises those that it knows and treats
 * them as named, and the others (768 and 1024 bits) work the same way. q goes with groups 22 to 24 only, because it
 * makes libcrypto check that the peer's value lies in the subgroup (RFC 6989 section 2.2).
 */
static EVP_PKEY *modp_from_parameters(const struct modp_group *group, const BIGNUM *private_key,
                                      const BIGNUM *public_key)
{
    OSSL_PARAM_BLD *builder = libcrypto.OSSL_PARAM_BLD_new();
    BIGNUM *p = modp_prime(group);
    BIGNUM *g = modp_generator(group);
    BIGNUM *q = modp_subgroup_order(group);
    EVP_PKEY *key = NULL;

    if (builder != NULL && p != NULL && g != NULL && libcrypto.OSSL_PARAM_BLD_push_BN(builder, "p", p) &&
        libcrypto.OSSL_PARAM_BLD_push_BN(builder, "g", g) &&
        (q == NULL || libcrypto.OSSL_PARAM_BLD_push_BN(builder, "q", q)) &&
        (private_key == NULL || (libcrypto.OSSL_PARAM_BLD_push_BN(builder, "priv", private_key) &&
                                 libcrypto.OSSL_PARAM_BLD_push_BN(builder, "pub", public_key))))
        key = key_from_parameters("DH", private_key == NULL ? SELECT_PARAMETERS : SELECT_KEY_PAIR, builder);
    libcrypto.BN_clear_free(q);
    libcrypto.BN_clear_free(g);
    libcrypto.BN_clear_free(p);
    libcrypto.OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *ecp_from_parameters(const struct key_exchange_method *method, const BIGNUM *private_key,
                                     const uint8_t *point, size_t point_bytes)
{
    OSSL_PARAM_BLD *builder = libcrypto.OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (builder != NULL && libcrypto.OSSL_PARAM_BLD_push_utf8_string(builder, "group", method->library_name, 0) &&
        (private_key == NULL || (libcrypto.OSSL_PARAM_BLD_push_BN(builder, "priv", private_key) &&
                                 libcrypto.OSSL_PARAM_BLD_push_octet_string(builder, "pub", point, point_bytes))))
        key = key_from_parameters("EC", private_key == NULL ? SELECT_PARAMETERS : SELECT_KEY_PAIR, builder);
    libcrypto.OSSL_PARAM_BLD_free(builder);
    return key;
}

/* --- 1.1.1: keys made of DH and EC_KEY objects ---------------------------------------------------------------- */

/* Wraps an object in an EVP_PKEY that owns it; NULL, with the object left to the caller, when that fails. */
static EVP_PKEY *wrap(int type, void *object)
{
    EVP_PKEY *key = object != NULL ? libcrypto.EVP_PKEY_new() : NULL;

    if (key != NULL && libcrypto.EVP_PKEY_assign(key, type, object) <= 0) {
        libcrypto.EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* Takes both numbers over, whatever happens. */
static EVP_PKEY *modp_from_object(const struct modp_group *group, unsigned exponent_bits, BIGNUM *private_key,
                                  BIGNUM *public_key)
{
    DH *dh = libcrypto.DH_new();
    BIGNUM *p = modp_prime(group);
    BIGNUM *g = modp_generator(group);
    BIGNUM *q = modp_subgroup_order(group);
    EVP_PKEY *key = NULL;

    if (dh == NULL || p == NULL || g == NULL || !libcrypto.DH_set0_pqg(dh, p, q, g)) {
        libcrypto.BN_clear_free(q);
        libcrypto.BN_clear_free(g);
        libcrypto.BN_clear_free(p);
    } else {
        if (exponent_bits != 0)
            (void)libcrypto.DH_set_length(dh, (long)exponent_bits);
        if (public_key == NULL || libcrypto.DH_set0_key(dh, public_key, private_key)) {
            private_key = public_key = NULL;
            key = wrap(q != NULL ? EVP_PKEY_DHX_TYPE : EVP_PKEY_DH_TYPE, dh);
        }
    }
    if (key == NULL)
        libcrypto.DH_free(dh);
    libcrypto.BN_clear_free(private_key);
    libcrypto.BN_clear_free(public_key);
    return key;
}

static EVP_PKEY *ecp_from_object(const struct key_exchange_method *method, const BIGNUM *private_key,
                                 const EC_POINT *point)
{
    EC_KEY *object = libcrypto.EC_KEY_new_by_curve_name(libcrypto.OBJ_txt2nid(method->library_name));
    EVP_PKEY *key = NULL;

    if (object != NULL && (private_key == NULL || (libcrypto.EC_KEY_set_private_key(object, private_key) &&
                                                   libcrypto.EC_KEY_set_public_key(object, point))))
        key = wrap(EVP_PKEY_EC_TYPE, object);
    if (key == NULL)
        libcrypto.EC_KEY_free(object);
    return key;
}

/* --- both ------------------------------------------------------------------------------------------------------ */

EVP_PKEY *key_exchange_parameters(const struct key_exchange_method *method, unsigned exponent_bits,
                                  struct failure *failure)
{
    uint8_t placeholder[56] = {9}; /* the base point; replaced before use */
    EVP_PKEY *key = NULL;

    switch (method->kind) {
    case KIND_MODP:
        key = is_first_generation()
                  ? modp_from_object(modp_group_find(method->name), exponent_bits, NULL, NULL)
                  : modp_from_parameters(modp_group_find(method->name), NULL, NULL);
        break;
    case KIND_ECP:
        key = is_first_generation() ? ecp_from_object(method, NULL, NULL) : ecp_from_parameters(method, NULL, NULL, 0);
        break;
    case KIND_MONTGOMERY:
        key = libcrypto.EVP_PKEY_new_raw_public_key(method->identifier, NULL, placeholder, method->public_bytes);
        break;
    default: /* ML-KEM has none */
        break;
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
        context = libcrypto.EVP_PKEY_CTX_new_from_name(NULL, method->library_name, NULL);
    else if (parameters != NULL)
        context = libcrypto.EVP_PKEY_CTX_new(parameters, NULL);
    if (context != NULL && libcrypto.EVP_PKEY_keygen_init(context) > 0 && set_exponent(context, exponent_bits))
        return context;
    libcrypto.EVP_PKEY_CTX_free(context);
    (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, method->name);
    return NULL;
}

static EVP_PKEY *import_modp(const struct key_exchange_method *method, BIGNUM *private_key, struct failure *failure)
{
    const struct modp_group *group = modp_group_find(method->name);
    BN_CTX *context = libcrypto.BN_CTX_new();
    BIGNUM *p = modp_prime(group);
    BIGNUM *g = modp_generator(group);
    BIGNUM *public_key = libcrypto.BN_new();
    EVP_PKEY *key = NULL;
    bool computed = false;

    if (context == NULL || p == NULL || g == NULL || public_key == NULL)
        (void)no_memory(failure);
    else if (libcrypto.BN_is_zero(private_key) || libcrypto.BN_cmp(private_key, p) >= 0)
        (void)fail(failure, FAILURE_USAGE, "private: not a number from 1 to p - 1 of %s", method->name);
    else
        computed = libcrypto.BN_mod_exp_mont_consttime(public_key, g, private_key, p, context, NULL) > 0;
    if (computed && is_first_generation()) {
        key = modp_from_object(group, 0, private_key, public_key);
        private_key = public_key = NULL;
    } else if (computed) {
        key = modp_from_parameters(group, private_key, public_key);
    }
    if (computed && key == NULL)
        (void)libcrypto_fail(failure, FAILURE_FAILED, "importing a private key");
    libcrypto.BN_clear_free(private_key);
    libcrypto.BN_clear_free(public_key);
    libcrypto.BN_clear_free(g);
    libcrypto.BN_clear_free(p);
    libcrypto.BN_CTX_free(context);
    return key;
}

static EVP_PKEY *import_ecp(const struct key_exchange_method *method, BIGNUM *private_key, struct failure *failure)
{
    uint8_t octets[1 + PRIVATE_MAXIMUM_BYTES];
    size_t length = 1U + method->public_bytes;
    EC_GROUP *group = libcrypto.EC_GROUP_new_by_curve_name(libcrypto.OBJ_txt2nid(method->library_name));
    EC_POINT *point = group != NULL ? libcrypto.EC_POINT_new(group) : NULL;
    EVP_PKEY *key = NULL;

    if (point == NULL) {
        (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, method->name);
    } else if (libcrypto.BN_is_zero(private_key) ||
               libcrypto.BN_cmp(private_key, libcrypto.EC_GROUP_get0_order(group)) >= 0) {
        (void)fail(failure, FAILURE_USAGE, "private: not a number from 1 to n - 1 of %s", method->name);
    } else {
        if (libcrypto.EC_POINT_mul(group, point, private_key, NULL, NULL, NULL) > 0 &&
            libcrypto.EC_POINT_point2oct(group, point, POINT_UNCOMPRESSED, octets, length, NULL) == length)
            key = is_first_generation() ? ecp_from_object(method, private_key, point)
                                        : ecp_from_parameters(method, private_key, octets, length);
        if (key == NULL)
            (void)libcrypto_fail(failure, FAILURE_FAILED, "importing a private key");
    }
    libcrypto.EC_POINT_free(point);
    libcrypto.EC_GROUP_free(group);
    libcrypto.BN_clear_free(private_key);
    return key;
}

static EVP_PKEY *import_octets(const struct key_exchange_method *method, const uint8_t *private_key, size_t length,
                               struct failure *failure)
{
    EVP_PKEY *key = NULL;

    if (method->kind == KIND_MONTGOMERY)
        key = libcrypto.EVP_PKEY_new_raw_private_key(method->identifier, NULL, private_key, length);
    else if (libcrypto.EVP_PKEY_new_raw_private_key_ex != NULL)
        key = libcrypto.EVP_PKEY_new_raw_private_key_ex(NULL, method->library_name, NULL, private_key, length);
    if (key == NULL) {
        libcrypto.ERR_clear_error();
        (void)fail(failure, FAILURE_USAGE, "private: not a private key of %s (%zu octets)", method->name, length);
    }
    return key;
}

EVP_PKEY *key_exchange_import(const struct key_exchange_method *method, const uint8_t *private_key, size_t length,
                              struct failure *failure)
{
    BIGNUM *scalar;

    if (method->kind == KIND_MONTGOMERY || method->kind == KIND_ML_KEM)
        return import_octets(method, private_key, length, failure);
    if (length == 0 || length > PRIVATE_MAXIMUM_BYTES) {
        (void)fail(failure, FAILURE_USAGE, "private: 1 to %d octets, not %zu", PRIVATE_MAXIMUM_BYTES, length);
        return NULL;
    }
    scalar = number(private_key, length);
    if (scalar == NULL)
        return no_memory(failure);
    return method->kind == KIND_MODP ? import_modp(method, scalar, failure) : import_ecp(method, scalar, failure);
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
        BIGNUM *value = number(octets, length);

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
