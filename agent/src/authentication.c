/* SPDX-License-Identifier: Apache-2.0 */
#include "authentication.h"

#include "known_answers_public_key.h"
#include "signing_keys.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIGNATURE_MAXIMUM_BYTES = 512, /* RSA 4096 */
    DIGEST_MAXIMUM_BYTES = 64,
    PUBLIC_KEY_MAXIMUM_BYTES = 1024
};

/* Of RSASSA-PSS: as long as the hash, which RFC 4055 has as the usual choice. */
#define SALT_BYTES "32"

enum signature_kind { SIGNATURE_RSA_PSS, SIGNATURE_ECDSA, SIGNATURE_EDDSA };

struct signature_algorithm {
    char name[10];
    char digest[7];       /* empty: EdDSA hashes by itself */
    uint8_t kind;         /* enum signature_kind */
    uint8_t prefix_bytes; /* of SubjectPublicKeyInfo: what comes before the key's own octets */
};

static const struct signature_algorithm algorithms[] = {
    {"rsa-2048", "SHA256", SIGNATURE_RSA_PSS, 32}, {"rsa-3072", "SHA256", SIGNATURE_RSA_PSS, 32},
    {"rsa-4096", "SHA256", SIGNATURE_RSA_PSS, 32}, {"ecdsa-256", "SHA256", SIGNATURE_ECDSA, 26},
    {"ecdsa-384", "SHA384", SIGNATURE_ECDSA, 23},  {"ecdsa-521", "SHA512", SIGNATURE_ECDSA, 25},
    {"ed25519", "", SIGNATURE_EDDSA, 12},          {"ed448", "", SIGNATURE_EDDSA, 12},
};

enum { ALGORITHM_COUNT = sizeof algorithms / sizeof algorithms[0] };

/* Fetched by offer(), on the main thread, and kept for the life of the process. */
static const EVP_MD *digests[ALGORITHM_COUNT];

/* One worker's keys and contexts. */
struct signer {
    const struct signature_algorithm *algorithm;
    const EVP_MD *digest;
    EVP_PKEY *private_key;
    EVP_PKEY *public_key;
    EVP_MD_CTX *hashing;    /* for EdDSA it signs */
    EVP_MD_CTX *checking;   /* EdDSA: a context stays with the first key that it saw */
    EVP_PKEY_CTX *signing;  /* not EdDSA */
    EVP_PKEY_CTX *verifying;
    const uint8_t *input;
    size_t input_bytes;
    uint8_t octets[SIGNED_OCTETS_BYTES];
    uint8_t signature[SIGNATURE_MAXIMUM_BYTES];
    size_t signature_bytes;
};

/* --- one operation ------------------------------------------------------------------------------------------------ */

static bool hash_input(struct signer *signer, uint8_t *digest, unsigned *length)
{
    return libcrypto.EVP_DigestInit_ex(signer->hashing, signer->digest, NULL) > 0 &&
           libcrypto.EVP_DigestUpdate(signer->hashing, signer->input, signer->input_bytes) > 0 &&
           libcrypto.EVP_DigestFinal_ex(signer->hashing, digest, length) > 0;
}

static bool sign_once(struct signer *signer)
{
    uint8_t digest[DIGEST_MAXIMUM_BYTES];
    unsigned length = 0;

    signer->signature_bytes = sizeof signer->signature;
    if (signer->algorithm->kind == SIGNATURE_EDDSA)
        return libcrypto.EVP_DigestSignInit(signer->hashing, NULL, NULL, NULL, signer->private_key) > 0 &&
               libcrypto.EVP_DigestSign(signer->hashing, signer->signature, &signer->signature_bytes, signer->input,
                                        signer->input_bytes) > 0;
    return hash_input(signer, digest, &length) &&
           libcrypto.EVP_PKEY_sign(signer->signing, signer->signature, &signer->signature_bytes, digest, length) > 0;
}

static bool verify_once(struct signer *signer)
{
    uint8_t digest[DIGEST_MAXIMUM_BYTES];
    unsigned length = 0;

    if (signer->algorithm->kind == SIGNATURE_EDDSA)
        return libcrypto.EVP_DigestVerifyInit(signer->checking, NULL, NULL, NULL, signer->public_key) > 0 &&
               libcrypto.EVP_DigestVerify(signer->checking, signer->signature, signer->signature_bytes, signer->input,
                                          signer->input_bytes) == 1;
    return hash_input(signer, digest, &length) &&
           libcrypto.EVP_PKEY_verify(signer->verifying, signer->signature, signer->signature_bytes, digest,
                                     length) == 1;
}

static uint64_t run_sign(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && sign_once(state))
        done++;
    return done;
}

static uint64_t run_verify(void *state, uint64_t iterations)
{
    uint64_t done = 0;

    while (done < iterations && verify_once(state))
        done++;
    return done;
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

static void destroy(void *state)
{
    struct signer *signer = state;

    libcrypto.EVP_PKEY_CTX_free(signer->verifying);
    libcrypto.EVP_PKEY_CTX_free(signer->signing);
    libcrypto.EVP_MD_CTX_free(signer->checking);
    libcrypto.EVP_MD_CTX_free(signer->hashing);
    libcrypto.EVP_PKEY_free(signer->public_key);
    libcrypto.EVP_PKEY_free(signer->private_key);
    free(signer);
}

static bool choose_padding(const struct signature_algorithm *algorithm, EVP_PKEY_CTX *context)
{
    if (libcrypto.EVP_PKEY_CTX_ctrl_str(context, "digest", algorithm->digest) <= 0)
        return false;
    return algorithm->kind != SIGNATURE_RSA_PSS ||
           (libcrypto.EVP_PKEY_CTX_ctrl_str(context, "rsa_padding_mode", "pss") > 0 &&
            libcrypto.EVP_PKEY_CTX_ctrl_str(context, "rsa_pss_saltlen", SALT_BYTES) > 0 &&
            libcrypto.EVP_PKEY_CTX_ctrl_str(context, "rsa_mgf1_md", algorithm->digest) > 0);
}

/* Binds a context to each key that is there. */
static bool bind_contexts(struct signer *signer)
{
    signer->hashing = libcrypto.EVP_MD_CTX_new();
    signer->checking = libcrypto.EVP_MD_CTX_new();
    if (signer->hashing == NULL || signer->checking == NULL)
        return false;
    if (signer->algorithm->kind == SIGNATURE_EDDSA)
        return true;
    if (signer->private_key != NULL) {
        signer->signing = libcrypto.EVP_PKEY_CTX_new(signer->private_key, NULL);
        if (signer->signing == NULL || libcrypto.EVP_PKEY_sign_init(signer->signing) <= 0 ||
            !choose_padding(signer->algorithm, signer->signing))
            return false;
    }
    if (signer->public_key != NULL) {
        signer->verifying = libcrypto.EVP_PKEY_CTX_new(signer->public_key, NULL);
        if (signer->verifying == NULL || libcrypto.EVP_PKEY_verify_init(signer->verifying) <= 0 ||
            !choose_padding(signer->algorithm, signer->verifying))
            return false;
    }
    return true;
}

/* Takes the keys over, whatever happens. Either may be NULL. */
static struct signer *create(size_t index, EVP_PKEY *private_key, EVP_PKEY *public_key, struct failure *failure)
{
    struct signer *signer = calloc(1, sizeof *signer);

    if (signer == NULL) {
        libcrypto.EVP_PKEY_free(private_key);
        libcrypto.EVP_PKEY_free(public_key);
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    signer->algorithm = &algorithms[index];
    signer->digest = digests[index];
    signer->private_key = private_key;
    signer->public_key = public_key;
    signed_octets(signer->octets);
    signer->input = signer->octets;
    signer->input_bytes = sizeof signer->octets;
    if (bind_contexts(signer))
        return signer;
    (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, signer->algorithm->name);
    destroy(signer);
    return NULL;
}

/* Writes SubjectPublicKeyInfo and returns its length; 0 when that fails. */
static size_t encode_public(EVP_PKEY *key, uint8_t encoded[PUBLIC_KEY_MAXIMUM_BYTES])
{
    uint8_t *writing = encoded;
    int length = libcrypto.i2d_PUBKEY(key, NULL);

    if (length <= 0 || length > PUBLIC_KEY_MAXIMUM_BYTES || libcrypto.i2d_PUBKEY(key, &writing) != length)
        return 0;
    return (size_t)length;
}

/* The public half alone, as a peer has it from a certificate. */
static EVP_PKEY *public_half(EVP_PKEY *key)
{
    uint8_t encoded[PUBLIC_KEY_MAXIMUM_BYTES];
    const uint8_t *reading = encoded;
    size_t length = encode_public(key, encoded);

    return length > 0 ? libcrypto.d2i_PUBKEY(NULL, &reading, (long)length) : NULL;
}

static struct signer *create_with_test_key(size_t index, struct failure *failure)
{
    EVP_PKEY *private_key = signing_key_create(algorithms[index].name);
    EVP_PKEY *public_key = private_key != NULL ? public_half(private_key) : NULL;

    if (public_key != NULL)
        return create(index, private_key, public_key, failure);
    libcrypto.EVP_PKEY_free(private_key);
    (void)libcrypto_fail(failure, FAILURE_UNSUPPORTED, algorithms[index].name);
    return NULL;
}

/* --- the family --------------------------------------------------------------------------------------------------- */

static size_t rows(void)
{
    return ALGORITHM_COUNT;
}

/* Fetches the digest and tries a key once; the answer does not change while the process lives. */
static bool offer(size_t index, struct failure *failure)
{
    static bool offered[ALGORITHM_COUNT];
    bool hashes = algorithms[index].kind != SIGNATURE_EDDSA;
    struct signer *signer;

    if (offered[index])
        return true;
    if (!libcrypto_ready(failure))
        return false;
    if (hashes && digests[index] == NULL)
        digests[index] = libcrypto.EVP_MD_fetch != NULL
                             ? libcrypto.EVP_MD_fetch(NULL, algorithms[index].digest, NULL)
                             : libcrypto.EVP_get_digestbyname(algorithms[index].digest);
    if (hashes && digests[index] == NULL)
        return fail(failure, FAILURE_UNSUPPORTED, "%s has no %s", libcrypto_short_version(),
                    algorithms[index].digest);
    signer = create_with_test_key(index, failure);
    if (signer == NULL)
        return false;
    destroy(signer);
    offered[index] = true;
    return true;
}

static void describe(size_t index, struct row *row)
{
    struct failure failure = {FAILURE_NONE, ""};
    bool offered = offer(index, &failure);

    copy_text(row->algorithm, sizeof row->algorithm, algorithms[index].name);
    row->operations = offered ? OPERATION_SIGN | OPERATION_VERIFY : 0;
    copy_text(row->reason, sizeof row->reason, offered ? "" : failure.message);
}

/* RSASSA-PSS is random because of its salt: without one it always gives the same. */
static bool rsa_without_salt_is_right(struct signer *signer, const struct octets *answer)
{
    bool good = libcrypto.EVP_PKEY_CTX_ctrl_str(signer->signing, "rsa_pss_saltlen", "0") > 0 && sign_once(signer) &&
                memcmp(signer->signature, answer->data, ANSWER_PART_BYTES) == 0 &&
                memcmp(signer->signature + signer->signature_bytes - ANSWER_PART_BYTES,
                       answer->data + ANSWER_PART_BYTES, ANSWER_PART_BYTES) == 0;

    return libcrypto.EVP_PKEY_CTX_ctrl_str(signer->signing, "rsa_pss_saltlen", SALT_BYTES) > 0 && good;
}

/* What is wrong with the implementation, or NULL. */
static const char *first_difference(struct signer *signer)
{
    struct octets answer;

    if (!answer_find(signature_answers, signer->algorithm->name, 0, &answer, SIGNATURE_FIELDS))
        return "no known answer";
    if (signer->algorithm->kind == SIGNATURE_RSA_PSS) {
        if (!rsa_without_salt_is_right(signer, &answer))
            return "the signature is wrong";
    } else {
        memcpy(signer->signature, answer.data, answer.length);
        signer->signature_bytes = answer.length;
        if (!verify_once(signer))
            return "a valid signature was refused";
    }
    if (!sign_once(signer))
        return "signing failed";
    if (signer->algorithm->kind == SIGNATURE_EDDSA && memcmp(signer->signature, answer.data, answer.length) != 0)
        return "the signature is wrong";
    if (!verify_once(signer))
        return "its own signature was refused";
    signer->octets[0] ^= 1;
    return verify_once(signer) ? "a forged signature was accepted" : NULL;
}

static bool check(size_t index, struct failure *failure)
{
    struct signer *signer;
    const char *difference;

    if (!offer(index, failure))
        return false;
    signer = create_with_test_key(index, failure);
    if (signer == NULL)
        return false;
    difference = first_difference(signer);
    destroy(signer);
    libcrypto.ERR_clear_error();
    if (difference == NULL)
        return true;
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: %s: %s", libcrypto_short_version(), algorithms[index].name,
                difference);
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    struct signer *signer;

    if (order->size_bytes != 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: a signature has none");
    if (order->exponent_bits != 0)
        return fail(failure, FAILURE_USAGE, "exponent_bits: only for MODP groups, not for %s",
                    algorithms[index].name);
    if (!libcrypto_ready(failure))
        return false;
    signer = create_with_test_key(index, failure);
    if (signer == NULL)
        return false;
    /* The first signature makes what the library keeps with a key (blinding, Montgomery forms); it is also verified. */
    if (!sign_once(signer) || !verify_once(signer)) {
        destroy(signer);
        return libcrypto_fail(failure, FAILURE_FAILED, algorithms[index].name);
    }
    measurement->state = signer;
    measurement->run = order->operation == OPERATION_SIGN ? run_sign : run_verify;
    measurement->destroy = destroy;
    detail_add(&measurement->detail, "input_bytes", signer->input_bytes);
    detail_add(&measurement->detail, "signature_bytes", signer->signature_bytes);
    return true;
}

/* --- compute ------------------------------------------------------------------------------------------------------ */

/*
 * True when a key is of the algorithm's type, curve and size: its SubjectPublicKeyInfo is as long as the test key's and
 * starts like it. RSA keys have a public exponent of 3 octets, as 65537 has.
 */
static bool is_key_of(const struct signature_algorithm *algorithm, EVP_PKEY *key)
{
    uint8_t wanted[PUBLIC_KEY_MAXIMUM_BYTES], encoded[PUBLIC_KEY_MAXIMUM_BYTES];
    EVP_PKEY *reference = signing_key_create(algorithm->name);
    size_t length = reference != NULL ? encode_public(reference, wanted) : 0;

    libcrypto.EVP_PKEY_free(reference);
    return length > 0 && encode_public(key, encoded) == length &&
           memcmp(wanted, encoded, algorithm->prefix_bytes) == 0;
}

/* A key from an order, private or public; NULL with FAILURE_USAGE when it is not one of this algorithm. */
static EVP_PKEY *given_key(const struct signature_algorithm *algorithm, const struct bytes *field, bool is_private,
                           struct failure *failure)
{
    const char *name = is_private ? "private" : "public";
    const uint8_t *reading = field->data;
    EVP_PKEY *key = NULL;

    if (!field->present) {
        (void)fail(failure, FAILURE_USAGE, "%s: missing", name);
        return NULL;
    }
    if (is_private)
        key = libcrypto.d2i_AutoPrivateKey(NULL, &reading, (long)field->length);
    else
        key = libcrypto.d2i_PUBKEY(NULL, &reading, (long)field->length);
    if (key != NULL && reading == field->data + field->length && is_key_of(algorithm, key))
        return key;
    libcrypto.EVP_PKEY_free(key);
    libcrypto.ERR_clear_error();
    (void)fail(failure, FAILURE_USAGE, "%s: not a %s of %s in DER", name,
               is_private ? "private key (PKCS #8)" : "SubjectPublicKeyInfo", algorithm->name);
    return NULL;
}

static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    const struct signature_algorithm *algorithm = &algorithms[index];
    bool signing = order->operation == OPERATION_SIGN;
    struct signer *signer;
    EVP_PKEY *key;
    bool good;

    if (!offer(index, failure))
        return false;
    if (!order->input.present || (!signing && !order->signature.present))
        return fail(failure, FAILURE_USAGE, "%s: missing", order->input.present ? "signature" : "input");
    if (!signing && (order->signature.length == 0 || order->signature.length > SIGNATURE_MAXIMUM_BYTES))
        return fail(failure, FAILURE_REJECTED, "signature: %zu octets", order->signature.length);
    key = given_key(algorithm, signing ? &order->private_key : &order->public_key, signing, failure);
    signer = key != NULL ? create(index, signing ? key : NULL, signing ? NULL : key, failure) : NULL;
    if (signer == NULL)
        return false;
    signer->input = order->input.data;
    signer->input_bytes = order->input.length;
    output->length = 0;
    if (signing) {
        good = sign_once(signer) || libcrypto_fail(failure, FAILURE_FAILED, algorithm->name);
        if (good) {
            memcpy(output->data, signer->signature, signer->signature_bytes);
            output->length = signer->signature_bytes;
        }
    } else {
        memcpy(signer->signature, order->signature.data, order->signature.length);
        signer->signature_bytes = order->signature.length;
        good = verify_once(signer) || fail(failure, FAILURE_REJECTED, "the signature is not valid");
    }
    destroy(signer);
    libcrypto.ERR_clear_error();
    return good;
}

const struct family authentication_family = {
    .provider = "libcrypto",
    .tier = "primitive",
    .rows = rows,
    .describe = describe,
    .check = check,
    .prepare = prepare,
    .compute = compute,
};
