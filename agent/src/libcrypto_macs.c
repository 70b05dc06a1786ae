/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC, CMAC and XCBC with libcrypto.
 *
 * HMAC and CMAC go through HMAC_*() and CMAC_*() where the library still exports them, and through EVP_MAC otherwise:
 * the same code lies under both, and EVP_MAC costs about 35 ns more per message in 3.0. libcrypto has no AES-XCBC-MAC;
 * it is built here from libcrypto's AES-CBC (RFC 3566).
 */
#include <stdlib.h>
#include <string.h>

#include "libcrypto_symmetric.h"

enum { BLOCK = 16, SCRATCH_BYTES = 2048 };

struct libcrypto_mac {
    struct mac mac;
    HMAC_CTX *hmac;
    CMAC_CTX *cmac;
    EVP_MAC_CTX *evp_mac;
    EVP_CIPHER_CTX *cbc; /* XCBC: keyed with K1 */
    uint8_t k2[BLOCK], k3[BLOCK];
};

static const char *const digest_names[] = {
    [HASH_MD5] = "MD5", [HASH_SHA1] = "SHA1", [HASH_SHA256] = "SHA256", [HASH_SHA384] = "SHA384", [HASH_SHA512] = "SHA512",
};

static const EVP_MD *digests[sizeof digest_names / sizeof digest_names[0]];
static EVP_MAC *evp_hmac, *evp_cmac;

static bool has_hmac_functions(void)
{
    return libcrypto.HMAC_CTX_new != NULL && libcrypto.HMAC_CTX_free != NULL && libcrypto.HMAC_Init_ex != NULL &&
           libcrypto.HMAC_Update != NULL && libcrypto.HMAC_Final != NULL;
}

static bool has_cmac_functions(void)
{
    return libcrypto.CMAC_CTX_new != NULL && libcrypto.CMAC_CTX_free != NULL && libcrypto.CMAC_Init != NULL &&
           libcrypto.CMAC_Update != NULL && libcrypto.CMAC_Final != NULL;
}

/* Fetches once what the algorithm needs. */
static bool fetch(const struct mac_algorithm *algorithm)
{
    if (algorithm->kind == MAC_HMAC && digests[algorithm->hash] == NULL) {
        const char *name = digest_names[algorithm->hash];

        if (libcrypto.EVP_MD_fetch != NULL)
            digests[algorithm->hash] = libcrypto.EVP_MD_fetch(NULL, name, NULL);
        else
            digests[algorithm->hash] = libcrypto.EVP_get_digestbyname(name);
    }
    if (libcrypto.EVP_MAC_fetch != NULL) {
        if (evp_hmac == NULL)
            evp_hmac = libcrypto.EVP_MAC_fetch(NULL, "HMAC", NULL);
        if (evp_cmac == NULL)
            evp_cmac = libcrypto.EVP_MAC_fetch(NULL, "CMAC", NULL);
    }
    libcrypto.ERR_clear_error();
    switch (algorithm->kind) {
    case MAC_HMAC:
        return digests[algorithm->hash] != NULL && (has_hmac_functions() || evp_hmac != NULL);
    case MAC_CMAC:
        return libcrypto_cipher("AES-128-CBC") != NULL && (has_cmac_functions() || evp_cmac != NULL);
    case MAC_XCBC:
        return libcrypto_cipher("AES-128-CBC") != NULL;
    }
    return false;
}

bool libcrypto_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure)
{
    if (fetch(algorithm))
        return true;
    return fail(failure, FAILURE_UNSUPPORTED, "%s has no %s", libcrypto_short_version(),
                algorithm->kind == MAC_HMAC ? digest_names[algorithm->hash] : "AES-128-CBC or CMAC");
}

static bool compute_hmac(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    HMAC_CTX *context = ((struct libcrypto_mac *)(void *)mac)->hmac;
    unsigned written = 0;

    /* No key: the inner state is restored from the one that was made with the key. */
    return libcrypto.HMAC_Init_ex(context, NULL, 0, NULL, NULL) == 1 &&
           libcrypto.HMAC_Update(context, data, length) == 1 && libcrypto.HMAC_Final(context, tag, &written) == 1;
}

static bool compute_cmac(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    CMAC_CTX *context = ((struct libcrypto_mac *)(void *)mac)->cmac;
    size_t written = 0;

    return libcrypto.CMAC_Init(context, NULL, 0, NULL, NULL) == 1 &&
           libcrypto.CMAC_Update(context, data, length) == 1 && libcrypto.CMAC_Final(context, tag, &written) == 1;
}

static bool compute_evp_mac(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    EVP_MAC_CTX *context = ((struct libcrypto_mac *)(void *)mac)->evp_mac;
    size_t written = 0;

    return libcrypto.EVP_MAC_init(context, NULL, 0, NULL) == 1 &&
           libcrypto.EVP_MAC_update(context, data, length) == 1 &&
           libcrypto.EVP_MAC_final(context, tag, &written, MAC_BYTES_MAXIMUM) == 1;
}

/* RFC 3566 section 4: CBC-MAC over all blocks but the last, which is first combined with K2 (full) or K3 (padded). */
static bool compute_xcbc(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    static const uint8_t zero_iv[BLOCK];
    struct libcrypto_mac *self = (struct libcrypto_mac *)(void *)mac;
    size_t body = length > 0 ? (length - 1) / BLOCK * BLOCK : 0;
    size_t rest = length - body;
    const uint8_t *mask = rest == BLOCK ? self->k2 : self->k3;
    uint8_t last[BLOCK] = {0}, scratch[SCRATCH_BYTES];
    int written = 0;

    if (libcrypto.EVP_EncryptInit_ex(self->cbc, NULL, NULL, NULL, zero_iv) != 1)
        return false;
    for (size_t done = 0; done < body;) {
        size_t part = body - done < SCRATCH_BYTES ? body - done : SCRATCH_BYTES;

        if (libcrypto.EVP_EncryptUpdate(self->cbc, scratch, &written, data + done, (int)part) != 1)
            return false;
        done += part;
    }
    if (rest > 0)
        memcpy(last, data + body, rest);
    if (rest < BLOCK)
        last[rest] = 0x80;
    for (size_t i = 0; i < BLOCK; i++)
        last[i] ^= mask[i];
    return libcrypto.EVP_EncryptUpdate(self->cbc, tag, &written, last, BLOCK) == 1 && written == BLOCK;
}

static void destroy(struct mac *mac)
{
    struct libcrypto_mac *self = (struct libcrypto_mac *)(void *)mac;

    if (self->hmac != NULL)
        libcrypto.HMAC_CTX_free(self->hmac);
    if (self->cmac != NULL)
        libcrypto.CMAC_CTX_free(self->cmac);
    if (self->evp_mac != NULL)
        libcrypto.EVP_MAC_CTX_free(self->evp_mac);
    if (self->cbc != NULL)
        libcrypto.EVP_CIPHER_CTX_free(self->cbc);
    free(self);
}

/* EVP_MAC takes the name of the digest or of the cipher as a parameter that is not const. */
static bool set_evp_mac_key(struct libcrypto_mac *self, EVP_MAC *fetched, const uint8_t *key, size_t key_length)
{
    const struct mac_algorithm *algorithm = self->mac.algorithm;
    char name[16];
    OSSL_PARAM parameters[2];

    copy_text(name, sizeof name, algorithm->kind == MAC_HMAC ? digest_names[algorithm->hash] : "AES-128-CBC");
    memset(parameters, 0, sizeof parameters);
    parameters[0].key = algorithm->kind == MAC_HMAC ? "digest" : "cipher";
    parameters[0].data_type = OSSL_PARAM_TYPE_UTF8_STRING;
    parameters[0].data = name;
    parameters[0].data_size = strlen(name);
    self->mac.compute = compute_evp_mac;
    self->evp_mac = libcrypto.EVP_MAC_CTX_new(fetched);
    return self->evp_mac != NULL && libcrypto.EVP_MAC_init(self->evp_mac, key, key_length, parameters) == 1;
}

static bool set_hmac_key(struct libcrypto_mac *self, const uint8_t *key, size_t key_length)
{
    static const uint8_t empty[1];

    if (!has_hmac_functions())
        return set_evp_mac_key(self, evp_hmac, key != NULL ? key : empty, key_length);
    self->mac.compute = compute_hmac;
    self->hmac = libcrypto.HMAC_CTX_new();
    /* A NULL key would mean "keep the last one", even with length 0. */
    return self->hmac != NULL && libcrypto.HMAC_Init_ex(self->hmac, key != NULL ? key : empty, (int)key_length,
                                                        digests[self->mac.algorithm->hash], NULL) == 1;
}

static bool set_cmac_key(struct libcrypto_mac *self, const uint8_t *key, size_t key_length)
{
    if (!has_cmac_functions())
        return set_evp_mac_key(self, evp_cmac, key, key_length);
    self->mac.compute = compute_cmac;
    self->cmac = libcrypto.CMAC_CTX_new();
    return self->cmac != NULL &&
           libcrypto.CMAC_Init(self->cmac, key, key_length, libcrypto_cipher("AES-128-CBC"), NULL) == 1;
}

/*
 * libcrypto's own padding may stay on: it matters when a message ends, and encryption of whole blocks is never ended here.
 * Encrypts the constants of RFC 3566 section 4 with the key: K1 keys the CBC-MAC, K2 and K3 mask the last block.
 */
static bool set_xcbc_key(struct libcrypto_mac *self, const uint8_t *key)
{
    static const uint8_t zero_iv[BLOCK];
    const EVP_CIPHER *cipher = libcrypto_cipher("AES-128-CBC");
    uint8_t k1[BLOCK];
    uint8_t *const derived[] = {k1, self->k2, self->k3};
    uint8_t constant[BLOCK];
    int written = 0;

    self->mac.compute = compute_xcbc;
    self->cbc = libcrypto.EVP_CIPHER_CTX_new();
    if (self->cbc == NULL || libcrypto.EVP_EncryptInit_ex(self->cbc, cipher, NULL, key, zero_iv) != 1)
        return false;
    for (int i = 0; i < 3; i++) {
        memset(constant, i + 1, sizeof constant);
        if (libcrypto.EVP_EncryptInit_ex(self->cbc, NULL, NULL, NULL, zero_iv) != 1 ||
            libcrypto.EVP_EncryptUpdate(self->cbc, derived[i], &written, constant, BLOCK) != 1)
            return false;
    }
    return libcrypto.EVP_EncryptInit_ex(self->cbc, NULL, NULL, k1, zero_iv) == 1;
}

struct mac *libcrypto_new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                              struct failure *failure)
{
    struct libcrypto_mac *self = calloc(1, sizeof *self);
    bool keyed = false;

    if (self == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for a MAC context");
        return NULL;
    }
    self->mac.algorithm = algorithm;
    self->mac.destroy = destroy;
    switch (algorithm->kind) {
    case MAC_HMAC:
        keyed = set_hmac_key(self, key, key_length);
        break;
    case MAC_CMAC:
        keyed = set_cmac_key(self, key, key_length);
        break;
    case MAC_XCBC:
        keyed = set_xcbc_key(self, key);
        break;
    }
    if (!keyed) {
        (void)libcrypto_fail(failure, FAILURE_FAILED, algorithm->name);
        destroy(&self->mac);
        return NULL;
    }
    return &self->mac;
}
