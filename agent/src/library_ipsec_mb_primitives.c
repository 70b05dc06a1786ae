/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tier "primitive" of intel-ipsec-mb: one job after the other, each waited for, on one warm buffer with a new IV each
 * time, as for the other libraries. The NULL cipher is a job in which nothing is done, not even copied.
 */
#include <stdlib.h>
#include <string.h>

#include "library_ipsec_mb_jobs.h"
#include "primitive_compute.h"
#include "test_octets.h"

/* Associated data of combined ciphers: as long as ESP's without ESN. */
enum { AAD_BYTES = 8, ALIGNMENT = 64 };

struct primitive {
    struct mb_keys keys;
    struct mb_job job; /* every job is a copy of this one */
    struct mb_manager *manager;
    uint8_t *input;
    uint8_t *output;
    bool keeps_iv; /* the input was sealed with it */
    uint64_t counter;
    size_t compared_bytes; /* of the tag with the ICV; 0: nothing is verified */
    uint8_t iv[MB_BLOCK_BYTES];
    uint8_t aad[AAD_BYTES];
    uint8_t tag[MAC_BYTES_MAXIMUM];
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

/* --- the timed loop ------------------------------------------------------------------------------------------- */

static bool step(struct primitive *primitive)
{
    *primitive->manager->get_next_job(primitive->manager) = primitive->job;
    if (!primitive->keeps_iv) {
        primitive->counter++;
        memcpy(primitive->iv, &primitive->counter, sizeof primitive->counter);
    }
    return mb_run_alone(primitive->manager) &&
           equal_constant_time(primitive->tag, primitive->icv, primitive->compared_bytes);
}

static uint64_t run(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && step(state))
        done++;
    return done;
}

/* --- setting up ----------------------------------------------------------------------------------------------- */

static void destroy(void *state)
{
    struct primitive *primitive = state;

    ipsec_mb_free_manager(primitive->manager);
    free(primitive->input);
    free(primitive->output);
    free(primitive);
}

static struct primitive *allocate(size_t length, struct failure *failure)
{
    size_t capacity = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct primitive *primitive = aligned_alloc(ALIGNMENT, (sizeof *primitive + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

    if (primitive == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    memset(primitive, 0, sizeof *primitive);
    primitive->input = aligned_alloc(ALIGNMENT, capacity);
    primitive->output = aligned_alloc(ALIGNMENT, capacity);
    if (primitive->input == NULL || primitive->output == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
    } else {
        fill_test_octets(primitive->input, capacity, 0x696e);
        memset(primitive->output, 0, capacity);
        fill_test_octets(primitive->aad, sizeof primitive->aad, 0x616164);
        primitive->manager = ipsec_mb_new_manager(failure);
    }
    if (primitive->manager != NULL)
        return primitive;
    destroy(primitive);
    return NULL;
}

/* The job of one operation; `cipher` or `mac` is NULL. Output goes to `output`, the tag to `tag`. */
static void make_job(struct primitive *primitive, const struct cipher_algorithm *cipher,
                     const struct mac_algorithm *mac, bool forward, size_t length)
{
    struct mb_job *job = &primitive->job;

    mb_job_template(job, cipher, mac, forward, &primitive->keys);
    job->source = primitive->input;
    job->destination = primitive->output;
    job->cipher_bytes = job->hash_bytes = length;
    job->iv = primitive->iv;
    job->tag = primitive->tag;
    if (cipher != NULL && cipher->kind == CIPHER_GMAC) {
        job->auth.gmac.iv = primitive->iv;
    } else if (cipher != NULL && cipher_is_combined(cipher)) {
        job->auth.aad.data = primitive->aad;
        job->auth.aad.bytes = AAD_BYTES;
    }
}

/*
 * For verification the input is sealed in place, and its tag kept as the ICV. Every operation is tried once: some
 * lengths are refused.
 */
static bool prepare_job(struct primitive *primitive, size_t index, const struct order *order, struct failure *failure)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    const struct mac_algorithm *mac = mac_of(index);
    bool forward = order->operation == OPERATION_ENCRYPT || order->operation == OPERATION_AUTHENTICATE;
    uint8_t key[KEY_BYTES_MAXIMUM];

    fill_test_octets(key, sizeof key, 0x6b6579);
    if (cipher != NULL)
        mb_set_cipher_key(primitive->manager, cipher, key, &primitive->keys);
    else if (!mb_set_mac_key(primitive->manager, mac, key, mac->key_bytes, &primitive->keys, failure))
        return false;
    make_job(primitive, cipher, mac, true, order->size_bytes);
    if (!forward) {
        primitive->job.destination = primitive->input;
        if (!step(primitive))
            return ipsec_mb_fail(primitive->manager, "sealing", failure);
        memcpy(primitive->icv, primitive->tag, sizeof primitive->icv);
        make_job(primitive, cipher, mac, mac != NULL, order->size_bytes);
        primitive->keeps_iv = true;
        primitive->compared_bytes = primitive->job.tag_bytes;
    }
    return step(primitive) || ipsec_mb_fail(primitive->manager, order->algorithm, failure);
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    const struct cipher_algorithm *cipher = cipher_of(index);
    struct primitive *primitive;

    if (order->mix != MIX_NONE)
        return fail(failure, FAILURE_USAGE, "mix: only for the tier packet-loop");
    if (order->size_bytes == 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing");
    if (cipher != NULL && order->size_bytes % cipher->block_bytes != 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: %s without a packet needs a multiple of %u octets",
                    cipher->name, cipher->block_bytes);
    primitive = allocate(order->size_bytes, failure);
    if (primitive == NULL)
        return false;
    if (!prepare_job(primitive, index, order, failure)) {
        destroy(primitive);
        return false;
    }
    measurement->state = primitive;
    measurement->run = run;
    measurement->destroy = destroy;
    if (cipher != NULL && cipher_is_combined(cipher) && cipher->kind != CIPHER_GMAC)
        detail_add(&measurement->detail, "aad_bytes", AAD_BYTES);
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
