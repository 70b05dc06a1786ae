/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures of IKE_AUTH through libcrypto (RFC 7427, requirements of RFC 8247 section 3):
 *
 *   rsa-*        RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 octets: the one that RFC 8247 section 3.2
 *                makes a MUST. PKCS #1 v1.5 costs the same but for the padding.
 *   ecdsa-256    SHA-256; ecdsa-384: SHA-384; ecdsa-521: SHA-512; DER, as RFC 7427 carries it
 *   ed25519, ed448  pure EdDSA (RFC 8420)
 *
 * One operation hashes SIGNED_OCTETS_BYTES and signs or verifies them with a key that is at hand; reading the key or the
 * certificate is not part of it.
 */
#ifndef IPSECBENCH_AUTHENTICATION_H
#define IPSECBENCH_AUTHENTICATION_H

#include "libcrypto.h"

extern const struct family authentication_family;

#endif
