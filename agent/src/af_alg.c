/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* accept4 */
#include "af_alg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/if_alg.h>

enum { FAMILY_ALG = 38, LEVEL_ALG = 279, IV_BYTES = 16 };

static struct library found;
static bool tried;

const struct library *kernel_library(void)
{
    struct utsname system;
    int descriptor;

    if (tried)
        return &found;
    tried = true;
    found.provider = "kernel";
    descriptor = socket(FAMILY_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        found.status = LIBRARY_MISSING;
        (void)snprintf(found.note, sizeof found.note, "no AF_ALG in this kernel (CONFIG_CRYPTO_USER_API_*): %s",
                       strerror(errno));
        return &found;
    }
    (void)close(descriptor);
    found.status = LIBRARY_LOADED;
    if (uname(&system) == 0)
        (void)snprintf(found.version, sizeof found.version, "%.30s %.90s", system.sysname, system.release);
    return &found;
}

bool kernel_ready(struct failure *failure)
{
    return kernel_library()->status == LIBRARY_LOADED || fail(failure, FAILURE_LIBRARY, "%s", found.note);
}

/* A transform socket, or -1 with a failure. */
static int bound(const char *type, const char *name, struct failure *failure)
{
    struct sockaddr_alg address = {.salg_family = FAMILY_ALG};
    int descriptor = socket(FAMILY_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (descriptor < 0) {
        (void)fail(failure, FAILURE_LIBRARY, "AF_ALG: %s", strerror(errno));
        return -1;
    }
    copy_text((char *)address.salg_type, sizeof address.salg_type, type);
    copy_text((char *)address.salg_name, sizeof address.salg_name, name);
    if (bind(descriptor, (const struct sockaddr *)(const void *)&address, sizeof address) != 0) {
        (void)fail(failure, FAILURE_UNSUPPORTED, "the kernel has no %s '%s' for programs: %s", type, name,
                   strerror(errno));
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

static int keyed(int descriptor, const char *name, const uint8_t *key, size_t length, struct failure *failure)
{
    if (descriptor >= 0 && length > 0 && setsockopt(descriptor, LEVEL_ALG, ALG_SET_KEY, key, (socklen_t)length) != 0) {
        (void)fail(failure, FAILURE_UNSUPPORTED, "the kernel takes no key of %zu octets for %s: %s", length, name,
                   strerror(errno));
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

static const char *block_cipher_name(enum block_cipher cipher)
{
    static const char *const names[] = {
        [BLOCK_NONE] = "",           [BLOCK_AES] = "aes",       [BLOCK_3DES] = "des3_ede",
        [BLOCK_DES] = "des",         [BLOCK_BLOWFISH] = "blowfish", [BLOCK_CAST128] = "cast5",
        [BLOCK_CAMELLIA] = "camellia", [BLOCK_TWOFISH] = "twofish", [BLOCK_SERPENT] = "serpent",
    };

    return names[cipher];
}

static int bind_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    static const char *const modes[] = {
        [CIPHER_NULL] = "", [CIPHER_CBC] = "cbc", [CIPHER_CTR] = "ctr", [CIPHER_GCM] = "gcm",
        [CIPHER_CCM] = "ccm", [CIPHER_CHACHA20_POLY1305] = "", [CIPHER_GMAC] = "gcm",
    };
    char name[NAME_BYTES];

    if (algorithm->kind == CIPHER_CHACHA20_POLY1305)
        return bound("aead", "rfc7539(chacha20,poly1305)", failure);
    if (algorithm->kind == CIPHER_NULL)
        return bound("skcipher", "ecb(cipher_null)", failure);
    (void)snprintf(name, sizeof name, "%s(%s)", modes[algorithm->kind], block_cipher_name(algorithm->block_cipher));
    return bound(cipher_is_combined(algorithm) ? "aead" : "skcipher", name, failure);
}

int af_alg_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, struct failure *failure)
{
    int descriptor = keyed(bind_cipher(algorithm, failure), algorithm->name, key, algorithm->key_bytes, failure);

    if (descriptor >= 0 && cipher_is_combined(algorithm) &&
        setsockopt(descriptor, LEVEL_ALG, ALG_SET_AEAD_AUTHSIZE, NULL, algorithm->icv_bytes) != 0) {
        (void)fail(failure, FAILURE_UNSUPPORTED, "the kernel has no ICV of %u octets for %s: %s", algorithm->icv_bytes,
                   algorithm->name, strerror(errno));
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

int af_alg_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length, struct failure *failure)
{
    static const char *const hashes[] = {
        [HASH_NONE] = "", [HASH_MD5] = "md5", [HASH_SHA1] = "sha1",
        [HASH_SHA256] = "sha256", [HASH_SHA384] = "sha384", [HASH_SHA512] = "sha512",
    };
    char name[NAME_BYTES];

    if (algorithm->kind == MAC_HMAC)
        (void)snprintf(name, sizeof name, "hmac(%s)", hashes[algorithm->hash]);
    else
        copy_text(name, sizeof name, algorithm->kind == MAC_XCBC ? "xcbc(aes)" : "cmac(aes)");
    return keyed(bound("hash", name, failure), algorithm->name, key, key_length, failure);
}

int af_alg_operation(int transform, const char *name, struct failure *failure)
{
    int descriptor = accept4(transform, NULL, NULL, SOCK_CLOEXEC);

    if (descriptor < 0)
        (void)fail(failure, FAILURE_FAILED, "the kernel's %s: %s", name, strerror(errno));
    return descriptor;
}

bool kernel_offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    uint8_t key[KEY_BYTES_MAXIMUM];
    int descriptor;

    for (size_t i = 0; i < sizeof key; i++) /* no weak key of DES */
        key[i] = (uint8_t)(0x13 + 0x25 * i);
    descriptor = af_alg_cipher(algorithm, key, failure);
    if (descriptor < 0)
        return false;
    (void)close(descriptor);
    return true;
}

/* The IV as the kernel's algorithm takes it: that of CCM is the whole first block of RFC 3610 section 2.3. */
static size_t kernel_iv(const struct cipher_algorithm *algorithm, const uint8_t *iv, uint8_t octets[IV_BYTES])
{
    size_t nonce = nonce_bytes(algorithm);

    if (algorithm->kind == CIPHER_CCM) {
        memset(octets, 0, IV_BYTES);
        octets[0] = (uint8_t)(IV_BYTES - 2 - nonce);
        memcpy(octets + 1, iv, nonce);
        return IV_BYTES;
    }
    if (algorithm->kind == CIPHER_NULL)
        return 0;
    if (!cipher_is_combined(algorithm))
        nonce = algorithm->kind == CIPHER_CTR ? BLOCK_BYTES_MAXIMUM : algorithm->block_bytes;
    memcpy(octets, iv, nonce);
    return nonce;
}

static struct cmsghdr *add_control(struct msghdr *message, struct cmsghdr *header, int type, size_t length)
{
    header = header == NULL ? CMSG_FIRSTHDR(message) : CMSG_NXTHDR(message, header);
    header->cmsg_level = LEVEL_ALG;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(length);
    return header;
}

bool af_alg_send(int operation, struct af_alg_request *request)
{
    union {
        struct cmsghdr aligned;
        uint8_t octets[2 * CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(uint32_t) + IV_BYTES)];
    } control;
    struct msghdr message = {
        .msg_iov = request->data,
        .msg_iovlen = request->parts,
        .msg_control = &control,
        .msg_controllen = sizeof control.octets,
    };
    uint32_t direction = request->encrypt ? ALG_OP_ENCRYPT : ALG_OP_DECRYPT;
    uint32_t associated = (uint32_t)request->associated;
    uint8_t iv[IV_BYTES];
    uint32_t iv_length = (uint32_t)kernel_iv(request->algorithm, request->iv, iv);
    struct cmsghdr *header;
    size_t total = 0, used = 0;

    memset(&control, 0, sizeof control);
    header = add_control(&message, NULL, ALG_SET_OP, sizeof direction);
    memcpy(CMSG_DATA(header), &direction, sizeof direction);
    used += CMSG_SPACE(sizeof direction);
    if (iv_length > 0) {
        header = add_control(&message, header, ALG_SET_IV, sizeof iv_length + iv_length);
        memcpy(CMSG_DATA(header), &iv_length, sizeof iv_length);
        memcpy(CMSG_DATA(header) + sizeof iv_length, iv, iv_length);
        used += CMSG_SPACE(sizeof iv_length + iv_length);
    }
    if (cipher_is_combined(request->algorithm)) {
        header = add_control(&message, header, ALG_SET_AEAD_ASSOCLEN, sizeof associated);
        memcpy(CMSG_DATA(header), &associated, sizeof associated);
        used += CMSG_SPACE(sizeof associated);
    }
    message.msg_controllen = used;
    for (size_t i = 0; i < request->parts; i++)
        total += request->data[i].iov_len;
    /* The socket's buffer is limited: a request that does not fit fails instead of waiting for ever. */
    return sendmsg(operation, &message, MSG_DONTWAIT) == (ssize_t)total;
}
