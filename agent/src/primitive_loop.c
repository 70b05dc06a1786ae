/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tier "primitive" of ciphers and integrity algorithms: one call after the other on one warm buffer, as `openssl speed`
 * does it, with a new IV each time. Input and output are two buffers in both directions.
 */
#include <stdlib.h>
#include <string.h>

#include "af_alg.h"
#include "primitive_compute.h"
#include "symmetric.h"
#include "test_octets.h"

/* Associated data of combined ciphers: as long as ESP's without ESN. */
enum { AAD_BYTES = 8, ALIGNMENT = 64 };

struct primitive_loop {
    struct cipher *cipher;
    struct mac *mac;
    uint8_t *input;
    uint8_t *output;
    size_t length;
    size_t icv_bytes;
    uint64_t counter;
    uint8_t iv[IV_BYTES_MAXIMUM];
    uint8_t aad[AAD_BYTES];
    uint8_t icv[MAC_BYTES_MAXIMUM];
};

/* Ciphers come first, then integrity algorithms. */
static size_t rows(void)
{
    return cipher_algorithm_count + mac_algorithm_count;
}

static const struct cipher_algorithm *cipher_of(size_t index)
{
    return index < cipher_algorithm_count ? &cipher_algorithms[index] : NULL;
}

static const struct mac_algorithm *mac_of(size_t index)
{
    return index < cipher_algorithm_count ? NULL : &mac_algorithms[index - cipher_algorithm_count];
}

static bool offered(const struct symmetric_provider *provider, size_t index, struct failure *failure)
{
    if (!provider->ready(failure))
        return false;
    if (cipher_of(index) != NULL)
        return provider->offers_cipher(cipher_of(index), failure);
    return provider->offers_mac(mac_of(index), failure);
}

static void describe(const struct symmetric_provider *provider, size_t index, struct row *row)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    struct failure failure;

    memset(row, 0, sizeof *row);
    copy_text(row->algorithm, sizeof row->algorithm, cipher != NULL ? cipher->name : mac_of(index)->name);
    if (!offered(provider, index, &failure))
        copy_text(row->reason, sizeof row->reason, failure.message);
    else if (cipher == NULL || cipher->kind == CIPHER_GMAC)
        row->operations = OPERATION_AUTHENTICATE | OPERATION_VERIFY;
    else
        row->operations = OPERATION_ENCRYPT | OPERATION_DECRYPT;
}

static bool check(const struct symmetric_provider *provider, size_t index, struct failure *failure)
{
    if (!offered(provider, index, failure))
        return false;
    if (cipher_of(index) != NULL)
        return known_answers_cipher(provider, cipher_of(index), failure);
    return known_answers_mac(provider, mac_of(index), failure);
}

/* The IV of the next operation: a counter over the first octets. */
static inline const uint8_t *next_iv(struct primitive_loop *loop)
{
    loop->counter++;
    memcpy(loop->iv, &loop->counter, sizeof loop->counter);
    return loop->iv;
}

static uint64_t run_crypt(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->cipher->crypt(loop->cipher, next_iv(loop), loop->input, loop->length, loop->output))
            return i;
    }
    return iterations;
}

static uint64_t run_seal(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->cipher->seal(loop->cipher, next_iv(loop), loop->aad, AAD_BYTES, loop->input, loop->length,
                                loop->output, loop->icv))
            return i;
    }
    return iterations;
}

/* The same sealed message each time: its ICV is right for one nonce only. */
static uint64_t run_open(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->cipher->open(loop->cipher, loop->iv, loop->aad, AAD_BYTES, loop->input, loop->length, loop->output,
                                loop->icv))
            return i;
    }
    return iterations;
}

static uint64_t run_gmac_authenticate(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->cipher->seal(loop->cipher, next_iv(loop), NULL, 0, loop->input, loop->length, NULL, loop->icv))
            return i;
    }
    return iterations;
}

static uint64_t run_gmac_verify(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->cipher->open(loop->cipher, loop->iv, NULL, 0, loop->input, loop->length, NULL, loop->icv))
            return i;
    }
    return iterations;
}

static uint64_t run_mac_authenticate(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->mac->compute(loop->mac, loop->input, loop->length, loop->icv))
            return i;
    }
    return iterations;
}

static uint64_t run_mac_verify(void *state, uint64_t iterations)
{
    struct primitive_loop *loop = state;
    uint8_t tag[MAC_BYTES_MAXIMUM];

    for (uint64_t i = 0; i < iterations; i++) {
        if (!loop->mac->compute(loop->mac, loop->input, loop->length, tag) ||
            !equal_constant_time(tag, loop->icv, loop->icv_bytes))
            return i;
    }
    return iterations;
}

static void destroy(void *state)
{
    struct primitive_loop *loop = state;

    destroy_cipher(loop->cipher);
    destroy_mac(loop->mac);
    free(loop->input);
    free(loop->output);
    free(loop);
}

static bool check_size(const struct order *order, const struct cipher_algorithm *cipher, struct failure *failure)
{
    if (order->mix != MIX_NONE)
        return fail(failure, FAILURE_USAGE, "mix: only for the tier packet-loop");
    if (order->size_bytes == 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing");
    if (cipher != NULL && order->size_bytes % cipher->block_bytes != 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: %s without a packet needs a multiple of %u octets",
                    cipher->name, cipher->block_bytes);
    return true;
}

/* Makes the message that a decryption or verification is measured with. */
static bool seal_input(struct primitive_loop *loop, const struct symmetric_provider *provider,
                       const struct cipher_algorithm *algorithm, const uint8_t *key, struct failure *failure)
{
    bool gmac = algorithm->kind == CIPHER_GMAC;
    struct cipher *sealer;
    bool sealed;

    if (!cipher_is_combined(algorithm))
        return true;
    sealer = provider->new_cipher(algorithm, key, true, failure);
    if (sealer == NULL)
        return false;
    sealed = sealer->seal(sealer, loop->iv, loop->aad, gmac ? 0 : AAD_BYTES, loop->input, loop->length,
                          gmac ? NULL : loop->input, loop->icv);
    destroy_cipher(sealer);
    return sealed || fail(failure, FAILURE_FAILED, "%s: the message to open could not be sealed", algorithm->name);
}

static bool prepare_cipher(struct primitive_loop *loop, const struct symmetric_provider *provider,
                           const struct cipher_algorithm *algorithm, enum operation operation,
                           struct measurement *measurement, struct failure *failure)
{
    bool encrypt = operation == OPERATION_ENCRYPT || operation == OPERATION_AUTHENTICATE;
    uint8_t key[KEY_BYTES_MAXIMUM];

    fill_test_octets(key, sizeof key, 0x6b6579);
    loop->cipher = provider->new_cipher(algorithm, key, encrypt, failure);
    if (loop->cipher == NULL)
        return false;
    if (algorithm->kind == CIPHER_GMAC)
        measurement->run = encrypt ? run_gmac_authenticate : run_gmac_verify;
    else if (cipher_is_combined(algorithm))
        measurement->run = encrypt ? run_seal : run_open;
    else
        measurement->run = run_crypt;
    return encrypt || seal_input(loop, provider, algorithm, key, failure);
}

static bool prepare_mac(struct primitive_loop *loop, const struct symmetric_provider *provider,
                        const struct mac_algorithm *algorithm, enum operation operation,
                        struct measurement *measurement, struct failure *failure)
{
    uint8_t key[KEY_BYTES_MAXIMUM];

    fill_test_octets(key, sizeof key, 0x6b6579);
    loop->icv_bytes = algorithm->icv_bytes;
    loop->mac = provider->new_mac(algorithm, key, algorithm->key_bytes, failure);
    if (loop->mac == NULL)
        return false;
    measurement->run = operation == OPERATION_VERIFY ? run_mac_verify : run_mac_authenticate;
    if (!loop->mac->compute(loop->mac, loop->input, loop->length, loop->icv))
        return fail(failure, FAILURE_FAILED, "%s: the MAC to verify could not be computed", algorithm->name);
    return true;
}

static bool prepare(const struct symmetric_provider *provider, size_t index, const struct order *order,
                    struct measurement *measurement, struct failure *failure)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    size_t capacity = ((size_t)order->size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct primitive_loop *loop;
    bool prepared;

    if (!check_size(order, cipher, failure))
        return false;
    loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for a measurement");
    loop->length = order->size_bytes;
    loop->input = aligned_alloc(ALIGNMENT, capacity);
    loop->output = aligned_alloc(ALIGNMENT, capacity);
    if (loop->input == NULL || loop->output == NULL) {
        destroy(loop);
        return fail(failure, FAILURE_MEMORY, "no memory for buffers of %zu octets", capacity);
    }
    fill_test_octets(loop->input, capacity, 0x696e);
    memset(loop->output, 0, capacity);
    fill_test_octets(loop->aad, sizeof loop->aad, 0x616164);
    if (cipher != NULL)
        prepared = prepare_cipher(loop, provider, cipher, order->operation, measurement, failure);
    else
        prepared = prepare_mac(loop, provider, mac_of(index), order->operation, measurement, failure);
    if (!prepared) {
        destroy(loop);
        return false;
    }
    measurement->state = loop;
    measurement->destroy = destroy;
    if (cipher != NULL && cipher_is_combined(cipher) && cipher->kind != CIPHER_GMAC)
        detail_add(&measurement->detail, "aad_bytes", AAD_BYTES);
    return true;
}

#define PRIMITIVES_OF(library)                                                                                     \
    static void describe_##library(size_t index, struct row *row)                                                  \
    {                                                                                                              \
        describe(&symmetric_##library, index, row);                                                                \
    }                                                                                                              \
    static bool check_##library(size_t index, struct failure *failure)                                             \
    {                                                                                                              \
        return check(&symmetric_##library, index, failure);                                                        \
    }                                                                                                              \
    static bool prepare_##library(size_t index, const struct order *order, struct measurement *measurement,        \
                                  struct failure *failure)                                                         \
    {                                                                                                              \
        return prepare(&symmetric_##library, index, order, measurement, failure);                                  \
    }                                                                                                              \
    static bool compute_##library(size_t index, const struct order *order, struct output *output,                  \
                                  struct failure *failure)                                                         \
    {                                                                                                              \
        return primitive_compute(&symmetric_##library, cipher_of(index), mac_of(index), order, output, failure);   \
    }                                                                                                              \
    extern const struct family symmetric_primitives_##library;                                                     \
    const struct family symmetric_primitives_##library = {                                                         \
        #library, "primitive", rows, describe_##library, check_##library, prepare_##library, compute_##library};

PRIMITIVES_OF(libcrypto)
PRIMITIVES_OF(libgcrypt)
PRIMITIVES_OF(kernel)
