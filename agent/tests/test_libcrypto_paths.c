/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways around functions that one or the other libcrypto lacks, on the one that is here: HMAC_*() and CMAC_*() may go
 * after 3.x, parameters came with 3.0. Known answers must come out either way. Without a libcrypto nothing is tested.
 */
#include "libcrypto_symmetric.h"

#include <string.h>

#include "expect.h"

static void all_known_answers_pass(void)
{
    struct failure failure;

    for (size_t i = 0; i < cipher_algorithm_count; i++) {
        if (!symmetric_libcrypto.offers_cipher(&cipher_algorithms[i], &failure))
            continue;
        failure.message[0] = '\0';
        EXPECT(known_answers_cipher(&symmetric_libcrypto, &cipher_algorithms[i], &failure));
        if (failure.message[0] != '\0')
            fprintf(stderr, "%s\n", failure.message);
    }
    for (size_t i = 0; i < mac_algorithm_count; i++) {
        EXPECT(symmetric_libcrypto.offers_mac(&mac_algorithms[i], &failure));
        EXPECT(known_answers_mac(&symmetric_libcrypto, &mac_algorithms[i], &failure));
    }
}

/* An empty key is a key: a library that takes a NULL pointer for "the last key" must not be given one. */
static void empty_key_is_a_key(void)
{
    /* HMAC-SHA-256 with an empty key over an empty message (Wikipedia, "HMAC"). */
    static const uint8_t expected[] = {0xb6, 0x13, 0x67, 0x9a, 0x08, 0x14, 0xd9, 0xec};
    struct failure failure;
    uint8_t tag[MAC_BYTES_MAXIMUM];
    struct mac *mac = symmetric_libcrypto.new_mac(mac_algorithm_find("sha256"), tag, 0, &failure);

    EXPECT(mac != NULL);
    if (mac == NULL)
        return;
    EXPECT(mac->compute(mac, tag, 0, tag) && memcmp(tag, expected, sizeof expected) == 0);
    destroy_mac(mac);
}

int main(void)
{
    struct failure failure;

    if (!libcrypto_ready(&failure)) {
        printf("libcrypto's paths: not tested: %s\n", failure.message);
        return 0;
    }
    all_known_answers_pass();
    empty_key_is_a_key();
    if (libcrypto.EVP_MAC_fetch != NULL) {
        libcrypto.HMAC_CTX_new = NULL;
        libcrypto.CMAC_CTX_new = NULL;
        all_known_answers_pass();
        empty_key_is_a_key();
    }
    libcrypto.EVP_CIPHER_CTX_get_params = NULL;
    libcrypto.EVP_CIPHER_CTX_set_params = NULL;
    all_known_answers_pass();
    if (libcrypto.EVP_get_cipherbyname != NULL) {
        libcrypto.EVP_CIPHER_fetch = NULL;
        all_known_answers_pass();
    }
    return expect_summary("libcrypto's paths");
}
