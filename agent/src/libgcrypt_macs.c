/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC and CMAC with libgcrypt. It has no AES-XCBC-MAC, but a CBC-MAC mode of AES, from which that is built (RFC 3566).
 */
#include <stdlib.h>
#include <string.h>

#include "libgcrypt.h"

enum { BLOCK = 16 };

struct libgcrypt_mac {
    struct mac mac;
    gcry_mac_hd_t handle;
    gcry_cipher_hd_t cbc_mac; /* XCBC: keyed with K1 */
    uint8_t k2[BLOCK], k3[BLOCK];
};

/* GCRY_MAC_* */
static int mac_number(const struct mac_algorithm *algorithm)
{
    static const int hmac_numbers[] = {
        [HASH_MD5] = 106, [HASH_SHA1] = 105, [HASH_SHA256] = 101, [HASH_SHA384] = 104, [HASH_SHA512] = 103,
    };

    return algorithm->kind == MAC_CMAC ? 201 : hmac_numbers[algorithm->hash];
}

static bool compute(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    gcry_mac_hd_t handle = ((struct libgcrypt_mac *)(void *)mac)->handle;
    size_t tag_length = mac->algorithm->mac_bytes;

    return libgcrypt.gcry_mac_ctl(handle, GCRYCTL_RESET, NULL, 0) == 0 &&
           libgcrypt.gcry_mac_write(handle, data, length) == 0 &&
           libgcrypt.gcry_mac_read(handle, tag, &tag_length) == 0;
}

/* RFC 3566 section 4: CBC-MAC over all blocks but the last, which is first combined with K2 (full) or K3 (padded). */
static bool compute_xcbc(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    static const uint8_t zero_iv[BLOCK];
    struct libgcrypt_mac *self = (struct libgcrypt_mac *)(void *)mac;
    size_t body = length > 0 ? (length - 1) / BLOCK * BLOCK : 0;
    size_t rest = length - body;
    const uint8_t *mask = rest == BLOCK ? self->k2 : self->k3;
    uint8_t last[BLOCK] = {0};

    if (libgcrypt.gcry_cipher_setiv(self->cbc_mac, zero_iv, BLOCK) != 0)
        return false;
    if (body > 0 && libgcrypt.gcry_cipher_encrypt(self->cbc_mac, tag, BLOCK, data, body) != 0)
        return false;
    if (rest > 0)
        memcpy(last, data + body, rest);
    if (rest < BLOCK)
        last[rest] = 0x80;
    for (size_t i = 0; i < BLOCK; i++)
        last[i] ^= mask[i];
    return libgcrypt.gcry_cipher_encrypt(self->cbc_mac, tag, BLOCK, last, BLOCK) == 0;
}

static void destroy(struct mac *mac)
{
    struct libgcrypt_mac *self = (struct libgcrypt_mac *)(void *)mac;

    if (self->handle != NULL)
        libgcrypt.gcry_mac_close(self->handle);
    if (self->cbc_mac != NULL)
        libgcrypt.gcry_cipher_close(self->cbc_mac);
    free(self);
}

/* Encrypts the constants of RFC 3566 section 4 with the key: K1 keys the CBC-MAC, K2 and K3 mask the last block. */
static unsigned set_xcbc_key(struct libgcrypt_mac *self, const uint8_t *key)
{
    static const uint8_t zero_iv[BLOCK];
    uint8_t k1[BLOCK], constant[BLOCK];
    uint8_t *const derived[] = {k1, self->k2, self->k3};
    unsigned error = libgcrypt.gcry_cipher_open(&self->cbc_mac, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC,
                                                GCRY_CIPHER_CBC_MAC);

    if (error != 0)
        return error;
    error = libgcrypt.gcry_cipher_setkey(self->cbc_mac, key, BLOCK);
    for (int i = 0; i < 3 && error == 0; i++) {
        memset(constant, i + 1, sizeof constant);
        error = libgcrypt.gcry_cipher_setiv(self->cbc_mac, zero_iv, BLOCK);
        if (error == 0)
            error = libgcrypt.gcry_cipher_encrypt(self->cbc_mac, derived[i], BLOCK, constant, BLOCK);
    }
    return error != 0 ? error : libgcrypt.gcry_cipher_setkey(self->cbc_mac, k1, BLOCK);
}

struct mac *libgcrypt_new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                              struct failure *failure)
{
    struct libgcrypt_mac *self = calloc(1, sizeof *self);
    unsigned error;

    if (self == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a MAC");
        return NULL;
    }
    self->mac.algorithm = algorithm;
    self->mac.destroy = destroy;
    if (algorithm->kind == MAC_XCBC) {
        self->mac.compute = compute_xcbc;
        error = set_xcbc_key(self, key);
    } else {
        self->mac.compute = compute;
        error = libgcrypt.gcry_mac_open(&self->handle, mac_number(algorithm), 0, NULL);
        if (error == 0)
            error = libgcrypt.gcry_mac_setkey(self->handle, key, key_length);
    }
    if (error != 0) {
        (void)libgcrypt_fail(failure, FAILURE_FAILED, algorithm->name, error);
        destroy(&self->mac);
        return NULL;
    }
    return &self->mac;
}

bool libgcrypt_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure)
{
    static const uint8_t key[KEY_BYTES_MAXIMUM];
    struct mac *trial = libgcrypt_new_mac(algorithm, key, algorithm->key_bytes, failure);

    if (trial == NULL) {
        if (failure->code == FAILURE_FAILED)
            failure->code = FAILURE_UNSUPPORTED;
        return false;
    }
    destroy_mac(trial);
    return true;
}
