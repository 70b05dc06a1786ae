/* SPDX-License-Identifier: Apache-2.0 */
/* What each ESP algorithm is: sizes and their sources. Nothing here depends on a library. */
#ifndef IPSECBENCH_ALGORITHMS_H
#define IPSECBENCH_ALGORITHMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEY_BYTES_MAXIMUM = 64, /* HMAC-SHA-512 */
    IV_BYTES_MAXIMUM = 16,
    SALT_BYTES_MAXIMUM = 4,
    MAC_BYTES_MAXIMUM = 64,
    ICV_BYTES_MAXIMUM = 32,
    BLOCK_BYTES_MAXIMUM = 16
};

enum cipher_kind { CIPHER_NULL, CIPHER_CBC, CIPHER_CTR, CIPHER_GCM, CIPHER_CCM, CIPHER_CHACHA20_POLY1305, CIPHER_GMAC };

/* The cipher under the mode; the providers map it to their own numbers and names. */
enum block_cipher {
    BLOCK_NONE,
    BLOCK_AES,
    BLOCK_3DES,
    BLOCK_DES,
    BLOCK_BLOWFISH,
    BLOCK_CAST128,
    BLOCK_CAMELLIA,
    BLOCK_TWOFISH,
    BLOCK_SERPENT
};

struct cipher_algorithm {
    char name[18]; /* strongSwan's proposal token */
    enum cipher_kind kind;
    enum block_cipher block_cipher;
    uint8_t key_bytes;
    uint8_t salt_bytes;  /* at the end of KEYMAT; the start of the nonce */
    uint8_t iv_bytes;    /* carried in every packet */
    uint8_t block_bytes; /* what the plaintext must be a multiple of */
    uint8_t icv_bytes;   /* 0: needs a separate integrity algorithm */
};

enum mac_kind { MAC_HMAC, MAC_XCBC, MAC_CMAC };

enum hash { HASH_NONE, HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

struct mac_algorithm {
    char name[9];
    enum mac_kind kind;
    enum hash hash;
    uint8_t key_bytes; /* in ESP; HMAC itself takes any */
    uint8_t mac_bytes; /* untruncated */
    uint8_t icv_bytes; /* in ESP */
};

extern const struct cipher_algorithm cipher_algorithms[];
extern const size_t cipher_algorithm_count;
extern const struct mac_algorithm mac_algorithms[];
extern const size_t mac_algorithm_count;

/* NULL when there is no such algorithm. */
const struct cipher_algorithm *cipher_algorithm_find(const char *name);
const struct mac_algorithm *mac_algorithm_find(const char *name);

/* True for ciphers that make their own ICV: GCM, CCM, ChaCha20-Poly1305 and GMAC. */
static inline bool cipher_is_combined(const struct cipher_algorithm *algorithm)
{
    return algorithm->icv_bytes != 0;
}

/* Salt and IV together; for CTR without the block counter. */
static inline size_t nonce_bytes(const struct cipher_algorithm *algorithm)
{
    return (size_t)algorithm->salt_bytes + algorithm->iv_bytes;
}

/* A legal ESP suite: a cipher with an integrity algorithm, or a combined one alone (mac NULL). RFC 8221 section 4. */
struct esp_suite {
    const struct cipher_algorithm *cipher;
    const struct mac_algorithm *mac;
};

size_t esp_suite_count(void);
/* The suite with this number, below esp_suite_count(). */
struct esp_suite esp_suite_at(size_t index);
/* Writes "aes128-sha256" or "aes128gcm16". */
void esp_suite_name(const struct esp_suite *suite, char *name, size_t capacity);

#endif
