/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tier "primitive" of intel-ipsec-mb: one buffer after the other, each waited for, on one warm buffer with a new IV each
 * time, as for the other libraries.
 */
#include <stdlib.h>
#include <string.h>

#include "library_ipsec_mb_jobs.h"
#include "primitive_compute.h"
#include "test_octets.h"

/* Associated data of combined ciphers: as long as ESP's without ESN. */
enum { AAD_BYTES = 8, ALIGNMENT = 64 };

enum step_kind { STEP_CRYPT, STEP_SEAL, STEP_OPEN, STEP_AUTHENTICATE, STEP_VERIFY };

struct primitive {
    enum step_kind kind;
    struct cipher *cipher;
    struct mac *mac;
    uint8_t *input;
    uint8_t *output;
    size_t length;
    size_t aad_bytes;
    uint64_t counter;
    uint8_t iv[IV_BYTES_MAXIMUM];
    uint8_t aad[AAD_BYTES];
    uint8_t icv[MAC_BYTES_MAXIMUM];
};

static size_t rows(void)
{
    return cipher_algorithm_count + mac_algorithm_count;
}

/* Ciphers come first, then integrity algorithms; one of the two is NULL. */
static const struct cipher_algorithm *cipher_of(size_t index)
{
    return index < cipher_algorithm_count ? &cipher_algorithms[index] : NULL;
}

static const struct mac_algorithm *mac_of(size_t index)
{
    return index < cipher_algorithm_count ? NULL
                                          : ipsec_mb_mac_algorithm(&mac_algorithms[index - cipher_algorithm_count]);
}

static bool offered(size_t index, struct failure *failure)
{
    return ipsec_mb_ready(failure) &&
           (cipher_of(index) == NULL || mb_offers_cipher(cipher_of(index), failure)) &&
           (mac_of(index) == NULL || mb_offers_mac(mac_of(index), failure));
}

static void describe(size_t index, struct row *row)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    struct failure failure;

    memset(row, 0, sizeof *row);
    copy_text(row->algorithm, sizeof row->algorithm, cipher != NULL ? cipher->name : mac_of(index)->name);
    if (!offered(index, &failure))
        copy_text(row->reason, sizeof row->reason, failure.message);
    else if (cipher == NULL || cipher->kind == CIPHER_GMAC)
        row->operations = OPERATION_AUTHENTICATE | OPERATION_VERIFY;
    else
        row->operations = OPERATION_ENCRYPT | OPERATION_DECRYPT;
}

static bool check(size_t index, struct failure *failure)
{
    if (!offered(index, failure))
        return false;
    if (cipher_of(index) != NULL)
        return known_answers_cipher(&symmetric_ipsec_mb, cipher_of(index), failure);
    return mb_check_mac(mac_of(index), failure);
}

/* --- the timed loop --------------------------------------------------------------------------------------------------- */

static inline const uint8_t *next_iv(struct primitive *primitive)
{
    primitive->counter++;
    memcpy(primitive->iv, &primitive->counter, sizeof primitive->counter);
    return primitive->iv;
}

static inline bool step(struct primitive *primitive)
{
    struct cipher *cipher = primitive->cipher;
    uint8_t tag[MAC_BYTES_MAXIMUM];

    switch (primitive->kind) {
    case STEP_CRYPT:
        return cipher->crypt(cipher, next_iv(primitive), primitive->input, primitive->length, primitive->output);
    case STEP_SEAL:
        return cipher->seal(cipher, next_iv(primitive), primitive->aad, primitive->aad_bytes, primitive->input,
                            primitive->length, primitive->output, primitive->icv);
    case STEP_OPEN: /* the same sealed message each time: its ICV is right for one nonce only */
        return cipher->open(cipher, primitive->iv, primitive->aad, primitive->aad_bytes, primitive->input,
                            primitive->length, primitive->output, primitive->icv);
    case STEP_AUTHENTICATE:
        return primitive->mac->compute(primitive->mac, primitive->input, primitive->length, primitive->icv);
    case STEP_VERIFY:
        return primitive->mac->compute(primitive->mac, primitive->input, primitive->length, tag) &&
               equal_constant_time(tag, primitive->icv, primitive->mac->algorithm->icv_bytes);
    }
    return false;
}

static uint64_t run(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && step(state))
        done++;
    return done;
}

/* --- setting up -------------------------------------------------------------------------------------------------------- */

static void destroy(void *state)
{
    struct primitive *primitive = state;

    destroy_cipher(primitive->cipher);
    destroy_mac(primitive->mac);
    free(primitive->input);
    free(primitive->output);
    free(primitive);
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

/* Makes the message that an opening is measured with. */
static bool seal_input(struct primitive *primitive, const struct cipher_algorithm *algorithm, const uint8_t *key,
                       struct failure *failure)
{
    struct cipher *sealer = symmetric_ipsec_mb.new_cipher(algorithm, key, true, failure);
    bool sealed;

    if (sealer == NULL)
        return false;
    sealed = sealer->seal(sealer, primitive->iv, primitive->aad, primitive->aad_bytes, primitive->input,
                          primitive->length, algorithm->kind == CIPHER_GMAC ? NULL : primitive->input,
                          primitive->icv);
    destroy_cipher(sealer);
    return sealed || fail(failure, FAILURE_FAILED, "%s: the message to open could not be sealed", algorithm->name);
}

static bool prepare_cipher(struct primitive *primitive, const struct cipher_algorithm *algorithm, bool encrypt,
                           struct measurement *measurement, struct failure *failure)
{
    uint8_t key[KEY_BYTES_MAXIMUM];

    fill_test_octets(key, sizeof key, 0x6b6579);
    primitive->aad_bytes = cipher_is_combined(algorithm) && algorithm->kind != CIPHER_GMAC ? AAD_BYTES : 0;
    primitive->cipher = symmetric_ipsec_mb.new_cipher(algorithm, key, encrypt, failure);
    if (primitive->cipher == NULL)
        return false;
    primitive->kind = STEP_CRYPT;
    if (!cipher_is_combined(algorithm))
        return true;
    primitive->kind = encrypt ? STEP_SEAL : STEP_OPEN;
    if (primitive->aad_bytes > 0)
        detail_add(&measurement->detail, "aad_bytes", primitive->aad_bytes);
    return encrypt || seal_input(primitive, algorithm, key, failure);
}

static bool prepare_mac(struct primitive *primitive, const struct mac_algorithm *algorithm, bool verify,
                        struct failure *failure)
{
    uint8_t key[KEY_BYTES_MAXIMUM];

    fill_test_octets(key, sizeof key, 0x6b6579);
    primitive->mac = symmetric_ipsec_mb.new_mac(algorithm, key, algorithm->key_bytes, failure);
    if (primitive->mac == NULL)
        return false;
    primitive->kind = verify ? STEP_VERIFY : STEP_AUTHENTICATE;
    if (!primitive->mac->compute(primitive->mac, primitive->input, primitive->length, primitive->icv))
        return fail(failure, FAILURE_UNSUPPORTED, "%s: %s does not take %zu octets", ipsec_mb_short_version(),
                    algorithm->name, primitive->length);
    return true;
}

static struct primitive *allocate(size_t length, struct failure *failure)
{
    size_t capacity = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct primitive *primitive = calloc(1, sizeof *primitive);

    if (primitive != NULL) {
        primitive->input = aligned_alloc(ALIGNMENT, capacity);
        primitive->output = aligned_alloc(ALIGNMENT, capacity);
        primitive->length = length;
        if (primitive->input != NULL && primitive->output != NULL) {
            fill_test_octets(primitive->input, capacity, 0x696e);
            memset(primitive->output, 0, capacity);
            fill_test_octets(primitive->aad, sizeof primitive->aad, 0x616164);
            return primitive;
        }
        destroy(primitive);
    }
    (void)fail(failure, FAILURE_MEMORY, "no memory for buffers of %zu octets", capacity);
    return NULL;
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    bool forward = order->operation == OPERATION_ENCRYPT || order->operation == OPERATION_AUTHENTICATE;
    struct primitive *primitive;
    bool prepared;

    if (!check_size(order, cipher, failure))
        return false;
    primitive = allocate(order->size_bytes, failure);
    if (primitive == NULL)
        return false;
    if (cipher != NULL)
        prepared = prepare_cipher(primitive, cipher, forward, measurement, failure);
    else
        prepared = prepare_mac(primitive, mac_of(index), !forward, failure);
    if (!prepared) {
        destroy(primitive);
        return false;
    }
    measurement->state = primitive;
    measurement->run = run;
    measurement->destroy = destroy;
    return true;
}

static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    return primitive_compute(&symmetric_ipsec_mb, cipher_of(index), mac_of(index), order, output, failure);
}

const struct family ipsec_mb_primitives = {
    .provider = "libipsec-mb",
    .tier = "primitive",
    .rows = rows,
    .describe = describe,
    .check = check,
    .prepare = prepare,
    .compute = compute,
};
