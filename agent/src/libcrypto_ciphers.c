/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcrypto_symmetric.h"

/* EVP_CIPHER_CTX_ctrl(3) */
enum { CTRL_AEAD_SET_IVLEN = 0x9, CTRL_AEAD_GET_TAG = 0x10, CTRL_AEAD_SET_TAG = 0x11 };

enum { CIPHER_NAMES_MAXIMUM = 64, ALGORITHMS_MAXIMUM = 64 };

struct libcrypto_context {
    struct cipher cipher;
    EVP_CIPHER_CTX *context;
    OSSL_PARAM tag_parameter[2];
};

static struct {
    char name[32];
    const EVP_CIPHER *cipher;
} fetched[CIPHER_NAMES_MAXIMUM];

/* What offers_cipher() found, in the order of cipher_algorithms: making a context must not search by name. */
static const EVP_CIPHER *offered[ALGORITHMS_MAXIMUM];

const EVP_CIPHER *libcrypto_cipher(const char *name)
{
    size_t i;

    for (i = 0; i < CIPHER_NAMES_MAXIMUM && fetched[i].name[0] != '\0'; i++) {
        if (strcmp(fetched[i].name, name) == 0)
            return fetched[i].cipher;
    }
    if (i == CIPHER_NAMES_MAXIMUM)
        return NULL;
    copy_text(fetched[i].name, sizeof fetched[i].name, name);
    /* A cipher that was not fetched is looked up again, under a lock, at every use in 3.x. */
    if (libcrypto.EVP_CIPHER_fetch != NULL)
        fetched[i].cipher = libcrypto.EVP_CIPHER_fetch(NULL, name, NULL);
    else
        fetched[i].cipher = libcrypto.EVP_get_cipherbyname(name);
    libcrypto.ERR_clear_error();
    return fetched[i].cipher;
}

/* libcrypto's name, such as "AES-128-CBC" or "BF-CBC"; false when it has never had the algorithm. */
static bool cipher_name(const struct cipher_algorithm *algorithm, char *name, size_t capacity)
{
    static const char *const modes[] = {
        [CIPHER_CBC] = "CBC", [CIPHER_CTR] = "CTR", [CIPHER_GCM] = "GCM", [CIPHER_CCM] = "CCM", [CIPHER_GMAC] = "GCM",
    };
    const char *fixed = NULL;
    unsigned bits = algorithm->key_bytes * 8U;

    if (algorithm->kind == CIPHER_CHACHA20_POLY1305)
        fixed = "ChaCha20-Poly1305";
    switch (algorithm->block_cipher) {
    case BLOCK_AES:
        (void)snprintf(name, capacity, "AES-%u-%s", bits, modes[algorithm->kind]);
        return true;
    case BLOCK_CAMELLIA:
        (void)snprintf(name, capacity, "CAMELLIA-%u-%s", bits, modes[algorithm->kind]);
        return true;
    case BLOCK_3DES:
        fixed = "DES-EDE3-CBC";
        break;
    case BLOCK_DES:
        fixed = "DES-CBC";
        break;
    case BLOCK_BLOWFISH:
        fixed = "BF-CBC";
        break;
    case BLOCK_CAST128:
        fixed = "CAST5-CBC";
        break;
    case BLOCK_NONE:
    case BLOCK_TWOFISH:
    case BLOCK_SERPENT:
        break;
    }
    if (fixed != NULL)
        copy_text(name, capacity, fixed);
    return fixed != NULL;
}

static bool is_legacy(const struct cipher_algorithm *algorithm)
{
    return algorithm->block_cipher == BLOCK_DES || algorithm->block_cipher == BLOCK_BLOWFISH ||
           algorithm->block_cipher == BLOCK_CAST128;
}

static bool offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    char name[32];

    if (algorithm->kind == CIPHER_NULL)
        return true;
    if (!cipher_name(algorithm, name, sizeof name))
        return fail(failure, FAILURE_UNSUPPORTED, "libcrypto has no %s",
                    algorithm->block_cipher == BLOCK_TWOFISH ? "Twofish" : "Serpent");
    /* Once only: threads that make contexts may be reading it by the time this is asked again. */
    if (offered[algorithm - cipher_algorithms] == NULL)
        offered[algorithm - cipher_algorithms] = libcrypto_cipher(name);
    if (offered[algorithm - cipher_algorithms] != NULL)
        return true;
    return fail(failure, FAILURE_UNSUPPORTED, "%s has no '%s'%s", libcrypto_short_version(), name,
                is_legacy(algorithm) && !libcrypto.has_legacy_provider
                    ? ": its legacy provider (legacy.so) was not found"
                    : "");
}

static bool encrypt_blocks(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length,
                           uint8_t *output)
{
    EVP_CIPHER_CTX *context = ((struct libcrypto_context *)(void *)cipher)->context;
    int written = 0;

    return libcrypto.EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv) == 1 &&
           libcrypto.EVP_EncryptUpdate(context, output, &written, input, (int)length) == 1 &&
           (size_t)written == length;
}

static bool decrypt_blocks(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length,
                           uint8_t *output)
{
    EVP_CIPHER_CTX *context = ((struct libcrypto_context *)(void *)cipher)->context;
    int written = 0;

    return libcrypto.EVP_DecryptInit_ex(context, NULL, NULL, NULL, iv) == 1 &&
           libcrypto.EVP_DecryptUpdate(context, output, &written, input, (int)length) == 1 &&
           (size_t)written == length;
}

/* In 3.x a parameter costs about 20 ns less than the control, which is a translation of it. */
static bool get_tag(struct libcrypto_context *self, uint8_t *icv)
{
    if (libcrypto.EVP_CIPHER_CTX_get_params != NULL) {
        self->tag_parameter[0].data = icv;
        return libcrypto.EVP_CIPHER_CTX_get_params(self->context, self->tag_parameter) == 1;
    }
    return libcrypto.EVP_CIPHER_CTX_ctrl(self->context, CTRL_AEAD_GET_TAG, self->cipher.algorithm->icv_bytes, icv) == 1;
}

static bool set_tag(struct libcrypto_context *self, const uint8_t *icv)
{
    void *tag = (void *)(uintptr_t)icv; /* only read, though the interface does not say so */

    if (libcrypto.EVP_CIPHER_CTX_set_params != NULL) {
        self->tag_parameter[0].data = tag;
        return libcrypto.EVP_CIPHER_CTX_set_params(self->context, self->tag_parameter) == 1;
    }
    return libcrypto.EVP_CIPHER_CTX_ctrl(self->context, CTRL_AEAD_SET_TAG, self->cipher.algorithm->icv_bytes, tag) == 1;
}

/* GCM, GMAC and ChaCha20-Poly1305. */
static bool seal(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv)
{
    struct libcrypto_context *self = (struct libcrypto_context *)(void *)cipher;
    EVP_CIPHER_CTX *context = self->context;
    uint8_t nothing[16];
    int written = 0;

    if (libcrypto.EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) != 1)
        return false;
    if (aad_length > 0 && libcrypto.EVP_EncryptUpdate(context, NULL, &written, aad, (int)aad_length) != 1)
        return false;
    if (length > 0 && libcrypto.EVP_EncryptUpdate(context, output, &written, input, (int)length) != 1)
        return false;
    return libcrypto.EVP_EncryptFinal_ex(context, nothing, &written) == 1 && get_tag(self, icv);
}

static bool open_sealed(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    struct libcrypto_context *self = (struct libcrypto_context *)(void *)cipher;
    EVP_CIPHER_CTX *context = self->context;
    uint8_t nothing[16];
    int written = 0;

    if (libcrypto.EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) != 1 || !set_tag(self, icv))
        return false;
    if (aad_length > 0 && libcrypto.EVP_DecryptUpdate(context, NULL, &written, aad, (int)aad_length) != 1)
        return false;
    if (length > 0 && libcrypto.EVP_DecryptUpdate(context, output, &written, input, (int)length) != 1)
        return false;
    return libcrypto.EVP_DecryptFinal_ex(context, nothing, &written) == 1;
}

/* CCM must know the length before the associated data, and has no final call (EVP_EncryptInit(3), "CCM Mode"). */
static bool seal_ccm(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                     const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv)
{
    struct libcrypto_context *self = (struct libcrypto_context *)(void *)cipher;
    EVP_CIPHER_CTX *context = self->context;
    int written = 0;

    if (libcrypto.EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) != 1 ||
        libcrypto.EVP_EncryptUpdate(context, NULL, &written, NULL, (int)length) != 1)
        return false;
    if (aad_length > 0 && libcrypto.EVP_EncryptUpdate(context, NULL, &written, aad, (int)aad_length) != 1)
        return false;
    return libcrypto.EVP_EncryptUpdate(context, output, &written, input, (int)length) == 1 && get_tag(self, icv);
}

static bool open_sealed_ccm(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                     const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    struct libcrypto_context *self = (struct libcrypto_context *)(void *)cipher;
    EVP_CIPHER_CTX *context = self->context;
    int written = 0;

    if (libcrypto.EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) != 1 || !set_tag(self, icv) ||
        libcrypto.EVP_DecryptUpdate(context, NULL, &written, NULL, (int)length) != 1)
        return false;
    if (aad_length > 0 && libcrypto.EVP_DecryptUpdate(context, NULL, &written, aad, (int)aad_length) != 1)
        return false;
    return libcrypto.EVP_DecryptUpdate(context, output, &written, input, (int)length) == 1;
}

static void destroy(struct cipher *cipher)
{
    struct libcrypto_context *self = (struct libcrypto_context *)(void *)cipher;

    libcrypto.EVP_CIPHER_CTX_free(self->context);
    free(self);
}

static void choose_functions(struct libcrypto_context *self, bool encrypt)
{
    const struct cipher_algorithm *algorithm = self->cipher.algorithm;

    self->cipher.destroy = destroy;
    switch (algorithm->kind) {
    case CIPHER_CCM:
        self->cipher.seal = encrypt ? seal_ccm : NULL;
        self->cipher.open = encrypt ? NULL : open_sealed_ccm;
        break;
    case CIPHER_GCM:
    case CIPHER_GMAC:
    case CIPHER_CHACHA20_POLY1305:
        self->cipher.seal = encrypt ? seal : NULL;
        self->cipher.open = encrypt ? NULL : open_sealed;
        break;
    case CIPHER_CBC:
    case CIPHER_CTR:
    case CIPHER_NULL:
        self->cipher.crypt = encrypt ? encrypt_blocks : decrypt_blocks;
        break;
    }
    self->tag_parameter[0].key = "tag";
    self->tag_parameter[0].data_type = OSSL_PARAM_TYPE_OCTET_STRING;
    self->tag_parameter[0].data_size = algorithm->icv_bytes;
}

/*
 * ESP pads for itself. In 3.x EVP_CIPHER_CTX_set_padding() would be repeated by the library at every new IV, which costs
 * 30 ns; the parameter under it is set once.
 */
static bool switch_padding_off(EVP_CIPHER_CTX *context)
{
    unsigned off = 0;
    OSSL_PARAM parameters[2];

    if (libcrypto.EVP_CIPHER_CTX_set_params == NULL)
        return libcrypto.EVP_CIPHER_CTX_set_padding(context, 0) == 1;
    memset(parameters, 0, sizeof parameters);
    parameters[0].key = "padding";
    parameters[0].data_type = OSSL_PARAM_TYPE_UNSIGNED_INTEGER;
    parameters[0].data = &off;
    parameters[0].data_size = sizeof off;
    return libcrypto.EVP_CIPHER_CTX_set_params(context, parameters) == 1;
}

static bool set_key(struct libcrypto_context *self, const EVP_CIPHER *evp, const uint8_t *key, bool encrypt)
{
    static const uint8_t zero_iv[IV_BYTES_MAXIMUM];
    const struct cipher_algorithm *algorithm = self->cipher.algorithm;
    EVP_CIPHER_CTX *context = self->context;

    if (libcrypto.EVP_CipherInit_ex(context, evp, NULL, NULL, NULL, encrypt) != 1)
        return false;
    if (algorithm->block_cipher == BLOCK_BLOWFISH &&
        libcrypto.EVP_CIPHER_CTX_set_key_length(context, algorithm->key_bytes) != 1)
        return false;
    if (algorithm->kind == CIPHER_CCM &&
        (libcrypto.EVP_CIPHER_CTX_ctrl(context, CTRL_AEAD_SET_IVLEN, (int)nonce_bytes(algorithm), NULL) != 1 ||
         libcrypto.EVP_CIPHER_CTX_ctrl(context, CTRL_AEAD_SET_TAG, algorithm->icv_bytes, NULL) != 1))
        return false;
    if (libcrypto.EVP_CipherInit_ex(context, NULL, NULL, key, zero_iv, encrypt) != 1)
        return false;
    return cipher_is_combined(algorithm) || switch_padding_off(context);
}

static struct cipher *new_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure)
{
    struct libcrypto_context *self;

    if (algorithm->kind == CIPHER_NULL)
        return new_null_cipher(algorithm, failure);
    self = calloc(1, sizeof *self);
    if (self != NULL)
        self->context = libcrypto.EVP_CIPHER_CTX_new();
    if (self == NULL || self->context == NULL) {
        free(self);
        (void)fail(failure, FAILURE_MEMORY, "no memory for a cipher context");
        return NULL;
    }
    self->cipher.algorithm = algorithm;
    choose_functions(self, encrypt);
    if (!set_key(self, offered[algorithm - cipher_algorithms], key, encrypt)) {
        (void)libcrypto_fail(failure, FAILURE_FAILED, algorithm->name);
        destroy(&self->cipher);
        return NULL;
    }
    return &self->cipher;
}

const struct symmetric_provider symmetric_libcrypto = {
    .name = "libcrypto",
    .ready = libcrypto_ready,
    .offers_cipher = offers_cipher,
    .offers_mac = libcrypto_offers_mac,
    .new_cipher = new_cipher,
    .new_mac = libcrypto_new_mac,
};
