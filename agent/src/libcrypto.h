/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box's own libcrypto (1.1.1, 3.x or 4.x), loaded at run time.
 *
 * Functions are called as libcrypto.EVP_CIPHER_CTX_new(). Each is one line of libcrypto_symmetric.def or
 * libcrypto_public_key.def:
 *
 *     REQUIRED(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *, int, int, void *))
 *     OPTIONAL(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX *, const char *, const char *))
 *
 * A library without a REQUIRED function is unusable; an OPTIONAL one is NULL where it is missing, and must be compared
 * with NULL before use.
 */
#ifndef IPSECBENCH_LIBCRYPTO_H
#define IPSECBENCH_LIBCRYPTO_H

#include "libcrypto_types.h"
#include "operation.h"

struct libcrypto {
    /* First the functions, in the order of the two lists, and nothing between them: they are filled in by a loop. */
#define REQUIRED(result, name, parameters) result(*name) parameters;
#define OPTIONAL(result, name, parameters) result(*name) parameters;
#include "libcrypto_public_key.def"
#include "libcrypto_symmetric.def"
#undef REQUIRED
#undef OPTIONAL
    unsigned long version_number; /* OpenSSL_version_num(): 0x30000130 for 3.0.19 */
    unsigned major;               /* 1, 3, 4 */
    bool has_legacy_provider;     /* true for 1.1.1, where the old ciphers are built in */
};

extern struct libcrypto libcrypto;

/* Loads the library at the first call (main thread only) and says what was found. Never NULL. */
const struct library *libcrypto_library(void);

/* True when the library is usable; otherwise FAILURE_LIBRARY with the reason. */
bool libcrypto_ready(struct failure *failure);

/* "libcrypto 3.0.19", for messages. */
const char *libcrypto_short_version(void);

/* FAILURE_FAILED (or another code) with what was tried and libcrypto's own last error; clears its error queue. */
bool libcrypto_fail(struct failure *failure, enum failure_code code, const char *what);

#endif
