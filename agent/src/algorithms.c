/* SPDX-License-Identifier: Apache-2.0 */
#include "algorithms.h"

#include <stdio.h>
#include <string.h>

/* name, kind, block cipher, key, salt, IV, block, ICV */
const struct cipher_algorithm cipher_algorithms[] = {
    /* RFC 3602 */
    {"aes128", CIPHER_CBC, BLOCK_AES, 16, 0, 16, 16, 0},
    {"aes192", CIPHER_CBC, BLOCK_AES, 24, 0, 16, 16, 0},
    {"aes256", CIPHER_CBC, BLOCK_AES, 32, 0, 16, 16, 0},
    /* RFC 3686 */
    {"aes128ctr", CIPHER_CTR, BLOCK_AES, 16, 4, 8, 1, 0},
    {"aes192ctr", CIPHER_CTR, BLOCK_AES, 24, 4, 8, 1, 0},
    {"aes256ctr", CIPHER_CTR, BLOCK_AES, 32, 4, 8, 1, 0},
    /* RFC 4106 */
    {"aes128gcm8", CIPHER_GCM, BLOCK_AES, 16, 4, 8, 1, 8},
    {"aes128gcm12", CIPHER_GCM, BLOCK_AES, 16, 4, 8, 1, 12},
    {"aes128gcm16", CIPHER_GCM, BLOCK_AES, 16, 4, 8, 1, 16},
    {"aes192gcm8", CIPHER_GCM, BLOCK_AES, 24, 4, 8, 1, 8},
    {"aes192gcm12", CIPHER_GCM, BLOCK_AES, 24, 4, 8, 1, 12},
    {"aes192gcm16", CIPHER_GCM, BLOCK_AES, 24, 4, 8, 1, 16},
    {"aes256gcm8", CIPHER_GCM, BLOCK_AES, 32, 4, 8, 1, 8},
    {"aes256gcm12", CIPHER_GCM, BLOCK_AES, 32, 4, 8, 1, 12},
    {"aes256gcm16", CIPHER_GCM, BLOCK_AES, 32, 4, 8, 1, 16},
    /* RFC 4309 */
    {"aes128ccm8", CIPHER_CCM, BLOCK_AES, 16, 3, 8, 1, 8},
    {"aes128ccm12", CIPHER_CCM, BLOCK_AES, 16, 3, 8, 1, 12},
    {"aes128ccm16", CIPHER_CCM, BLOCK_AES, 16, 3, 8, 1, 16},
    {"aes192ccm8", CIPHER_CCM, BLOCK_AES, 24, 3, 8, 1, 8},
    {"aes192ccm12", CIPHER_CCM, BLOCK_AES, 24, 3, 8, 1, 12},
    {"aes192ccm16", CIPHER_CCM, BLOCK_AES, 24, 3, 8, 1, 16},
    {"aes256ccm8", CIPHER_CCM, BLOCK_AES, 32, 3, 8, 1, 8},
    {"aes256ccm12", CIPHER_CCM, BLOCK_AES, 32, 3, 8, 1, 12},
    {"aes256ccm16", CIPHER_CCM, BLOCK_AES, 32, 3, 8, 1, 16},
    /* RFC 7634 */
    {"chacha20poly1305", CIPHER_CHACHA20_POLY1305, BLOCK_NONE, 32, 4, 8, 1, 16},
    /* RFC 4543, ENCR_NULL_AUTH_AES_GMAC */
    {"aes128gmac", CIPHER_GMAC, BLOCK_AES, 16, 4, 8, 1, 16},
    {"aes192gmac", CIPHER_GMAC, BLOCK_AES, 24, 4, 8, 1, 16},
    {"aes256gmac", CIPHER_GMAC, BLOCK_AES, 32, 4, 8, 1, 16},
    /* RFC 4312 */
    {"camellia128", CIPHER_CBC, BLOCK_CAMELLIA, 16, 0, 16, 16, 0},
    {"camellia192", CIPHER_CBC, BLOCK_CAMELLIA, 24, 0, 16, 16, 0},
    {"camellia256", CIPHER_CBC, BLOCK_CAMELLIA, 32, 0, 16, 16, 0},
    /* RFC 2451 */
    {"3des", CIPHER_CBC, BLOCK_3DES, 24, 0, 8, 8, 0},
    {"blowfish128", CIPHER_CBC, BLOCK_BLOWFISH, 16, 0, 8, 8, 0},
    {"blowfish192", CIPHER_CBC, BLOCK_BLOWFISH, 24, 0, 8, 8, 0},
    {"blowfish256", CIPHER_CBC, BLOCK_BLOWFISH, 32, 0, 8, 8, 0},
    {"cast128", CIPHER_CBC, BLOCK_CAST128, 16, 0, 8, 8, 0},
    /* RFC 2405 */
    {"des", CIPHER_CBC, BLOCK_DES, 8, 0, 8, 8, 0},
    /* Private use only: no number in the registry */
    {"twofish128", CIPHER_CBC, BLOCK_TWOFISH, 16, 0, 16, 16, 0},
    {"twofish192", CIPHER_CBC, BLOCK_TWOFISH, 24, 0, 16, 16, 0},
    {"twofish256", CIPHER_CBC, BLOCK_TWOFISH, 32, 0, 16, 16, 0},
    {"serpent128", CIPHER_CBC, BLOCK_SERPENT, 16, 0, 16, 16, 0},
    {"serpent192", CIPHER_CBC, BLOCK_SERPENT, 24, 0, 16, 16, 0},
    {"serpent256", CIPHER_CBC, BLOCK_SERPENT, 32, 0, 16, 16, 0},
    /* RFC 2410 */
    {"null", CIPHER_NULL, BLOCK_NONE, 0, 0, 0, 1, 0},
};

const size_t cipher_algorithm_count = sizeof cipher_algorithms / sizeof cipher_algorithms[0];

/* name, kind, hash, key, MAC, ICV */
const struct mac_algorithm mac_algorithms[] = {
    {"md5", MAC_HMAC, HASH_MD5, 16, 16, 12},      /* RFC 2403 */
    {"sha1", MAC_HMAC, HASH_SHA1, 20, 20, 12},    /* RFC 2404 */
    {"sha256", MAC_HMAC, HASH_SHA256, 32, 32, 16}, /* RFC 4868 */
    {"sha384", MAC_HMAC, HASH_SHA384, 48, 48, 24},
    {"sha512", MAC_HMAC, HASH_SHA512, 64, 64, 32},
    {"aesxcbc", MAC_XCBC, HASH_NONE, 16, 16, 12}, /* RFC 3566 */
    {"aescmac", MAC_CMAC, HASH_NONE, 16, 16, 12}, /* RFC 4494 */
};

const size_t mac_algorithm_count = sizeof mac_algorithms / sizeof mac_algorithms[0];

const struct cipher_algorithm *cipher_algorithm_find(const char *name)
{
    for (size_t i = 0; i < cipher_algorithm_count; i++) {
        if (strcmp(cipher_algorithms[i].name, name) == 0)
            return &cipher_algorithms[i];
    }
    return NULL;
}

const struct mac_algorithm *mac_algorithm_find(const char *name)
{
    for (size_t i = 0; i < mac_algorithm_count; i++) {
        if (strcmp(mac_algorithms[i].name, name) == 0)
            return &mac_algorithms[i];
    }
    return NULL;
}

static size_t suites_of(const struct cipher_algorithm *cipher)
{
    return cipher_is_combined(cipher) ? 1 : mac_algorithm_count;
}

size_t esp_suite_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < cipher_algorithm_count; i++)
        count += suites_of(&cipher_algorithms[i]);
    return count;
}

struct esp_suite esp_suite_at(size_t index)
{
    struct esp_suite suite = {NULL, NULL};

    for (size_t i = 0; i < cipher_algorithm_count; i++) {
        const struct cipher_algorithm *cipher = &cipher_algorithms[i];

        if (index < suites_of(cipher)) {
            suite.cipher = cipher;
            suite.mac = cipher_is_combined(cipher) ? NULL : &mac_algorithms[index];
            break;
        }
        index -= suites_of(cipher);
    }
    return suite;
}

void esp_suite_name(const struct esp_suite *suite, char *name, size_t capacity)
{
    (void)snprintf(name, capacity, "%s%s%s", suite->cipher->name, suite->mac != NULL ? "-" : "",
                   suite->mac != NULL ? suite->mac->name : "");
}
