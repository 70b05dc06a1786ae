/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgcrypt 1.8 or later (libgcrypt.so.20), loaded at run time. Functions are called as libgcrypt.gcry_cipher_open();
 * each is one line of libgcrypt.def and all of them are required.
 */
#ifndef IPSECBENCH_LIBGCRYPT_H
#define IPSECBENCH_LIBGCRYPT_H

#include "operation.h"
#include "symmetric.h"

typedef struct gcry_cipher_handle *gcry_cipher_hd_t;
typedef struct gcry_mac_handle *gcry_mac_hd_t;

struct libgcrypt {
#define REQUIRED(result, name, parameters) result(*name) parameters;
#include "libgcrypt.def"
#undef REQUIRED
};

extern struct libgcrypt libgcrypt;

/* Loads the library at the first call (main thread only) and says what was found. Never NULL. */
const struct library *libgcrypt_library(void);

bool libgcrypt_ready(struct failure *failure);

/* FAILURE_FAILED (or another code) with what was tried and libgcrypt's words for the error. Always false. */
bool libgcrypt_fail(struct failure *failure, enum failure_code code, const char *what, unsigned error);

bool libgcrypt_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure);
struct mac *libgcrypt_new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                              struct failure *failure);

/* gcrypt.h: controls, ciphers, modes and flags. */
enum { GCRYCTL_RESET = 4, GCRYCTL_DISABLE_SECMEM = 37, GCRYCTL_INITIALIZATION_FINISHED = 38, GCRYCTL_SET_CCM_LENGTHS = 69 };
enum { GCRY_CIPHER_AES128 = 7, GCRY_CIPHER_MODE_CBC = 3, GCRY_CIPHER_CBC_MAC = 8 };

#endif
