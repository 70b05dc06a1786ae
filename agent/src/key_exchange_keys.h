/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of the key exchange methods as libcrypto objects, in the form that IKE sends them.
 *
 * Keys of numbers are handed over as PKCS #8, which all versions read alike. Two generations of the library are told apart
 * here and nowhere else: 1.1.1, where a public value is read from and written to a DH or an EC_KEY in an EVP_PKEY, and 3.0
 * and later, where it is a parameter.
 */
#ifndef IPSECBENCH_KEY_EXCHANGE_KEYS_H
#define IPSECBENCH_KEY_EXCHANGE_KEYS_H

#include "libcrypto.h"
#include "modp_groups.h"

enum key_exchange_kind { KIND_MODP, KIND_ECP, KIND_MONTGOMERY, KIND_ML_KEM };

enum {
    PUBLIC_MAXIMUM_BYTES = 1600, /* ML-KEM-1024: 1568 */
    SECRET_MAXIMUM_BYTES = 1024, /* modp8192 */
    PRIVATE_MAXIMUM_BYTES = 1024
};

/* The names are arrays and not pointers, which would take four times the room in a program that is loaded anywhere. */
struct key_exchange_method {
    char name[13];         /* "modp2048" */
    char curve[12];        /* ECP: OBJECT IDENTIFIER in DER; ML-KEM: libcrypto's name; others: empty */
    uint8_t kind;          /* enum key_exchange_kind */
    uint16_t identifier;   /* Montgomery curves: EVP_PKEY_X25519 and EVP_PKEY_X448 */
    uint16_t public_bytes; /* Key Exchange Data: a number, x | y without a point format octet, u, or an ML-KEM key */
    uint16_t secret_bytes; /* g^ir: RFC 7296 section 2.14, RFC 5903 section 7 (x only) */
    uint16_t ciphertext_bytes; /* ML-KEM only */
};

/*
 * A key that stands for the domain parameters: keys are generated from it, and a peer's value is written into it. Not for
 * ML-KEM, which has none. exponent_bits counts for MODP only; 0 leaves it to libcrypto.
 */
EVP_PKEY *key_exchange_parameters(const struct key_exchange_method *method, unsigned exponent_bits,
                                  struct failure *failure);

/* A context that generates fresh key pairs, from parameters where the method has them. */
EVP_PKEY_CTX *key_exchange_generator(const struct key_exchange_method *method, EVP_PKEY *parameters,
                                     unsigned exponent_bits, struct failure *failure);

/*
 * A key pair from a given private key, for compute and known answers. MODP and ECP: a big-endian number of any length;
 * Montgomery: the octets of RFC 7748; ML-KEM: the expanded decapsulation key. FAILURE_USAGE when it is out of range.
 */
EVP_PKEY *key_exchange_import(const struct key_exchange_method *method, const uint8_t *private_key, size_t length,
                              struct failure *failure);

/* Writes Key Exchange Data: method->public_bytes octets. */
bool key_exchange_public(const struct key_exchange_method *method, EVP_PKEY *key, uint8_t *octets);

/*
 * Replaces the public value of peer by the given Key Exchange Data (method->public_bytes octets). False when libcrypto
 * refuses the value: a number outside [2, p - 2], a point that is not on the curve.
 */
bool key_exchange_set_peer(const struct key_exchange_method *method, EVP_PKEY *peer, const uint8_t *octets);

/* Length in bits of a MODP private exponent; 0 when it cannot be read. */
unsigned key_exchange_exponent_bits(EVP_PKEY *key);

#endif
