/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest loop over libcrypto that does the same calls per record as the agent: what the agent's own cost is
 * measured against. Reads lines of "algorithm size iterations", answers each with the nanoseconds that it took.
 *
 *     cc -O2 tests/bench/bare_loop.c -lcrypto -o bare_loop
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_MAXIMUM = 65536, OUTPUT_OFFSET = 1088 };

/* The two buffers must not begin at the same place of a 4 kB page: a load would then wait for an unrelated store. */
static uint8_t input[SIZE_MAXIMUM] __attribute__((aligned(64)));
static uint8_t output_area[SIZE_MAXIMUM + OUTPUT_OFFSET] __attribute__((aligned(64)));
static uint8_t *const output = output_area + OUTPUT_OFFSET;
static uint8_t key[64], iv[16], aad[8], tag[64];

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bare_loop: %s failed\n", what);
    exit(1);
}

#define TRY(call)           \
    do {                    \
        if ((call) != 1)    \
            die(#call);     \
    } while (0)

static inline void next_iv(uint64_t counter)
{
    memcpy(iv, &counter, sizeof counter);
}

static uint64_t run_combined(EVP_CIPHER_CTX *context, int size, uint64_t iterations)
{
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, 16),
                                OSSL_PARAM_construct_end()};
    uint64_t start = now_ns();
    int written;

    for (uint64_t i = 0; i < iterations; i++) {
        next_iv(i);
        TRY(EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv));
        TRY(EVP_EncryptUpdate(context, NULL, &written, aad, sizeof aad));
        TRY(EVP_EncryptUpdate(context, output, &written, input, size));
        TRY(EVP_EncryptFinal_ex(context, tag, &written));
        TRY(EVP_CIPHER_CTX_get_params(context, parameters));
    }
    return now_ns() - start;
}

static uint64_t run_cbc(EVP_CIPHER_CTX *context, int size, uint64_t iterations)
{
    uint64_t start = now_ns();
    int written;

    for (uint64_t i = 0; i < iterations; i++) {
        next_iv(i);
        TRY(EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv));
        TRY(EVP_EncryptUpdate(context, output, &written, input, size));
    }
    return now_ns() - start;
}

static uint64_t run_hmac(HMAC_CTX *context, int size, uint64_t iterations)
{
    uint64_t start = now_ns();
    unsigned written;

    for (uint64_t i = 0; i < iterations; i++) {
        TRY(HMAC_Init_ex(context, NULL, 0, NULL, NULL));
        TRY(HMAC_Update(context, input, (size_t)size));
        TRY(HMAC_Final(context, tag, &written));
    }
    return now_ns() - start;
}

static uint64_t run_cbc_hmac(EVP_CIPHER_CTX *cipher, HMAC_CTX *hmac, int size, uint64_t iterations)
{
    uint64_t start = now_ns();
    unsigned tag_length;
    int written;

    for (uint64_t i = 0; i < iterations; i++) {
        next_iv(i);
        TRY(EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv));
        TRY(EVP_EncryptUpdate(cipher, output, &written, input, size));
        TRY(HMAC_Init_ex(hmac, NULL, 0, NULL, NULL));
        TRY(HMAC_Update(hmac, output, (size_t)size + 24)); /* ESP's header and IV are authenticated too */
        TRY(HMAC_Final(hmac, tag, &tag_length));
    }
    return now_ns() - start;
}

static EVP_CIPHER_CTX *new_cipher(const char *name)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    TRY(EVP_EncryptInit_ex(context, cipher, NULL, key, iv));
    /* Padding stays on: switched off, it would cost 30 ns at every new IV in 3.0. No message is ended here. */
    return context;
}

int main(void)
{
    EVP_CIPHER_CTX *gcm = new_cipher("AES-128-GCM"), *chacha = new_cipher("ChaCha20-Poly1305");
    EVP_CIPHER_CTX *cbc = new_cipher("AES-128-CBC");
    HMAC_CTX *hmac = HMAC_CTX_new();
    unsigned long iterations;
    char name[32];
    int size;

    TRY(HMAC_Init_ex(hmac, key, 20, EVP_MD_fetch(NULL, "SHA1", NULL), NULL));
    while (scanf("%31s %d %lu", name, &size, &iterations) == 3) {
        uint64_t elapsed_ns = 0;

        if (size < 1 || size > SIZE_MAXIMUM - 64)
            die("size");
        if (strcmp(name, "aes128gcm16") == 0)
            elapsed_ns = run_combined(gcm, size, iterations);
        else if (strcmp(name, "chacha20poly1305") == 0)
            elapsed_ns = run_combined(chacha, size, iterations);
        else if (strcmp(name, "aes128") == 0)
            elapsed_ns = run_cbc(cbc, size, iterations);
        else if (strcmp(name, "sha1") == 0)
            elapsed_ns = run_hmac(hmac, size, iterations);
        else if (strcmp(name, "aes128-sha1") == 0)
            elapsed_ns = run_cbc_hmac(cbc, hmac, size, iterations);
        else
            die(name);
        printf("%llu\n", (unsigned long long)elapsed_ns);
        fflush(stdout);
    }
    return 0;
}
