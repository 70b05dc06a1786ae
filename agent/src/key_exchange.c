/* SPDX-License-Identifier: Apache-2.0 */
#include "key_exchange.h"

#include "key_exchange_operation.h"
#include "known_answers_public_key.h"

#include <string.h>

enum {
    X25519_TYPE = 1034, /* EVP_PKEY_X25519 */
    X448_TYPE = 1035,   /* EVP_PKEY_X448 */
    EXPONENT_MINIMUM_BITS = 64,
    EXPONENT_SLACK_BITS = 64 /* a random number of n bits is shorter than n - 64 once in 2^64 */
};

#define MODP(name, bits) {name, "", KIND_MODP, 0, (bits) / 8, (bits) / 8, 0}
#define ECP(name, curve, field_bytes) {name, curve, KIND_ECP, 0, 2 * (field_bytes), field_bytes, 0}

static const struct key_exchange_method methods[] = {
    MODP("modp768", 768),
    MODP("modp1024", 1024),
    MODP("modp1536", 1536),
    MODP("modp2048", 2048),
    MODP("modp3072", 3072),
    MODP("modp4096", 4096),
    MODP("modp6144", 6144),
    MODP("modp8192", 8192),
    MODP("modp1024s160", 1024),
    MODP("modp2048s224", 2048),
    MODP("modp2048s256", 2048),
    ECP("ecp192", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", 24),
    ECP("ecp224", "\x06\x05\x2b\x81\x04\x00\x21", 28),
    ECP("ecp256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 32),
    ECP("ecp384", "\x06\x05\x2b\x81\x04\x00\x22", 48),
    ECP("ecp521", "\x06\x05\x2b\x81\x04\x00\x23", 66),
    ECP("ecp224bp", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x05", 28),
    ECP("ecp256bp", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07", 32),
    ECP("ecp384bp", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", 48),
    ECP("ecp512bp", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", 64),
    {"x25519", "", KIND_MONTGOMERY, X25519_TYPE, 32, 32, 0},
    {"x448", "", KIND_MONTGOMERY, X448_TYPE, 56, 56, 0},
    {"mlkem512", "ML-KEM-512", KIND_ML_KEM, 0, 800, 32, 768},
    {"mlkem768", "ML-KEM-768", KIND_ML_KEM, 0, 1184, 32, 1088},
    {"mlkem1024", "ML-KEM-1024", KIND_ML_KEM, 0, 1568, 32, 1568},
};

const struct key_exchange_method *key_exchange_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

/* --- timed loops ------------------------------------------------------------------------------------------------ */

static uint64_t run_generate(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && exchange_generate(state))
        done++;
    return done;
}

static uint64_t run_agree(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && exchange_agree(state))
        done++;
    return done;
}

static uint64_t run_encapsulate(void *state, uint64_t iterations)
{
    struct exchange *exchange = state;
    uint64_t done = 0;

    while (done < iterations && ml_kem_encapsulate(exchange->method, exchange->peer_public, exchange->ciphertext,
                                                   exchange->secret))
        done++;
    return done;
}

static uint64_t run_decapsulate(void *state, uint64_t iterations)
{
    struct exchange *exchange = state;
    uint64_t done = 0;

    while (done < iterations &&
           ml_kem_decapsulate(exchange->method, exchange->deriver, exchange->ciphertext, exchange->secret))
        done++;
    return done;
}

/* --- the family ------------------------------------------------------------------------------------------------- */

static size_t rows(void)
{
    return sizeof methods / sizeof methods[0];
}

/* Tries once; what a library has does not change while the process lives. */
static bool available(const struct key_exchange_method *method, struct failure *failure)
{
    static bool known[sizeof methods / sizeof methods[0]];
    struct exchange *exchange;

    if (known[method - methods])
        return true;
    if (!libcrypto_ready(failure))
        return false;
    exchange = exchange_create(method, 0, failure);
    if (exchange != NULL) {
        exchange_destroy(exchange);
        known[method - methods] = true;
        return true;
    }
    if (failure->code != FAILURE_UNSUPPORTED)
        return false;
    if (method->kind == KIND_ML_KEM)
        return fail(failure, FAILURE_UNSUPPORTED, "%s has no ML-KEM: OpenSSL has it since 3.5",
                    libcrypto_short_version());
    return fail(failure, FAILURE_UNSUPPORTED, "%s was built without %s", libcrypto_short_version(), method->name);
}

static void describe(size_t index, struct row *row)
{
    const struct key_exchange_method *method = &methods[index];
    struct failure failure = {FAILURE_NONE, ""};

    copy_text(row->algorithm, sizeof row->algorithm, method->name);
    row->operations = 0;
    row->reason[0] = '\0';
    if (!available(method, &failure))
        copy_text(row->reason, sizeof row->reason, failure.message);
    else if (method->kind == KIND_ML_KEM)
        row->operations = OPERATION_GENERATE | OPERATION_ENCAPSULATE | OPERATION_DECAPSULATE;
    else
        row->operations = OPERATION_GENERATE | OPERATION_AGREE;
}

static bool wrong(const struct key_exchange_method *method, const char *what, struct failure *failure)
{
    libcrypto.ERR_clear_error();
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: %s: %s", libcrypto_short_version(), method->name, what);
}

/* The generator as a public value: the one that belongs to the private key 1. */
static bool generator_value(const struct key_exchange_method *method, uint8_t *octets, struct failure *failure)
{
    static const uint8_t one[] = {1};
    EVP_PKEY *key;
    bool good;

    if (method->kind == KIND_MONTGOMERY) {
        memset(octets, 0, method->public_bytes);
        octets[0] = method->identifier == X25519_TYPE ? 9 : 5; /* RFC 7748 section 4 */
        return true;
    }
    key = key_exchange_import(method, one, sizeof one, failure);
    good = key != NULL && key_exchange_public(method, key, octets);
    libcrypto.EVP_PKEY_free(key);
    return good;
}

/* A published value, or one computed with Python's integers: see known_answers_public_key.c. */
static bool check_published(struct exchange *exchange, struct failure *failure)
{
    const struct key_exchange_method *method = exchange->method;
    uint8_t private_key[PRIVATE_MAXIMUM_BYTES];
    struct octets answer[KEY_EXCHANGE_FIELDS];
    size_t length;

    if (!answer_find(key_exchange_answers, method->name, 0, answer, KEY_EXCHANGE_FIELDS))
        return wrong(method, "no known answer", failure);
    length = answer[0].length == 2 ? answer[0].data[0] : answer[0].length;
    if (answer[0].length == 2)
        answer_pattern(answer[0].data[1], private_key, length);
    else
        memcpy(private_key, answer[0].data, length);
    if (answer[1].length == 1)
        answer_pattern(answer[1].data[0], exchange->peer_public, method->public_bytes);
    else if (!generator_value(method, exchange->peer_public, failure))
        return false;
    if (!exchange_adopt(exchange, key_exchange_import(method, private_key, length, failure), failure))
        return wrong(method, "a good key was refused", failure);
    if (!exchange_agree(exchange))
        return wrong(method, "a good key was refused", failure);
    if (memcmp(exchange->secret, answer[2].data, ANSWER_PART_BYTES) != 0 ||
        memcmp(exchange->secret + method->secret_bytes - ANSWER_PART_BYTES, answer[3].data, ANSWER_PART_BYTES) != 0)
        return wrong(method, "the shared secret is wrong", failure);
    return true;
}

/* Two fresh key pairs must agree with each other. */
static bool check_fresh(struct exchange *one, struct exchange *other, struct failure *failure)
{
    const struct key_exchange_method *method = one->method;

    if (!exchange_adopt_fresh(one, failure) || !exchange_adopt_fresh(other, failure))
        return false;
    memcpy(one->peer_public, other->own_public, sizeof one->peer_public);
    memcpy(other->peer_public, one->own_public, sizeof other->peer_public);
    if (memcmp(one->own_public, other->own_public, method->public_bytes) == 0)
        return wrong(method, "fresh keys are the same", failure);
    if (!exchange_agree(one) || !exchange_agree(other) || memcmp(one->secret, other->secret, method->secret_bytes) != 0)
        return wrong(method, "fresh keys do not agree", failure);
    return true;
}

static bool check(size_t index, struct failure *failure)
{
    const struct key_exchange_method *method = &methods[index];
    const struct modp_group *group = modp_group_find(method->name);
    unsigned exponent_bits = group != NULL ? group->exponent_bits : 0;
    struct exchange *one;
    struct exchange *other;
    bool good;

    if (!available(method, failure))
        return false;
    if (method->kind == KIND_ML_KEM)
        return ml_kem_check(method, failure);
    one = exchange_create(method, exponent_bits, failure);
    other = one != NULL ? exchange_create(method, exponent_bits, failure) : NULL;
    good = other != NULL && check_published(one, failure) && check_fresh(one, other, failure);
    if (other != NULL)
        exchange_destroy(other);
    if (one != NULL)
        exchange_destroy(one);
    return good;
}

static bool choose_exponent(const struct key_exchange_method *method, const struct order *order, unsigned *bits,
                            struct failure *failure)
{
    const struct modp_group *group = modp_group_find(method->name);

    *bits = 0;
    if (order->size_bytes != 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: a key exchange has none");
    if (group == NULL) {
        if (order->exponent_bits != 0)
            return fail(failure, FAILURE_USAGE, "exponent_bits: only for MODP groups, not for %s", method->name);
        return true;
    }
    *bits = order->exponent_bits != 0 ? order->exponent_bits : group->exponent_bits;
    if (*bits < EXPONENT_MINIMUM_BITS || *bits >= group->prime_bits)
        return fail(failure, FAILURE_USAGE, "exponent_bits: %d to %u for %s", EXPONENT_MINIMUM_BITS,
                    group->prime_bits - 1, method->name);
    return true;
}

/* The library must really use the length that the answer will report. */
static bool check_exponent(const struct exchange *exchange, unsigned wanted_bits, struct failure *failure)
{
    unsigned bits;

    if (wanted_bits == 0)
        return true;
    bits = key_exchange_exponent_bits(exchange->own);
    if (bits <= wanted_bits && bits + EXPONENT_SLACK_BITS > wanted_bits)
        return true;
    return fail(failure, FAILURE_UNSUPPORTED, "%s makes exponents of %u bits for %s, not of %u",
                libcrypto_short_version(), bits, exchange->method->name, wanted_bits);
}

/*
 * Whether libcrypto raises a peer's value to the power of q to see that it lies in the subgroup. The probe is p - 4,
 * which is in the range that is allowed and outside the subgroup: -1 is no square modulo a safe prime, and 4 is one.
 * 3.0 does it for every group that it knows by name, at several times the cost of the agreement itself.
 */
static bool checks_subgroup(struct exchange *exchange)
{
    bool refused;

    modp_group_prime(modp_group_find(exchange->method->name), exchange->peer_public);
    exchange->peer_public[exchange->method->public_bytes - 1] -= 4; /* no prime here ends in less */
    refused = !exchange_agree(exchange);
    libcrypto.ERR_clear_error();
    return refused;
}

/* Gives the exchange a peer: another fresh key pair's public value, and for ML-KEM a ciphertext for our own key. */
static bool meet_peer(struct exchange *exchange, struct failure *failure)
{
    memcpy(exchange->peer_public, exchange->own_public, sizeof exchange->peer_public);
    if (exchange->method->kind == KIND_ML_KEM)
        return ml_kem_encapsulate(exchange->method, exchange->own_public, exchange->ciphertext, exchange->secret) ||
               libcrypto_fail(failure, FAILURE_FAILED, "encapsulating");
    return exchange_adopt_fresh(exchange, failure);
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    const struct key_exchange_method *method = &methods[index];
    struct exchange *exchange;
    unsigned exponent_bits;
    bool subgroup_checked = false;

    if (!libcrypto_ready(failure) || !choose_exponent(method, order, &exponent_bits, failure))
        return false;
    exchange = exchange_create(method, exponent_bits, failure);
    if (exchange == NULL)
        return false;
    if (!exchange_adopt_fresh(exchange, failure) || !check_exponent(exchange, exponent_bits, failure)) {
        exchange_destroy(exchange);
        return false;
    }
    if (method->kind == KIND_MODP && order->operation == OPERATION_AGREE)
        subgroup_checked = checks_subgroup(exchange);
    if (!meet_peer(exchange, failure)) {
        exchange_destroy(exchange);
        return false;
    }
    measurement->state = exchange;
    measurement->destroy = exchange_destroy;
    measurement->run = order->operation == OPERATION_GENERATE      ? run_generate
                       : order->operation == OPERATION_AGREE       ? run_agree
                       : order->operation == OPERATION_ENCAPSULATE ? run_encapsulate
                                                                   : run_decapsulate;
    if (exponent_bits != 0)
        detail_add(&measurement->detail, "exponent_bits", exponent_bits);
    if (exponent_bits != 0 && order->operation == OPERATION_AGREE)
        detail_add(&measurement->detail, "peer_subgroup_checked", subgroup_checked);
    detail_add(&measurement->detail, "public_bytes", method->public_bytes);
    if (method->kind == KIND_ML_KEM)
        detail_add(&measurement->detail, "ciphertext_bytes", method->ciphertext_bytes);
    return true;
}

/* --- compute ----------------------------------------------------------------------------------------------------- */

static bool need(const struct bytes *field, const char *name, struct failure *failure)
{
    return field->present || fail(failure, FAILURE_USAGE, "%s: missing", name);
}

static bool emit(struct output *output, const uint8_t *octets, size_t length)
{
    memcpy(output->data, octets, length);
    output->length = length;
    return true;
}

/* The public value that belongs to a private key: what generate sends, with the random part given. */
static bool compute_public(struct exchange *exchange, struct output *output, struct failure *failure)
{
    if (!key_exchange_public(exchange->method, exchange->own, exchange->own_public))
        return libcrypto_fail(failure, FAILURE_FAILED, "reading a public value");
    return emit(output, exchange->own_public, exchange->method->public_bytes);
}

static bool compute_agree(struct exchange *exchange, const struct order *order, struct output *output,
                          struct failure *failure)
{
    const struct key_exchange_method *method = exchange->method;

    if (!need(&order->peer_public, "peer_public", failure))
        return false;
    if (order->peer_public.length != method->public_bytes)
        return fail(failure, FAILURE_REJECTED, "peer_public: %s has %d octets, not %zu", method->name,
                    method->public_bytes, order->peer_public.length);
    memcpy(exchange->peer_public, order->peer_public.data, method->public_bytes);
    if (!exchange_agree(exchange))
        return libcrypto_fail(failure, FAILURE_REJECTED, "agreeing with peer_public");
    return emit(output, exchange->secret, method->secret_bytes);
}

static bool compute_decapsulate(struct exchange *exchange, const struct order *order, struct output *output,
                                struct failure *failure)
{
    const struct key_exchange_method *method = exchange->method;

    if (!need(&order->input, "input", failure))
        return false;
    if (order->input.length != method->ciphertext_bytes)
        return fail(failure, FAILURE_REJECTED, "input: a ciphertext of %s has %d octets, not %zu", method->name,
                    method->ciphertext_bytes, order->input.length);
    memcpy(exchange->ciphertext, order->input.data, method->ciphertext_bytes);
    if (!ml_kem_decapsulate(method, exchange->deriver, exchange->ciphertext, exchange->secret))
        return libcrypto_fail(failure, FAILURE_REJECTED, "decapsulating");
    return emit(output, exchange->secret, method->secret_bytes);
}

static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    const struct key_exchange_method *method = &methods[index];
    struct exchange *exchange;
    bool good;

    if (order->operation == OPERATION_ENCAPSULATE)
        return fail(failure, FAILURE_USAGE, "operation: encapsulate is random");
    if (!libcrypto_ready(failure) || !need(&order->private_key, "private", failure))
        return false;
    exchange = exchange_create(method, 0, failure);
    if (exchange == NULL)
        return false;
    good = exchange_adopt(exchange,
                 key_exchange_import(method, order->private_key.data, order->private_key.length, failure), failure);
    if (good && order->operation == OPERATION_GENERATE)
        good = compute_public(exchange, output, failure);
    else if (good && order->operation == OPERATION_AGREE)
        good = compute_agree(exchange, order, output, failure);
    else if (good)
        good = compute_decapsulate(exchange, order, output, failure);
    exchange_destroy(exchange);
    return good;
}

const struct family key_exchange_family = {
    .provider = "libcrypto",
    .tier = "primitive",
    .rows = rows,
    .describe = describe,
    .check = check,
    .prepare = prepare,
    .compute = compute,
};
