/* SPDX-License-Identifier: Apache-2.0 */
#include "primitive_compute.h"

#include <string.h>

static bool check_length(const char *field, const struct bytes *bytes, size_t wanted, const char *algorithm,
                         struct failure *failure)
{
    if (bytes->length == wanted)
        return true;
    return fail(failure, FAILURE_USAGE, "%s: %s needs %zu octets, not %zu", field, algorithm, wanted, bytes->length);
}

static bool check_inputs(const struct cipher_algorithm *algorithm, const struct order *order, struct failure *failure)
{
    size_t iv_bytes = algorithm->kind == CIPHER_CTR ? BLOCK_BYTES_MAXIMUM : nonce_bytes(algorithm);

    if (!check_length("key", &order->key, algorithm->key_bytes, algorithm->name, failure) ||
        !check_length("iv", &order->iv, iv_bytes, algorithm->name, failure))
        return false;
    if (order->aad.length > 0 && (!cipher_is_combined(algorithm) || algorithm->kind == CIPHER_GMAC))
        return fail(failure, FAILURE_USAGE, "aad: %s takes none", algorithm->name);
    if (order->input.length % algorithm->block_bytes != 0)
        return fail(failure, FAILURE_USAGE, "input: %s without a packet needs a multiple of %u octets",
                    algorithm->name, algorithm->block_bytes);
    if ((order->operation == OPERATION_DECRYPT || order->operation == OPERATION_VERIFY) &&
        order->input.length < algorithm->icv_bytes)
        return fail(failure, FAILURE_REJECTED, "input: shorter than the ICV of %s", algorithm->name);
    return true;
}

/* GMAC: the output is the ICV when authenticating, nothing when verifying an input that ends in one. */
static bool compute_gmac(struct cipher *cipher, const struct order *order, struct output *output,
                         struct failure *failure)
{
    size_t icv_bytes = cipher->algorithm->icv_bytes;
    size_t length = order->input.length;

    if (order->operation == OPERATION_VERIFY) {
        length -= icv_bytes;
        if (!cipher->open(cipher, order->iv.data, NULL, 0, order->input.data, length, NULL, order->input.data + length))
            return fail(failure, FAILURE_REJECTED, "wrong ICV");
        return true;
    }
    output->length = icv_bytes;
    return cipher->seal(cipher, order->iv.data, NULL, 0, order->input.data, length, NULL, output->data) ||
           fail(failure, FAILURE_FAILED, "%s: the library failed", cipher->algorithm->name);
}

static bool compute_with_cipher(struct cipher *cipher, const struct order *order, struct output *output,
                                struct failure *failure)
{
    const struct cipher_algorithm *algorithm = cipher->algorithm;
    size_t length = order->input.length;
    bool done;

    if (algorithm->kind == CIPHER_GMAC)
        return compute_gmac(cipher, order, output, failure);
    if (!cipher_is_combined(algorithm)) {
        output->length = length;
        done = length == 0 || cipher->crypt(cipher, order->iv.data, order->input.data, length, output->data);
    } else if (order->operation == OPERATION_ENCRYPT) {
        output->length = length + algorithm->icv_bytes;
        done = cipher->seal(cipher, order->iv.data, order->aad.data, order->aad.length, order->input.data, length,
                            output->data, output->data + length);
    } else {
        length -= algorithm->icv_bytes;
        output->length = length;
        if (!cipher->open(cipher, order->iv.data, order->aad.data, order->aad.length, order->input.data, length,
                          output->data, order->input.data + length))
            return fail(failure, FAILURE_REJECTED, "wrong ICV");
        done = true;
    }
    return done || fail(failure, FAILURE_FAILED, "%s: the library failed", algorithm->name);
}

static bool compute_with_mac(struct mac *mac, const struct order *order, struct output *output,
                             struct failure *failure)
{
    const struct mac_algorithm *algorithm = mac->algorithm;
    size_t length = order->input.length;
    uint8_t tag[MAC_BYTES_MAXIMUM];

    if (order->operation == OPERATION_VERIFY) {
        if (length < algorithm->icv_bytes)
            return fail(failure, FAILURE_REJECTED, "input: shorter than the ICV of %s", algorithm->name);
        length -= algorithm->icv_bytes;
    }
    if (!mac->compute(mac, order->input.data, length, tag))
        return fail(failure, FAILURE_FAILED, "%s: the library failed", algorithm->name);
    if (order->operation == OPERATION_AUTHENTICATE) {
        output->length = algorithm->mac_bytes;
        memcpy(output->data, tag, output->length);
        return true;
    }
    return equal_constant_time(tag, order->input.data + length, algorithm->icv_bytes) ||
           fail(failure, FAILURE_REJECTED, "wrong ICV");
}

bool primitive_compute(const struct symmetric_provider *provider, const struct cipher_algorithm *cipher_algorithm,
                       const struct mac_algorithm *mac_algorithm, const struct order *order, struct output *output,
                       struct failure *failure)
{
    bool encrypt = order->operation == OPERATION_ENCRYPT || order->operation == OPERATION_AUTHENTICATE;
    struct cipher *cipher;
    struct mac *mac;
    bool done;

    if (cipher_algorithm != NULL) {
        if (!check_inputs(cipher_algorithm, order, failure))
            return false;
        cipher = provider->new_cipher(cipher_algorithm, order->key.data, encrypt, failure);
        if (cipher == NULL)
            return false;
        done = compute_with_cipher(cipher, order, output, failure);
        destroy_cipher(cipher);
        return done;
    }
    /* HMAC takes a key of any length; the AES-based ones take their own. */
    if (mac_algorithm->kind != MAC_HMAC &&
        !check_length("key", &order->key, mac_algorithm->key_bytes, mac_algorithm->name, failure))
        return false;
    mac = provider->new_mac(mac_algorithm, order->key.data, order->key.length, failure);
    if (mac == NULL)
        return false;
    done = compute_with_mac(mac, order, output, failure);
    destroy_mac(mac);
    return done;
}
