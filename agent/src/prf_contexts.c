/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRF contexts on libcrypto. HMAC_*() and CMAC_*() are used where the library still exports them, and EVP_MAC otherwise:
 * the same code lies under both, and the old functions cost less to call.
 */
#include "libcrypto_symmetric.h"
#include "prf.h"

#include <stdlib.h>
#include <string.h>

/* Fetched once and kept for the life of the process. */
static struct {
    char digest[8];
    const EVP_MD *fetched;
} digests[5];
static EVP_MAC *evp_hmac, *evp_cmac;

/* A library has all functions of a kind or none. */
static bool has_hmac_functions(void)
{
    return libcrypto.HMAC_CTX_new != NULL && libcrypto.HMAC_Init_ex != NULL;
}

static bool has_cmac_functions(void)
{
    return libcrypto.CMAC_CTX_new != NULL && libcrypto.CMAC_Init != NULL;
}

/* The digest's own slot, or the first that is empty. */
static const EVP_MD **digest_slot(const char *name)
{
    size_t i = 0;

    while (i + 1 < sizeof digests / sizeof digests[0] && digests[i].fetched != NULL &&
           strcmp(digests[i].digest, name) != 0)
        i++;
    if (digests[i].fetched == NULL)
        copy_text(digests[i].digest, sizeof digests[i].digest, name);
    return &digests[i].fetched;
}

static bool fetch(const struct prf_algorithm *algorithm)
{
    const EVP_MD **slot = algorithm->kind == PRF_HMAC ? digest_slot(algorithm->digest) : NULL;

    if (slot != NULL && *slot == NULL)
        *slot = libcrypto.EVP_MD_fetch != NULL ? libcrypto.EVP_MD_fetch(NULL, algorithm->digest, NULL)
                                               : libcrypto.EVP_get_digestbyname(algorithm->digest);
    if (libcrypto.EVP_MAC_fetch != NULL && evp_hmac == NULL)
        evp_hmac = libcrypto.EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (libcrypto.EVP_MAC_fetch != NULL && evp_cmac == NULL)
        evp_cmac = libcrypto.EVP_MAC_fetch(NULL, "CMAC", NULL);
    libcrypto.ERR_clear_error();
    if (algorithm->kind == PRF_HMAC)
        return slot != NULL && *slot != NULL && (has_hmac_functions() || evp_hmac != NULL);
    if (libcrypto_cipher("AES-128-CBC") == NULL)
        return false;
    return algorithm->kind == PRF_XCBC || has_cmac_functions() || evp_cmac != NULL;
}

bool prf_offered(const struct prf_algorithm *algorithm, struct failure *failure)
{
    if (!libcrypto_ready(failure))
        return false;
    if (fetch(algorithm))
        return true;
    return fail(failure, FAILURE_UNSUPPORTED, "%s has no %s", libcrypto_short_version(),
                algorithm->kind == PRF_HMAC ? algorithm->digest : "AES-128-CBC or CMAC");
}

/* --- making a context ------------------------------------------------------------------------------------------- */

/* EVP_MAC takes the name of the digest or of the cipher as a parameter that is not const. */
static bool create_evp_mac(struct prf *prf, EVP_MAC *fetched)
{
    static const uint8_t key[PRF_BLOCK_BYTES];
    char name[16];
    OSSL_PARAM parameters[2];

    copy_text(name, sizeof name, prf->algorithm->kind == PRF_HMAC ? prf->algorithm->digest : "AES-128-CBC");
    memset(parameters, 0, sizeof parameters);
    parameters[0].key = prf->algorithm->kind == PRF_HMAC ? "digest" : "cipher";
    parameters[0].data_type = OSSL_PARAM_TYPE_UTF8_STRING;
    parameters[0].data = name;
    parameters[0].data_size = strlen(name);
    prf->mac = fetched != NULL ? libcrypto.EVP_MAC_CTX_new(fetched) : NULL;
    return prf->mac != NULL && libcrypto.EVP_MAC_init(prf->mac, key, sizeof key, parameters) == 1;
}

static bool create_xcbc(struct prf *prf)
{
    static const uint8_t zero[PRF_BLOCK_BYTES];
    EVP_CIPHER_CTX **const contexts[] = {&prf->constants, &prf->chain};

    for (size_t i = 0; i < 2; i++) {
        *contexts[i] = libcrypto.EVP_CIPHER_CTX_new();
        if (*contexts[i] == NULL || libcrypto.EVP_EncryptInit_ex(*contexts[i], libcrypto_cipher("AES-128-CBC"), NULL,
                                                                 zero, zero) != 1)
            return false;
        (void)libcrypto.EVP_CIPHER_CTX_set_padding(*contexts[i], 0);
    }
    return true;
}

/* The first key also fixes the digest or the cipher; later keys leave it as it is. */
static bool create_context(struct prf *prf)
{
    static const uint8_t key[PRF_BLOCK_BYTES];

    switch (prf->algorithm->kind) {
    case PRF_HMAC:
        if (!has_hmac_functions())
            return create_evp_mac(prf, evp_hmac);
        prf->hmac = libcrypto.HMAC_CTX_new();
        return prf->hmac != NULL && libcrypto.HMAC_Init_ex(prf->hmac, key, sizeof key,
                                                           *digest_slot(prf->algorithm->digest), NULL) == 1;
    case PRF_CMAC:
        if (!has_cmac_functions())
            return create_evp_mac(prf, evp_cmac);
        prf->cmac = libcrypto.CMAC_CTX_new();
        return prf->cmac != NULL &&
               libcrypto.CMAC_Init(prf->cmac, key, sizeof key, libcrypto_cipher("AES-128-CBC"), NULL) == 1;
    case PRF_XCBC:
        return create_xcbc(prf);
    }
    return false;
}

struct prf *prf_create(const struct prf_algorithm *algorithm, struct failure *failure)
{
    struct prf *prf = calloc(1, sizeof *prf);

    if (prf == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    prf->algorithm = algorithm;
    if (create_context(prf))
        return prf;
    (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, algorithm->name);
    prf_destroy(prf);
    return NULL;
}

void prf_destroy(struct prf *prf)
{
    if (prf->hmac != NULL)
        libcrypto.HMAC_CTX_free(prf->hmac);
    if (prf->cmac != NULL)
        libcrypto.CMAC_CTX_free(prf->cmac);
    if (prf->mac != NULL)
        libcrypto.EVP_MAC_CTX_free(prf->mac);
    libcrypto.EVP_CIPHER_CTX_free(prf->constants);
    libcrypto.EVP_CIPHER_CTX_free(prf->chain);
    free(prf);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static bool set_block_key(struct prf *prf, const uint8_t key[PRF_BLOCK_BYTES])
{
    static const uint8_t zero[PRF_BLOCK_BYTES];
    uint8_t constant[PRF_BLOCK_BYTES];
    int written = 0;

    prf->keyed_afresh = true;
    if (prf->cmac != NULL)
        return libcrypto.CMAC_Init(prf->cmac, key, PRF_BLOCK_BYTES, NULL, NULL) == 1;
    if (prf->mac != NULL)
        return libcrypto.EVP_MAC_init(prf->mac, key, PRF_BLOCK_BYTES, NULL) == 1;
    /* RFC 3566 section 4: K1, K2 and K3 are three constant blocks encrypted with K. */
    for (int i = 0; i < 3; i++) {
        memset(constant, i + 1, sizeof constant);
        if (libcrypto.EVP_EncryptInit_ex(prf->constants, NULL, NULL, i == 0 ? key : NULL, zero) != 1 ||
            libcrypto.EVP_EncryptUpdate(prf->constants, prf->derived + i * PRF_BLOCK_BYTES, &written, constant,
                                        PRF_BLOCK_BYTES) != 1)
            return false;
    }
    return libcrypto.EVP_EncryptInit_ex(prf->chain, NULL, NULL, prf->derived, zero) == 1;
}

bool prf_set_key(struct prf *prf, const uint8_t *key, size_t length)
{
    uint8_t block[PRF_BLOCK_BYTES] = {0};
    uint8_t shortened[PRF_BLOCK_BYTES];

    if (prf->algorithm->kind == PRF_HMAC) {
        prf->keyed_afresh = true;
        if (prf->hmac != NULL)
            return libcrypto.HMAC_Init_ex(prf->hmac, key, (int)length, NULL, NULL) == 1;
        return libcrypto.EVP_MAC_init(prf->mac, key, length, NULL) == 1;
    }
    if (length == PRF_BLOCK_BYTES)
        return set_block_key(prf, key);
    /* A key that is too long is replaced by its MAC under a key of zeros (RFC 4434 section 2, RFC 4615 section 3). */
    if (length > PRF_BLOCK_BYTES || prf->algorithm->kind == PRF_CMAC)
        return set_block_key(prf, block) && prf_compute(prf, key, length, shortened) &&
               set_block_key(prf, shortened);
    /* One that is too short is padded with zeros by RFC 4434; RFC 4615 treats it like one that is too long. */
    memcpy(block, key, length);
    return set_block_key(prf, block);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* RFC 3566 section 4: a CBC-MAC whose last block is combined with K2 when it is full, and padded with K3 when not. */
static bool compute_xcbc(struct prf *prf, const uint8_t *data, size_t length, uint8_t *output)
{
    static const uint8_t zero[PRF_BLOCK_BYTES];
    size_t body = length > 0 ? (length - 1) / PRF_BLOCK_BYTES * PRF_BLOCK_BYTES : 0;
    size_t rest = length - body;
    const uint8_t *mask = prf->derived + (rest == PRF_BLOCK_BYTES ? 1 : 2) * PRF_BLOCK_BYTES;
    uint8_t last[PRF_BLOCK_BYTES] = {0};
    int written = 0;

    if (libcrypto.EVP_EncryptInit_ex(prf->chain, NULL, NULL, NULL, zero) != 1)
        return false;
    for (size_t done = 0; done < body;) {
        size_t part = body - done < PRF_SCRATCH_BYTES ? body - done : PRF_SCRATCH_BYTES;

        if (libcrypto.EVP_EncryptUpdate(prf->chain, prf->scratch, &written, data + done, (int)part) != 1)
            return false;
        done += part;
    }
    if (rest > 0)
        memcpy(last, data + body, rest);
    if (rest < PRF_BLOCK_BYTES)
        last[rest] = 0x80;
    for (size_t i = 0; i < PRF_BLOCK_BYTES; i++)
        last[i] ^= mask[i];
    return libcrypto.EVP_EncryptUpdate(prf->chain, output, &written, last, PRF_BLOCK_BYTES) == 1 &&
           written == PRF_BLOCK_BYTES;
}

bool prf_compute(struct prf *prf, const uint8_t *data, size_t length, uint8_t *output)
{
    bool again = !prf->keyed_afresh;
    unsigned short_written = 0;
    size_t written = 0;

    prf->keyed_afresh = false;
    if (prf->hmac != NULL)
        return (!again || libcrypto.HMAC_Init_ex(prf->hmac, NULL, 0, NULL, NULL) == 1) &&
               libcrypto.HMAC_Update(prf->hmac, data, length) == 1 &&
               libcrypto.HMAC_Final(prf->hmac, output, &short_written) == 1;
    if (prf->cmac != NULL)
        return (!again || libcrypto.CMAC_Init(prf->cmac, NULL, 0, NULL, NULL) == 1) &&
               libcrypto.CMAC_Update(prf->cmac, data, length) == 1 &&
               libcrypto.CMAC_Final(prf->cmac, output, &written) == 1;
    if (prf->mac != NULL)
        return (!again || libcrypto.EVP_MAC_init(prf->mac, NULL, 0, NULL) == 1) &&
               libcrypto.EVP_MAC_update(prf->mac, data, length) == 1 &&
               libcrypto.EVP_MAC_final(prf->mac, output, &written, PRF_MAXIMUM_BYTES) == 1;
    return compute_xcbc(prf, data, length, output);
}
