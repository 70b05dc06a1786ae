/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key exchange methods of IKE through libcrypto: MODP, ECP, Curve25519, Curve448 and ML-KEM.
 *
 * What one operation is (docs/agent-key-exchange.md says more):
 *
 *   generate     a fresh key pair, and its public value in the form of the Key Exchange payload
 *   agree        the peer's public value decoded and checked, and g^ir, with a private key at hand
 *   encapsulate  the peer's encapsulation key decoded and checked, a fresh secret and its ciphertext
 *   decapsulate  the secret of a ciphertext, with a decapsulation key at hand
 *
 * The arithmetic is reached through EVP_PKEY, as IKE daemons reach it, and not through the functions for big numbers and
 * points below it: these would leave out what a daemon pays for (blinding, checks, the objects themselves), would not
 * reach the constant-time code of the curves that have code of their own, and disappear from newer versions.
 */
#ifndef IPSECBENCH_KEY_EXCHANGE_H
#define IPSECBENCH_KEY_EXCHANGE_H

#include "key_exchange_keys.h"

extern const struct family key_exchange_family;

/* NULL when there is no such method. */
const struct key_exchange_method *key_exchange_method_find(const char *name);

#endif
