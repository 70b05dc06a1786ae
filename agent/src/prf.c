/* SPDX-License-Identifier: Apache-2.0 */
#include "prf.h"

#include "known_answers_public_key.h"

#include <stdlib.h>
#include <string.h>

static const struct prf_algorithm algorithms[] = {
    {"prfmd5", "MD5", PRF_HMAC, 16},
    {"prfsha1", "SHA1", PRF_HMAC, 20},
    {"prfsha256", "SHA256", PRF_HMAC, 32},
    {"prfsha384", "SHA384", PRF_HMAC, 48},
    {"prfsha512", "SHA512", PRF_HMAC, 64},
    {"prfaesxcbc", "", PRF_XCBC, 16}, /* RFC 4434 */
    {"prfaescmac", "", PRF_CMAC, 16}, /* RFC 4615 */
};

/* One worker's prepared computation. */
struct derivation {
    struct prf *prf;
    uint8_t key[PRF_MAXIMUM_BYTES];
    size_t key_bytes;
    size_t output_bytes; /* prf-plus */
    size_t seed_bytes;
    uint8_t *seed;   /* preceded by room for T(i - 1) and followed by room for the counter */
    uint8_t *output; /* whole blocks */
    uint8_t *memory;
};

static void destroy(void *state)
{
    struct derivation *derivation = state;

    if (derivation->prf != NULL)
        prf_destroy(derivation->prf);
    free(derivation->memory);
    free(derivation);
}

static struct derivation *create(const struct prf_algorithm *algorithm, size_t seed_bytes, size_t output_bytes,
                                 struct failure *failure)
{
    size_t block = algorithm->output_bytes;
    size_t rounded = (output_bytes + block - 1) / block * block;
    struct derivation *derivation = calloc(1, sizeof *derivation);

    if (derivation != NULL)
        derivation->memory = calloc(1, PRF_MAXIMUM_BYTES + seed_bytes + 1 + rounded + PRF_MAXIMUM_BYTES);
    if (derivation == NULL || derivation->memory == NULL) {
        free(derivation);
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    derivation->key_bytes = block;
    derivation->seed_bytes = seed_bytes;
    derivation->output_bytes = output_bytes;
    derivation->seed = derivation->memory + PRF_MAXIMUM_BYTES;
    derivation->output = derivation->seed + seed_bytes + 1;
    derivation->prf = prf_create(algorithm, failure);
    if (derivation->prf != NULL)
        return derivation;
    destroy(derivation);
    return NULL;
}

/* --- one operation ------------------------------------------------------------------------------------------------ */

static bool prf_once(struct derivation *derivation, const uint8_t *key, size_t key_bytes)
{
    return prf_set_key(derivation->prf, key, key_bytes) &&
           prf_compute(derivation->prf, derivation->seed, derivation->seed_bytes, derivation->output);
}

/* RFC 7296 section 2.13: T1 = prf(K, S | 1), T2 = prf(K, T1 | S | 2), ... */
static bool prf_plus_once(struct derivation *derivation, const uint8_t *key, size_t key_bytes)
{
    size_t block = derivation->prf->algorithm->output_bytes;
    uint8_t *start = derivation->seed;
    uint8_t *output = derivation->output;

    if (!prf_set_key(derivation->prf, key, key_bytes))
        return false;
    for (size_t done = 0, counter = 1; done < derivation->output_bytes; done += block, counter++) {
        derivation->seed[derivation->seed_bytes] = (uint8_t)counter;
        if (!prf_compute(derivation->prf, start,
                         (size_t)(derivation->seed - start) + derivation->seed_bytes + 1, output))
            return false;
        start = derivation->seed - block;
        memcpy(start, output, block);
        output += block;
    }
    return true;
}

static uint64_t run_prf(void *state, uint64_t iterations)
{
    struct derivation *derivation = state;
    uint64_t done = 0;

    while (done < iterations && prf_once(derivation, derivation->key, derivation->key_bytes))
        done++;
    return done;
}

static uint64_t run_prf_plus(void *state, uint64_t iterations)
{
    struct derivation *derivation = state;
    uint64_t done = 0;

    while (done < iterations && prf_plus_once(derivation, derivation->key, derivation->key_bytes))
        done++;
    return done;
}

/* --- the family --------------------------------------------------------------------------------------------------- */

static size_t rows(void)
{
    return sizeof algorithms / sizeof algorithms[0];
}

static void describe(size_t index, struct row *row)
{
    struct failure failure = {FAILURE_NONE, ""};
    bool offered = prf_offered(&algorithms[index], &failure);

    copy_text(row->algorithm, sizeof row->algorithm, algorithms[index].name);
    row->operations = offered ? OPERATION_PRF | OPERATION_PRF_PLUS : 0;
    copy_text(row->reason, sizeof row->reason, offered ? "" : failure.message);
}

static bool wrong(const struct prf_algorithm *algorithm, const char *what, struct failure *failure)
{
    libcrypto.ERR_clear_error();
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: %s: %s", libcrypto_short_version(), algorithm->name, what);
}

static bool check_prf(const struct prf_algorithm *algorithm, struct failure *failure)
{
    struct octets answer[PRF_FIELDS];
    size_t count = 0;

    while (answer_find(prf_answers, algorithm->name, count, answer, PRF_FIELDS)) {
        struct derivation *derivation = create(algorithm, answer[1].length, algorithm->output_bytes, failure);
        bool good;

        if (derivation == NULL)
            return false;
        memcpy(derivation->seed, answer[1].data, answer[1].length);
        good = prf_once(derivation, answer[0].data, answer[0].length) &&
               memcmp(derivation->output, answer[2].data, answer[2].length) == 0;
        destroy(derivation);
        if (!good)
            return wrong(algorithm, "the output is wrong", failure);
        count++;
    }
    return count > 0 || wrong(algorithm, "no known answer", failure);
}

static bool check_prf_plus(const struct prf_algorithm *algorithm, struct failure *failure)
{
    size_t output_bytes = (size_t)PRF_PLUS_ANSWER_BLOCKS * algorithm->output_bytes + PRF_PLUS_ANSWER_REST_BYTES;
    struct derivation *derivation;
    struct octets tail;
    bool good;

    if (!answer_find(prf_plus_answers, algorithm->name, 0, &tail, PRF_PLUS_FIELDS))
        return wrong(algorithm, "no known answer", failure);
    derivation = create(algorithm, PRF_PLUS_SEED_BYTES, output_bytes, failure);
    if (derivation == NULL)
        return false;
    answer_pattern(PRF_PLUS_KEY_START, derivation->key, derivation->key_bytes);
    answer_pattern(PRF_PLUS_SEED_START, derivation->seed, PRF_PLUS_SEED_BYTES);
    good = prf_plus_once(derivation, derivation->key, derivation->key_bytes) &&
           memcmp(derivation->output + output_bytes - tail.length, tail.data, tail.length) == 0;
    destroy(derivation);
    return good || wrong(algorithm, "the output is wrong", failure);
}

static bool check(size_t index, struct failure *failure)
{
    const struct prf_algorithm *algorithm = &algorithms[index];

    return prf_offered(algorithm, failure) && check_prf(algorithm, failure) && check_prf_plus(algorithm, failure);
}

static bool check_sizes(const struct prf_algorithm *algorithm, const struct order *order, struct failure *failure)
{
    size_t most = (size_t)PRF_PLUS_BLOCKS_MAXIMUM * algorithm->output_bytes;

    if (order->exponent_bits != 0)
        return fail(failure, FAILURE_USAGE, "exponent_bits: only for MODP groups, not for %s", algorithm->name);
    if (order->operation == OPERATION_PRF_PLUS && order->size_bytes > most)
        return fail(failure, FAILURE_USAGE, "size_bytes: prf+ with %s makes %zu octets at most", algorithm->name,
                    most);
    return true;
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    const struct prf_algorithm *algorithm = &algorithms[index];
    bool plus = order->operation == OPERATION_PRF_PLUS;
    struct derivation *derivation;

    if (!libcrypto_ready(failure) || !check_sizes(algorithm, order, failure))
        return false;
    if (order->size_bytes == 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing");
    derivation = create(algorithm, plus ? PRF_PLUS_SEED_BYTES : order->size_bytes,
                        plus ? order->size_bytes : algorithm->output_bytes, failure);
    if (derivation == NULL)
        return false;
    answer_pattern(PRF_PLUS_KEY_START, derivation->key, derivation->key_bytes);
    answer_pattern(PRF_PLUS_SEED_START, derivation->seed, derivation->seed_bytes);
    measurement->state = derivation;
    measurement->run = plus ? run_prf_plus : run_prf;
    measurement->destroy = destroy;
    detail_add(&measurement->detail, "key_bytes", derivation->key_bytes);
    detail_add(&measurement->detail, "seed_bytes", derivation->seed_bytes);
    return true;
}

static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    const struct prf_algorithm *algorithm = &algorithms[index];
    bool plus = order->operation == OPERATION_PRF_PLUS;
    struct derivation *derivation;
    bool good;

    if (!prf_offered(algorithm, failure) || !check_sizes(algorithm, order, failure))
        return false;
    if (!order->key.present || !order->input.present)
        return fail(failure, FAILURE_USAGE, "%s: missing", order->key.present ? "input" : "key");
    if (plus && order->size_bytes == 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing");
    derivation = create(algorithm, order->input.length, plus ? order->size_bytes : algorithm->output_bytes, failure);
    if (derivation == NULL)
        return false;
    memcpy(derivation->seed, order->input.data, order->input.length);
    good = plus ? prf_plus_once(derivation, order->key.data, order->key.length)
                : prf_once(derivation, order->key.data, order->key.length);
    if (good) {
        memcpy(output->data, derivation->output, derivation->output_bytes);
        output->length = derivation->output_bytes;
    } else {
        (void)libcrypto_fail(failure, FAILURE_FAILED, algorithm->name);
    }
    destroy(derivation);
    return good;
}

const struct family prf_family = {
    .provider = "libcrypto",
    .tier = "primitive",
    .rows = rows,
    .describe = describe,
    .check = check,
    .prepare = prepare,
    .compute = compute,
};
