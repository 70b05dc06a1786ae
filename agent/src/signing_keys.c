/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test keys. RSA: each prime is a pattern with its two highest bits set, plus the smallest number that makes a prime of
 * it. ECDSA: the private number is a pattern whose first octet is zero. EdDSA: the seed is a pattern.
 *
 * The signatures were made with pycryptodome 4.4.0: RSASSA-PSS without a salt, of which head and tail are kept; ECDSA as
 * in RFC 6979, in DER; EdDSA as in RFC 8032.
 */
#include "signing_keys.h"

#include <string.h>

#include "der_writer.h"
#include "key_exchange.h"
#include "key_exchange_keys.h"
#include "known_answers_public_key.h"

const char signature_answers[] =
    "\x08" "rsa-2048"
    "\x10" "\x76\xb6\x05\xb1\x42\xc7\x53\xaa\xd3\xf3\x31\xe5\x20\x67\x44\x62"
    "\x08" "rsa-3072"
    "\x10" "\x0b\x1a\xb6\x7a\x77\xcc\xc1\x86\x47\xfc\x7a\xe7\x8c\x8e\x36\x79"
    "\x08" "rsa-4096"
    "\x10" "\x0e\xcb\x74\xd5\xd5\x14\x89\xe8\x07\x29\xb6\x58\x73\x22\x53\x36"
    "\x09" "ecdsa-256"
    "\x48" "\x30\x46\x02\x21\x00\xb2\x7f\x72\xcf\x51\xe1\x03\x9f\x87\xad\xec\x6d\x08\xa9\xec\x9f\xa3\xa9\x4b\x71\xfe"
           "\x74\x60\x99\x5c\x54\xff\x07\x62\x2f\x30\x3c\x02\x21\x00\x89\x5c\x35\x91\x7e\x70\xa3\x35\xc0\x9e\xb9\x7f"
           "\xfa\xf9\x53\x5c\x1d\x45\x31\x07\xb8\x17\x89\xf6\xb1\xaf\xec\xc0\x16\x48\x89\x6b"
    "\x09" "ecdsa-384"
    "\x67" "\x30\x65\x02\x31\x00\xe0\x94\x35\xbd\xa1\x51\xda\xde\xf2\x78\x54\xe2\x18\xec\x86\x69\xbe\x97\xbd\x67\xc2"
           "\xd1\x75\x8f\x5f\xfa\xce\x2c\x5b\x78\xd2\xd3\x4e\x7f\x7b\x2e\x85\xcf\x8e\xcd\x34\xb8\x71\x18\x93\xe9\x15"
           "\x20\x02\x30\x1c\xf9\x0b\x18\xcd\x81\xcb\xd2\x5a\x4c\x78\x3f\x2b\xf0\x39\xab\x5c\xbd\x9c\x59\x93\x36\xf4"
           "\x21\xc9\xa5\x4d\xdb\x0c\xbd\xf3\x55\xc7\x78\xaf\x08\x07\x66\xa0\xbd\x3b\x9e\x64\x34\xaa\x55\xdb\x46"
    "\x09" "ecdsa-521"
    "\x8b" "\x30\x81\x88\x02\x42\x00\xd4\x41\x22\xab\x8b\xa4\x44\x47\xb2\x4e\x3a\xc2\x7c\xe6\xf9\x97\xd9\x41\x26\x5b"
           "\x6a\x9e\x74\x38\x4d\x8e\xa1\x40\x1e\x6f\xde\x09\xf5\x66\x27\xd6\xd1\x30\xce\x79\x1b\x81\xf6\x2d\xfb\x98"
           "\x75\x2d\xd5\x0a\x4a\xd2\xdb\xfa\xa8\x4f\x40\x0c\xeb\xc2\xbf\x20\xa1\x92\x73\x02\x42\x01\x08\x21\xcc\xa3"
           "\x17\xbf\x2c\x67\xaf\xfe\x14\xfc\x9d\x05\x6c\x9f\x12\x3c\xe1\x45\x4d\x0f\x9e\x44\x04\x6c\xba\xf9\xbf\xa7"
           "\x33\x7a\x5a\xda\x95\x33\x22\xd1\x2b\x1a\x17\x45\x2a\xfc\xec\x2a\x40\xb8\x4c\x01\x2e\x72\x06\xd9\x37\xf4"
           "\x56\x34\xfc\x36\x94\xcd\xea\xdd\x0a"
    "\x07" "ed25519"
    "\x40" "\xaf\x4e\x84\x5c\xd0\x06\x90\x0b\x13\x45\x7e\xd6\x9c\x28\x7d\xe7\xae\xcf\xc6\xdf\x74\xfd\xc5\x79\xa6\xf4"
           "\xbe\xdf\x3f\x02\xf3\xee\xc8\xd1\x4e\x78\x19\xc9\x91\xdc\x43\xf1\x2b\xff\x91\x2e\xc4\xb1\x31\x1d\x86\x86"
           "\x79\xf7\x42\x78\x6d\x7d\xab\x63\xa6\x87\x05\x03"
    "\x05" "ed448"
    "\x72" "\xfd\x21\xd9\x0d\x79\xcf\xcd\x0a\xe3\x2a\x89\x43\xd2\x38\x05\x11\x32\x20\x78\x0d\x0e\x66\x26\x93\x57\xa5"
           "\xda\x04\x6a\xb0\xf2\xe9\x8c\xdc\xee\x0f\xcb\x4e\xf8\x38\xf7\x1d\x83\xcd\x61\x88\x62\x48\xe8\x63\xd1\x6c"
           "\x47\x64\x54\xfd\x80\xbf\x5d\xaf\xd8\x5c\xaf\xc4\x4c\x69\xd7\x01\x76\x60\x74\xea\x03\x5d\x68\x6e\x32\x0e"
           "\xdd\x9a\x3d\xa6\x24\x7f\xe3\x74\x46\x7e\x30\xe2\x92\xc3\x33\xb5\xb7\xb3\x30\x82\x83\x22\x43\x9f\xd7\x38"
           "\xfe\x44\x85\x53\xb5\xb3\x3e\x68\x24\x00";

enum {
    ED25519_TYPE = 1087, /* EVP_PKEY_ED25519 */
    ED448_TYPE = 1088,
    ED25519_BYTES = 32,
    ED448_BYTES = 57,
    OCTETS_START = 3,
    PRIVATE_START = 0,
    FIRST_PRIME_START = 255,
    SECOND_PRIME_START = 192,
    PUBLIC_EXPONENT = 65537,
    PRIME_MAXIMUM_BYTES = 256,
    RSA_NUMBERS = 8
};

static const struct {
    uint16_t modulus_bits;
    uint16_t first_addend, second_addend;
} rsa_keys[] = {{2048, 253, 356}, {3072, 2561, 4}, {4096, 373, 398}};

void signed_octets(uint8_t octets[SIGNED_OCTETS_BYTES])
{
    answer_pattern(OCTETS_START, octets, SIGNED_OCTETS_BYTES);
}

static bool make_prime(BIGNUM *prime, size_t length, uint8_t start, unsigned addend)
{
    uint8_t octets[PRIME_MAXIMUM_BYTES];

    answer_pattern(start, octets, length);
    octets[0] |= 0xC0;
    return libcrypto.BN_bin2bn(octets, (int)length, prime) != NULL && libcrypto.BN_add_word(prime, addend);
}

/* The numbers of RSAPrivateKey (RFC 8017 appendix A.1.2), from n to the coefficient, out of the primes. */
static bool make_numbers(BIGNUM *const numbers[RSA_NUMBERS], size_t key, BN_CTX *context, BIGNUM *scratch)
{
    BIGNUM *n = numbers[0], *e = numbers[1], *d = numbers[2], *p = numbers[3], *q = numbers[4];
    BIGNUM *d_p = numbers[5], *d_q = numbers[6], *coefficient = numbers[7];
    size_t prime_bytes = rsa_keys[key].modulus_bits / 16;

    return make_prime(p, prime_bytes, FIRST_PRIME_START, rsa_keys[key].first_addend) &&
           make_prime(q, prime_bytes, SECOND_PRIME_START, rsa_keys[key].second_addend) &&
           libcrypto.BN_add_word(e, PUBLIC_EXPONENT) && libcrypto.BN_mul(n, p, q, context) &&
           libcrypto.BN_mod_inverse(coefficient, q, p, context) != NULL && libcrypto.BN_sub_word(p, 1) &&
           libcrypto.BN_sub_word(q, 1) && libcrypto.BN_mul(scratch, p, q, context) &&
           libcrypto.BN_mod_inverse(d, e, scratch, context) != NULL &&
           libcrypto.BN_div(NULL, d_p, d, p, context) && libcrypto.BN_div(NULL, d_q, d, q, context) &&
           libcrypto.BN_add_word(p, 1) && libcrypto.BN_add_word(q, 1);
}

/* RSAPrivateKey: version 0 and the numbers. */
static EVP_PKEY *decode_rsa(BIGNUM *const numbers[RSA_NUMBERS])
{
    static const uint8_t version = 0;
    struct der_writer writer = {.at = DER_CAPACITY_BYTES};
    uint8_t octets[2 * PRIME_MAXIMUM_BYTES];
    const uint8_t *reading;

    for (size_t i = RSA_NUMBERS; i > 0; i--) {
        (void)libcrypto.BN_bn2binpad(numbers[i - 1], octets, sizeof octets);
        der_put_integer(&writer, octets, sizeof octets);
    }
    der_put_integer(&writer, &version, 1);
    der_wrap(&writer, DER_SEQUENCE, DER_CAPACITY_BYTES);
    reading = writer.octets + writer.at;
    return libcrypto.d2i_AutoPrivateKey(NULL, &reading, (long)(DER_CAPACITY_BYTES - writer.at));
}

static EVP_PKEY *create_rsa(size_t key)
{
    BN_CTX *context = libcrypto.BN_CTX_new();
    BIGNUM *numbers[RSA_NUMBERS + 1];
    bool good = context != NULL;
    EVP_PKEY *result = NULL;

    for (size_t i = 0; i <= RSA_NUMBERS; i++) {
        numbers[i] = libcrypto.BN_new();
        good = good && numbers[i] != NULL;
    }
    if (good && make_numbers(numbers, key, context, numbers[RSA_NUMBERS]))
        result = decode_rsa(numbers);
    for (size_t i = 0; i <= RSA_NUMBERS; i++)
        libcrypto.BN_clear_free(numbers[i]);
    libcrypto.BN_CTX_free(context);
    return result;
}

static EVP_PKEY *create_ecdsa(const char *curve)
{
    const struct key_exchange_method *method = key_exchange_method_find(curve);
    uint8_t number[PRIVATE_MAXIMUM_BYTES];
    struct failure failure;

    answer_pattern(PRIVATE_START, number, method->secret_bytes);
    return key_exchange_import(method, number, method->secret_bytes, &failure);
}

static EVP_PKEY *create_eddsa(int type, size_t length)
{
    uint8_t seed[ED448_BYTES];

    answer_pattern(PRIVATE_START, seed, length);
    return libcrypto.EVP_PKEY_new_raw_private_key(type, NULL, seed, length);
}

EVP_PKEY *signing_key_create(const char *name)
{
    const char *size = name + strcspn(name, "-0123456789");

    if (size[0] != '-')
        return size[0] == '2' ? create_eddsa(ED25519_TYPE, ED25519_BYTES) : create_eddsa(ED448_TYPE, ED448_BYTES);
    if (name[0] == 'r')
        return create_rsa((size_t)(size[1] - '2')); /* rsa-2048, rsa-3072, rsa-4096 */
    return create_ecdsa(size[1] == '2' ? "ecp256" : size[1] == '3' ? "ecp384" : "ecp521");
}
