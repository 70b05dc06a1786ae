/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys for measuring signatures. They are published here and protect nothing.
 */
#ifndef IPSECBENCH_SIGNING_KEYS_H
#define IPSECBENCH_SIGNING_KEYS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What is signed in IKE_AUTH (RFC 7296 section 2.15) is the first message of the exchange, the peer's nonce and
 * prf(SK_p, ID'): some 350 to 600 octets with one proposal list and one key exchange. This length is in the middle.
 */
enum { SIGNED_OCTETS_BYTES = 512 };

struct signing_key {
    const char *name;             /* "rsa-2048" */
    const uint8_t *private_key;   /* PKCS #8, DER */
    size_t private_key_bytes;
    const uint8_t *signature;     /* over signed_octets(), made by another implementation */
    size_t signature_bytes;
};

/* NULL when there is none. */
const struct signing_key *signing_key_find(const char *name);

/* The octets that are signed. */
void signed_octets(uint8_t octets[SIGNED_OCTETS_BYTES]);

#endif
