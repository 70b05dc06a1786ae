/* SPDX-License-Identifier: Apache-2.0 */
#include "library_ipsec_mb_jobs.h"

#include <string.h>

#include "libcrypto.h"

enum { HMAC_BLOCK_BYTES_MAXIMUM = 128, CCM_192_KEY_BYTES = 24 };

static const struct mac_algorithm short_xcbc = {"aesxcbc", MAC_XCBC, HASH_NONE, 16, 12, 12};

const struct mac_algorithm *ipsec_mb_mac_algorithm(const struct mac_algorithm *algorithm)
{
    return algorithm->kind == MAC_XCBC ? &short_xcbc : algorithm;
}

/* --- what there is ------------------------------------------------------------------------------------------------ */

static const char *block_cipher_name(enum block_cipher block_cipher)
{
    switch (block_cipher) {
    case BLOCK_BLOWFISH:
        return "Blowfish";
    case BLOCK_CAST128:
        return "CAST-128";
    case BLOCK_CAMELLIA:
        return "Camellia";
    case BLOCK_TWOFISH:
        return "Twofish";
    case BLOCK_SERPENT:
        return "Serpent";
    default:
        return NULL;
    }
}

bool mb_offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    const char *missing = block_cipher_name(algorithm->block_cipher);

    if (algorithm->kind == CIPHER_CCM && algorithm->key_bytes == CCM_192_KEY_BYTES)
        missing = "AES-CCM with 192 bits";
    if (missing == NULL)
        return true;
    return fail(failure, FAILURE_UNSUPPORTED, "%s has no %s", ipsec_mb_short_version(), missing);
}

bool mb_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure)
{
    (void)algorithm;
    (void)failure;
    return true;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static void expand_aes(struct mb_manager *manager, const uint8_t *key, size_t key_bytes, uint8_t *encrypt,
                       uint8_t *decrypt)
{
    if (key_bytes == 16)
        manager->expand_key_128(key, encrypt, decrypt);
    else if (key_bytes == 24)
        manager->expand_key_192(key, encrypt, decrypt);
    else
        manager->expand_key_256(key, encrypt, decrypt);
}

static void expand_gcm(struct mb_manager *manager, const uint8_t *key, size_t key_bytes, uint8_t *expanded)
{
    if (key_bytes == 16)
        manager->gcm_pre_128(key, expanded);
    else if (key_bytes == 24)
        manager->gcm_pre_192(key, expanded);
    else
        manager->gcm_pre_256(key, expanded);
}

static void expand_des(struct mb_manager *manager, const struct cipher_algorithm *algorithm, const uint8_t *key,
                       struct mb_keys *keys)
{
    for (size_t i = 0; i * 8 < algorithm->key_bytes; i++) {
        (void)manager->des_schedule(keys->des[i], key + i * 8);
        keys->des_schedules[i] = keys->des[i];
    }
}

size_t mb_keys_bytes(const struct cipher_algorithm *cipher, const struct mac_algorithm *mac)
{
    if (cipher->kind == CIPHER_GCM || cipher->kind == CIPHER_GMAC)
        return MB_GCM_KEY_BYTES;
    if (cipher->block_cipher == BLOCK_DES || cipher->block_cipher == BLOCK_3DES)
        return sizeof(struct mb_keys);
    if (mac != NULL && mac->kind != MAC_HMAC)
        return offsetof(struct mb_keys, des);
    return cipher->kind == CIPHER_CHACHA20_POLY1305 || cipher->kind == CIPHER_NULL ? offsetof(struct mb_keys, encrypt)
                                                                                  : offsetof(struct mb_keys, mac);
}

void mb_set_cipher_key(struct mb_manager *manager, const struct cipher_algorithm *algorithm, const uint8_t *key,
                       struct mb_keys *keys)
{
    switch (algorithm->kind) {
    case CIPHER_CBC:
        if (algorithm->block_cipher == BLOCK_AES)
            expand_aes(manager, key, algorithm->key_bytes, keys->encrypt, keys->decrypt);
        else
            expand_des(manager, algorithm, key, keys);
        break;
    case CIPHER_CTR:
    case CIPHER_CCM:
        expand_aes(manager, key, algorithm->key_bytes, keys->encrypt, keys->decrypt);
        break;
    case CIPHER_GCM:
    case CIPHER_GMAC:
        expand_gcm(manager, key, algorithm->key_bytes, keys->gcm);
        break;
    case CIPHER_CHACHA20_POLY1305:
        memcpy(keys->chacha20, key, sizeof keys->chacha20);
        break;
    case CIPHER_NULL:
        break;
    }
}

/* RFC 2104: a key longer than a block is replaced by its hash. The library cannot hash with MD5; libcrypto can. */
static bool shorten_with_md5(const uint8_t *key, size_t key_bytes, uint8_t *shortened, struct failure *failure)
{
    EVP_MD_CTX *context;
    bool hashed;

    if (!libcrypto_ready(failure))
        return false;
    context = libcrypto.EVP_MD_CTX_new();
    hashed = context != NULL &&
             libcrypto.EVP_DigestInit_ex(context, libcrypto.EVP_get_digestbyname("MD5"), NULL) > 0 &&
             libcrypto.EVP_DigestUpdate(context, key, key_bytes) > 0 &&
             libcrypto.EVP_DigestFinal_ex(context, shortened, NULL) > 0;
    libcrypto.EVP_MD_CTX_free(context);
    return hashed || libcrypto_fail(failure, FAILURE_FAILED, "MD5");
}

static bool set_hmac_key(struct mb_manager *manager, enum hash hash, const uint8_t *key, size_t key_bytes,
                         struct mb_keys *keys, struct failure *failure)
{
    void (*const whole[])(const void *, uint64_t, void *) = {
        [HASH_SHA1] = manager->sha1, [HASH_SHA256] = manager->sha256, [HASH_SHA384] = manager->sha384,
        [HASH_SHA512] = manager->sha512,
    };
    void (*const one_block[])(const void *, void *) = {
        [HASH_MD5] = manager->md5_one_block,       [HASH_SHA1] = manager->sha1_one_block,
        [HASH_SHA256] = manager->sha256_one_block, [HASH_SHA384] = manager->sha384_one_block,
        [HASH_SHA512] = manager->sha512_one_block,
    };
    size_t block_bytes = hash == HASH_SHA384 || hash == HASH_SHA512 ? 128 : 64;
    uint8_t padded[HMAC_BLOCK_BYTES_MAXIMUM] = {0};
    uint8_t block[HMAC_BLOCK_BYTES_MAXIMUM];

    if (key_bytes > block_bytes) {
        if (hash != HASH_MD5)
            whole[hash](key, key_bytes, padded);
        else if (!shorten_with_md5(key, key_bytes, padded, failure))
            return false;
    } else if (key_bytes > 0) {
        memcpy(padded, key, key_bytes);
    }
    for (size_t i = 0; i < block_bytes; i++)
        block[i] = padded[i] ^ 0x36;
    one_block[hash](block, keys->inner);
    for (size_t i = 0; i < block_bytes; i++)
        block[i] = padded[i] ^ 0x5C;
    one_block[hash](block, keys->outer);
    return true;
}

bool mb_set_mac_key(struct mb_manager *manager, const struct mac_algorithm *algorithm, const uint8_t *key,
                    size_t key_bytes, struct mb_keys *keys, struct failure *failure)
{
    uint8_t unused[MB_AES_ROUND_KEYS_BYTES];

    switch (algorithm->kind) {
    case MAC_HMAC:
        return set_hmac_key(manager, algorithm->hash, key, key_bytes, keys, failure);
    case MAC_XCBC:
        manager->xcbc_expand(key, keys->mac, keys->mac_first, keys->mac_second);
        return true;
    case MAC_CMAC:
        manager->expand_key_128(key, keys->mac, unused);
        manager->cmac_subkeys_128(keys->mac, keys->mac_first, keys->mac_second);
        return true;
    }
    return false;
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static void use_cipher(struct mb_job *job, const struct cipher_algorithm *cipher, const struct mb_keys *keys)
{
    job->key_bytes = cipher->key_bytes;
    job->encrypt_key = keys->encrypt;
    job->decrypt_key = keys->decrypt;
    job->iv_bytes = cipher->iv_bytes;
    switch (cipher->kind) {
    case CIPHER_CBC:
        job->cipher_mode = MB_CIPHER_CBC;
        if (cipher->block_cipher == BLOCK_DES) {
            job->cipher_mode = MB_CIPHER_DES;
            job->encrypt_key = job->decrypt_key = keys->des[0];
        } else if (cipher->block_cipher == BLOCK_3DES) {
            job->cipher_mode = MB_CIPHER_3DES;
            job->encrypt_key = job->decrypt_key = keys->des_schedules;
        }
        break;
    case CIPHER_CTR:
        job->cipher_mode = MB_CIPHER_CTR;
        job->iv_bytes = MB_BLOCK_BYTES;
        break;
    case CIPHER_GCM:
        job->cipher_mode = MB_CIPHER_GCM;
        job->hash = MB_HASH_GCM;
        job->encrypt_key = job->decrypt_key = keys->gcm;
        job->iv_bytes = nonce_bytes(cipher);
        break;
    case CIPHER_CCM:
        job->cipher_mode = MB_CIPHER_CCM;
        job->hash = MB_HASH_CCM;
        job->iv_bytes = nonce_bytes(cipher);
        break;
    case CIPHER_CHACHA20_POLY1305:
        job->cipher_mode = MB_CIPHER_CHACHA20_POLY1305;
        job->hash = MB_HASH_CHACHA20_POLY1305;
        job->encrypt_key = job->decrypt_key = keys->chacha20;
        job->iv_bytes = nonce_bytes(cipher);
        break;
    case CIPHER_GMAC:
        job->cipher_mode = MB_CIPHER_NULL;
        job->hash = cipher->key_bytes == 16   ? MB_HASH_GMAC_128
                    : cipher->key_bytes == 24 ? MB_HASH_GMAC_192
                                              : MB_HASH_GMAC_256;
        job->auth.gmac.key = keys->gcm;
        job->auth.gmac.iv_bytes = nonce_bytes(cipher);
        break;
    case CIPHER_NULL:
        job->cipher_mode = MB_CIPHER_NULL;
        break;
    }
    job->tag_bytes = cipher->icv_bytes;
}

static void use_mac(struct mb_job *job, const struct mac_algorithm *mac, const struct mb_keys *keys)
{
    static const uint32_t hmac[] = {
        [HASH_MD5] = MB_HASH_HMAC_MD5,       [HASH_SHA1] = MB_HASH_HMAC_SHA1,     [HASH_SHA256] = MB_HASH_HMAC_SHA256,
        [HASH_SHA384] = MB_HASH_HMAC_SHA384, [HASH_SHA512] = MB_HASH_HMAC_SHA512,
    };

    job->tag_bytes = mac->icv_bytes;
    if (mac->kind == MAC_HMAC) {
        job->hash = hmac[mac->hash];
        job->auth.hmac.inner = keys->inner;
        job->auth.hmac.outer = keys->outer;
    } else {
        job->hash = mac->kind == MAC_XCBC ? MB_HASH_XCBC : MB_HASH_CMAC;
        job->auth.cmac.key = keys->mac;
        job->auth.cmac.k2 = keys->mac_first;
        job->auth.cmac.k3 = keys->mac_second;
    }
}

void mb_job_template(struct mb_job *job, const struct cipher_algorithm *cipher, const struct mac_algorithm *mac,
                     bool encrypt, const struct mb_keys *keys)
{
    bool is_ccm = cipher != NULL && cipher->kind == CIPHER_CCM;

    memset(job, 0, sizeof *job);
    job->cipher_mode = MB_CIPHER_NULL;
    job->hash = MB_HASH_NULL;
    if (cipher != NULL)
        use_cipher(job, cipher, keys);
    if (mac != NULL)
        use_mac(job, mac, keys);
    job->direction = encrypt ? MB_ENCRYPT : MB_DECRYPT;
    /* ESP encrypts, then authenticates. CCM authenticates what is not encrypted, so that its order is the other one. */
    job->order = encrypt != is_ccm ? MB_CIPHER_THEN_HASH : MB_HASH_THEN_CIPHER;
}

bool mb_run_alone(struct mb_manager *manager)
{
    const struct mb_job *job = manager->submit_job(manager);

    if (job == NULL)
        job = manager->flush_job(manager);
    return job != NULL && job->status == MB_STATUS_COMPLETED;
}
