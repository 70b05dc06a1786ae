/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys for measuring signatures. They are made from patterns that are published here and protect nothing.
 */
#ifndef IPSECBENCH_SIGNING_KEYS_H
#define IPSECBENCH_SIGNING_KEYS_H

#include "libcrypto.h"

/*
 * What is signed in IKE_AUTH (RFC 7296 section 2.15) is the first message of the exchange, the peer's nonce and
 * prf(SK_p, ID'): some 350 to 600 octets with one proposal list and one key exchange. This length is in the middle.
 */
enum { SIGNED_OCTETS_BYTES = 512 };

/* The test key of "rsa-2048" and so on; NULL when libcrypto fails. */
EVP_PKEY *signing_key_create(const char *name);

/* The octets that are signed. */
void signed_octets(uint8_t octets[SIGNED_OCTETS_BYTES]);

#endif
