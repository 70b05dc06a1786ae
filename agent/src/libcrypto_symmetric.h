/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the provider symmetric_libcrypto. */
#ifndef IPSECBENCH_LIBCRYPTO_SYMMETRIC_H
#define IPSECBENCH_LIBCRYPTO_SYMMETRIC_H

#include "libcrypto.h"
#include "symmetric.h"

/* libcrypto's object for a cipher name such as "AES-128-CBC", or NULL; fetched once. Main thread only. */
const EVP_CIPHER *libcrypto_cipher(const char *name);

bool libcrypto_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure);
struct mac *libcrypto_new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                              struct failure *failure);

#endif
