/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer at a time: each context has a manager of its own, and each call is one job that is waited for. */
#include <stdlib.h>
#include <string.h>

#include "library_ipsec_mb_jobs.h"

enum { ALIGNMENT = 64, GMAC_SCRATCH_BYTES = SIZE_MAXIMUM_BYTES + 512 };

/* A cipher or a MAC. */
struct context {
    struct cipher cipher;
    struct mac mac;
    struct mb_manager *manager;
    struct mb_job template;
    uint8_t *scratch; /* GMAC: associated data in one piece */
    struct mb_keys keys;
};

static struct context *of_cipher(struct cipher *cipher)
{
    return (struct context *)(void *)cipher;
}

static struct context *of_mac(struct mac *mac)
{
    return (struct context *)(void *)((uint8_t *)mac - offsetof(struct context, mac));
}

static void destroy_context(struct context *context)
{
    ipsec_mb_free_manager(context->manager);
    free(context->scratch);
    free(context);
}

static void destroy_mb_cipher(struct cipher *cipher)
{
    destroy_context(of_cipher(cipher));
}

static void destroy_mb_mac(struct mac *mac)
{
    destroy_context(of_mac(mac));
}

static struct mb_job *next_job(struct context *context)
{
    struct mb_job *job = context->manager->get_next_job(context->manager);

    *job = context->template;
    return job;
}

static bool crypt(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    struct context *context = of_cipher(cipher);
    struct mb_job *job = next_job(context);

    job->source = input;
    job->destination = output;
    job->cipher_bytes = length;
    job->iv = iv;
    return mb_run_alone(context->manager);
}

/* GMAC takes associated data in one piece: `aad` and then `input`. */
static bool run_gmac(struct context *context, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                     const uint8_t *input, size_t length, uint8_t *tag)
{
    struct mb_job *job = next_job(context);

    if (aad_length > 0) {
        if (aad_length + length > GMAC_SCRATCH_BYTES)
            return false;
        memcpy(context->scratch, aad, aad_length);
        if (length > 0)
            memcpy(context->scratch + aad_length, input, length);
        input = context->scratch;
    }
    job->source = input;
    job->hash_bytes = aad_length + length;
    job->auth.gmac.iv = nonce;
    job->tag = tag;
    return mb_run_alone(context->manager);
}

static bool run_combined(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                         const uint8_t *input, size_t length, uint8_t *output, uint8_t *tag)
{
    struct context *context = of_cipher(cipher);
    struct mb_job *job;

    if (cipher->algorithm->kind == CIPHER_GMAC)
        return run_gmac(context, nonce, aad, aad_length, input, length, tag);
    job = next_job(context);
    job->source = input;
    job->destination = output;
    job->cipher_bytes = job->hash_bytes = length;
    job->iv = nonce;
    job->auth.aad.data = aad;
    job->auth.aad.bytes = aad_length;
    job->tag = tag;
    return mb_run_alone(context->manager);
}

static bool open_sealed(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                        const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    uint8_t tag[ICV_BYTES_MAXIMUM];

    return run_combined(cipher, nonce, aad, aad_length, input, length, output, tag) &&
           equal_constant_time(tag, icv, cipher->algorithm->icv_bytes);
}

static bool compute_mac(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    struct context *context = of_mac(mac);
    struct mb_job *job = next_job(context);

    job->source = data;
    job->hash_bytes = length;
    job->tag = tag;
    return mb_run_alone(context->manager);
}

static struct context *new_context(struct failure *failure)
{
    struct context *context =
        aligned_alloc(ALIGNMENT, (sizeof *context + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

    if (context == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    memset(context, 0, sizeof *context);
    context->manager = ipsec_mb_new_manager(failure);
    if (context->manager != NULL)
        return context;
    free(context);
    return NULL;
}

static struct cipher *new_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure)
{
    struct context *context;

    if (algorithm->kind == CIPHER_NULL)
        return new_null_cipher(algorithm, failure);
    context = new_context(failure);
    if (context == NULL)
        return NULL;
    if (algorithm->kind == CIPHER_GMAC) {
        context->scratch = malloc(GMAC_SCRATCH_BYTES);
        if (context->scratch == NULL) {
            destroy_context(context);
            (void)fail(failure, FAILURE_MEMORY, "no memory");
            return NULL;
        }
    }
    mb_set_cipher_key(context->manager, algorithm, key, &context->keys);
    mb_job_template(&context->template, algorithm, NULL, encrypt, &context->keys);
    context->cipher.algorithm = algorithm;
    context->cipher.crypt = crypt;
    context->cipher.seal = run_combined;
    context->cipher.open = open_sealed;
    context->cipher.destroy = destroy_mb_cipher;
    return &context->cipher;
}

static struct mac *new_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                           struct failure *failure)
{
    struct context *context = new_context(failure);

    if (context == NULL)
        return NULL;
    if (!mb_set_mac_key(context->manager, algorithm, key, key_length, &context->keys, failure)) {
        destroy_context(context);
        return NULL;
    }
    mb_job_template(&context->template, NULL, algorithm, true, &context->keys);
    context->template.tag_bytes = ipsec_mb_mac_algorithm(algorithm)->mac_bytes;
    context->mac.algorithm = algorithm;
    context->mac.compute = compute_mac;
    context->mac.destroy = destroy_mb_mac;
    return &context->mac;
}

const struct symmetric_provider symmetric_ipsec_mb = {
    .name = "libipsec-mb",
    .ready = ipsec_mb_ready,
    .offers_cipher = mb_offers_cipher,
    .offers_mac = mb_offers_mac,
    .new_cipher = new_cipher,
    .new_mac = new_mac,
};
