/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's ciphers and MACs, one request at a time. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "af_alg.h"

enum { RETURNED_BYTES = SIZE_MAXIMUM_BYTES + 64 };

struct kernel_cipher {
    struct cipher cipher;
    int operation;
    bool encrypt;
    uint8_t *returned; /* the kernel gives associated data back in front of the result */
};

struct kernel_mac {
    struct mac mac;
    int operation;
};

static struct kernel_cipher *self_of(struct cipher *cipher)
{
    return (struct kernel_cipher *)(void *)cipher;
}

static bool crypt(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    struct kernel_cipher *self = self_of(cipher);
    struct af_alg_request request = {
        .algorithm = cipher->algorithm, .iv = iv, .encrypt = self->encrypt, .data = {af_alg_part(input, length)}, .parts = 1};

    return af_alg_send(self->operation, &request) && read(self->operation, output, length) == (ssize_t)length;
}

/* Reads associated data, result and, when sealing, the ICV. */
static bool receive(struct kernel_cipher *self, size_t associated, uint8_t *output, size_t length, uint8_t *icv,
                    size_t icv_length)
{
    struct iovec parts[] = {
        {.iov_base = self->returned, .iov_len = associated},
        {.iov_base = output, .iov_len = length},
        {.iov_base = icv, .iov_len = icv_length},
    };

    return readv(self->operation, parts, 3) == (ssize_t)(associated + length + icv_length);
}

static bool seal(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv)
{
    struct kernel_cipher *self = self_of(cipher);
    size_t encrypted = output != NULL ? length : 0;
    size_t associated = aad_length + length - encrypted;
    struct af_alg_request request = {.algorithm = cipher->algorithm,
                                     .iv = nonce,
                                     .encrypt = true,
                                     .associated = associated,
                                     .data = {af_alg_part(aad, aad_length), af_alg_part(input, length)},
                                     .parts = 2};

    return associated <= RETURNED_BYTES && af_alg_send(self->operation, &request) &&
           receive(self, associated, output, encrypted, icv, cipher->algorithm->icv_bytes);
}

static bool open_sealed(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                        const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    struct kernel_cipher *self = self_of(cipher);
    size_t decrypted = output != NULL ? length : 0;
    size_t associated = aad_length + length - decrypted;
    struct af_alg_request request = {
        .algorithm = cipher->algorithm,
        .iv = nonce,
        .encrypt = false,
        .associated = associated,
        .data = {af_alg_part(aad, aad_length), af_alg_part(input, length), af_alg_part(icv, cipher->algorithm->icv_bytes)},
        .parts = 3};

    return associated <= RETURNED_BYTES && af_alg_send(self->operation, &request) &&
           receive(self, associated, output, decrypted, NULL, 0);
}

static void destroy(struct cipher *cipher)
{
    struct kernel_cipher *self = self_of(cipher);

    if (self->operation >= 0)
        (void)close(self->operation);
    free(self->returned);
    free(self);
}

static struct cipher *new_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure)
{
    struct kernel_cipher *self;
    int transform;

    self = calloc(1, sizeof *self);
    if (self != NULL)
        self->returned = calloc(1, RETURNED_BYTES);
    if (self == NULL || self->returned == NULL) {
        free(self);
        (void)fail(failure, FAILURE_MEMORY, "no memory for a cipher");
        return NULL;
    }
    self->cipher.algorithm = algorithm;
    self->cipher.destroy = destroy;
    self->encrypt = encrypt;
    if (!cipher_is_combined(algorithm))
        self->cipher.crypt = crypt;
    else if (encrypt)
        self->cipher.seal = seal;
    else
        self->cipher.open = open_sealed;
    transform = af_alg_cipher(algorithm, key, failure);
    self->operation = transform < 0 ? -1 : af_alg_operation(transform, algorithm->name, failure);
    if (transform >= 0)
        (void)close(transform); /* the operation socket keeps it */
    if (self->operation < 0) {
        destroy(&self->cipher);
        return NULL;
    }
    return &self->cipher;
}

static bool compute(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    int operation = ((struct kernel_mac *)(void *)mac)->operation;
    size_t tag_length = mac->algorithm->mac_bytes;

    return send(operation, data, length, 0) == (ssize_t)length && read(operation, tag, tag_length) == (ssize_t)tag_length;
}

static void destroy_kernel_mac(struct mac *mac)
{
    (void)close(((struct kernel_mac *)(void *)mac)->operation);
    free(mac);
}

static struct mac *new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                           struct failure *failure)
{
    int transform = af_alg_mac(algorithm, key, key_length, failure);
    int operation = transform < 0 ? -1 : af_alg_operation(transform, algorithm->name, failure);
    struct kernel_mac *self = NULL;

    if (transform >= 0)
        (void)close(transform);
    if (operation < 0)
        return NULL;
    self = calloc(1, sizeof *self);
    if (self == NULL) {
        (void)close(operation);
        (void)fail(failure, FAILURE_MEMORY, "no memory for a MAC");
        return NULL;
    }
    self->mac.algorithm = algorithm;
    self->mac.compute = compute;
    self->mac.destroy = destroy_kernel_mac;
    self->operation = operation;
    return &self->mac;
}

static bool offers_mac(const struct mac_algorithm *algorithm, struct failure *failure)
{
    static const uint8_t key[KEY_BYTES_MAXIMUM];
    struct mac *trial = new_mac(algorithm, key, algorithm->key_bytes, failure);

    destroy_mac(trial);
    return trial != NULL;
}

const struct symmetric_provider symmetric_kernel = {
    .name = "kernel",
    .ready = kernel_ready,
    .offers_cipher = kernel_offers_cipher,
    .offers_mac = offers_mac,
    .new_cipher = new_cipher,
    .new_mac = new_mac,
};
