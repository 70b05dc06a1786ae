/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "libgcrypt.h"

struct libgcrypt_cipher {
    struct cipher cipher;
    gcry_cipher_hd_t handle;
};

static gcry_cipher_hd_t handle_of(struct cipher *cipher)
{
    return ((struct libgcrypt_cipher *)(void *)cipher)->handle;
}

/* GCRY_CIPHER_*: 0 when libgcrypt has no such cipher. */
static int cipher_number(const struct cipher_algorithm *algorithm)
{
    int size = (algorithm->key_bytes - 16) / 8; /* 0, 1, 2 for 128, 192, 256 bits */

    switch (algorithm->block_cipher) {
    case BLOCK_AES:
        return GCRY_CIPHER_AES128 + size;
    case BLOCK_3DES:
        return 2;
    case BLOCK_CAST128:
        return 3;
    case BLOCK_BLOWFISH:
        return 4;
    case BLOCK_DES:
        return 302;
    case BLOCK_TWOFISH:
        return algorithm->key_bytes == 16 ? 303 : 10;
    case BLOCK_SERPENT:
        return 304 + size;
    case BLOCK_CAMELLIA:
        return 310 + size;
    case BLOCK_NONE:
        return algorithm->kind == CIPHER_CHACHA20_POLY1305 ? 316 : 0;
    }
    return 0;
}

/* GCRY_CIPHER_MODE_* */
static int mode_number(const struct cipher_algorithm *algorithm)
{
    switch (algorithm->kind) {
    case CIPHER_CBC:
        return GCRY_CIPHER_MODE_CBC;
    case CIPHER_CTR:
        return 6;
    case CIPHER_CCM:
        return 8;
    case CIPHER_GCM:
    case CIPHER_GMAC:
        return 9;
    case CIPHER_CHACHA20_POLY1305:
        return 10;
    case CIPHER_NULL:
        return 0;
    }
    return 0;
}

static bool encrypt_cbc(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    gcry_cipher_hd_t handle = handle_of(cipher);

    return libgcrypt.gcry_cipher_setiv(handle, iv, cipher->algorithm->block_bytes) == 0 &&
           libgcrypt.gcry_cipher_encrypt(handle, output, length, input, length) == 0;
}

static bool decrypt_cbc(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    gcry_cipher_hd_t handle = handle_of(cipher);

    return libgcrypt.gcry_cipher_setiv(handle, iv, cipher->algorithm->block_bytes) == 0 &&
           libgcrypt.gcry_cipher_decrypt(handle, output, length, input, length) == 0;
}

/* Counter mode is the same in both directions. */
static bool crypt_ctr(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    gcry_cipher_hd_t handle = handle_of(cipher);

    return libgcrypt.gcry_cipher_setctr(handle, iv, BLOCK_BYTES_MAXIMUM) == 0 &&
           libgcrypt.gcry_cipher_encrypt(handle, output, length, input, length) == 0;
}

/* Everything before the data: nonce, the lengths that CCM wants to know first, associated data. */
static bool start_message(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                          size_t length)
{
    const struct cipher_algorithm *algorithm = cipher->algorithm;
    gcry_cipher_hd_t handle = handle_of(cipher);

    if (libgcrypt.gcry_cipher_setiv(handle, nonce, nonce_bytes(algorithm)) != 0)
        return false;
    if (algorithm->kind == CIPHER_CCM) {
        uint64_t lengths[3] = {length, aad_length, algorithm->icv_bytes};

        if (libgcrypt.gcry_cipher_ctl(handle, GCRYCTL_SET_CCM_LENGTHS, lengths, sizeof lengths) != 0)
            return false;
    }
    return aad_length == 0 || libgcrypt.gcry_cipher_authenticate(handle, aad, aad_length) == 0;
}

static bool seal(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv)
{
    gcry_cipher_hd_t handle = handle_of(cipher);
    unsigned error = 0;

    if (!start_message(cipher, nonce, aad, aad_length, length))
        return false;
    if (output != NULL)
        error = libgcrypt.gcry_cipher_encrypt(handle, output, length, input, length);
    else if (length > 0)
        error = libgcrypt.gcry_cipher_authenticate(handle, input, length);
    return error == 0 && libgcrypt.gcry_cipher_gettag(handle, icv, cipher->algorithm->icv_bytes) == 0;
}

static bool open_sealed(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                        const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    gcry_cipher_hd_t handle = handle_of(cipher);
    unsigned error = 0;

    if (!start_message(cipher, nonce, aad, aad_length, length))
        return false;
    if (output != NULL)
        error = libgcrypt.gcry_cipher_decrypt(handle, output, length, input, length);
    else if (length > 0)
        error = libgcrypt.gcry_cipher_authenticate(handle, input, length);
    return error == 0 && libgcrypt.gcry_cipher_checktag(handle, icv, cipher->algorithm->icv_bytes) == 0;
}

static void destroy(struct cipher *cipher)
{
    libgcrypt.gcry_cipher_close(handle_of(cipher));
    free(cipher);
}

static struct cipher *new_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure)
{
    struct libgcrypt_cipher *self;
    unsigned error;

    if (algorithm->kind == CIPHER_NULL)
        return new_null_cipher(algorithm, failure);
    self = calloc(1, sizeof *self);
    if (self == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a cipher");
        return NULL;
    }
    self->cipher.algorithm = algorithm;
    self->cipher.destroy = destroy;
    if (cipher_is_combined(algorithm)) {
        self->cipher.seal = encrypt ? seal : NULL;
        self->cipher.open = encrypt ? NULL : open_sealed;
    } else if (algorithm->kind == CIPHER_CTR) {
        self->cipher.crypt = crypt_ctr;
    } else {
        self->cipher.crypt = encrypt ? encrypt_cbc : decrypt_cbc;
    }
    error = libgcrypt.gcry_cipher_open(&self->handle, cipher_number(algorithm), mode_number(algorithm), 0);
    if (error == 0) {
        error = libgcrypt.gcry_cipher_setkey(self->handle, key, algorithm->key_bytes);
        if (error != 0)
            libgcrypt.gcry_cipher_close(self->handle);
    }
    if (error != 0) {
        (void)libgcrypt_fail(failure, FAILURE_FAILED, algorithm->name, error);
        free(self);
        return NULL;
    }
    return &self->cipher;
}

/* libgcrypt says which key lengths a cipher takes only by refusing one (Twofish has no 192 bits), so one is tried. */
static bool offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    uint8_t key[KEY_BYTES_MAXIMUM];
    struct cipher *trial;

    for (size_t i = 0; i < sizeof key; i++) /* no weak key of DES */
        key[i] = (uint8_t)(0x13 + 0x25 * i);
    trial = new_cipher(algorithm, key, true, failure);
    if (trial == NULL) {
        if (failure->code == FAILURE_FAILED)
            failure->code = FAILURE_UNSUPPORTED;
        return false;
    }
    destroy_cipher(trial);
    return true;
}

const struct symmetric_provider symmetric_libgcrypt = {
    .name = "libgcrypt",
    .ready = libgcrypt_ready,
    .offers_cipher = offers_cipher,
    .offers_mac = libgcrypt_offers_mac,
    .new_cipher = new_cipher,
    .new_mac = libgcrypt_new_mac,
};
