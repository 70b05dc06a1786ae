/* SPDX-License-Identifier: Apache-2.0 */
#include "packet_compute.h"

#include <string.h>

#include "big_endian.h"

static bool check_keys(const struct esp_suite *suite, const struct order *order, struct failure *failure)
{
    const struct cipher_algorithm *cipher = suite->cipher;
    size_t encryption_bytes = (size_t)cipher->key_bytes + cipher->salt_bytes;
    size_t integrity_bytes = suite->mac != NULL ? suite->mac->key_bytes : 0;

    if (order->encryption_key.length != encryption_bytes)
        return fail(failure, FAILURE_USAGE, "encryption_key: %s needs %zu octets%s, not %zu", cipher->name,
                    encryption_bytes, cipher->salt_bytes > 0 ? " (key, then salt)" : "", order->encryption_key.length);
    if (order->integrity_key.length != integrity_bytes)
        return fail(failure, FAILURE_USAGE, "integrity_key: %s needs %zu octets, not %zu",
                    suite->mac != NULL ? suite->mac->name : cipher->name, integrity_bytes,
                    order->integrity_key.length);
    return true;
}

static bool compute_outbound(const struct symmetric_provider *provider, const struct esp_sa_parameters *parameters,
                             const struct order *order, struct output *output, struct failure *failure)
{
    const struct cipher_algorithm *cipher = parameters->suite.cipher;
    uint8_t counter[8];
    const uint8_t *iv = order->iv.data;
    struct esp_sa sa;
    enum esp_result result;

    if (order->sequence == 0 || order->sequence > (order->esn ? UINT64_MAX : UINT32_MAX))
        return fail(failure, FAILURE_USAGE, "sequence: must be from 1 to %s", order->esn ? "2^64 - 1" : "2^32 - 1");
    if (!order->iv.present && cipher->iv_bytes == sizeof counter && cipher->kind != CIPHER_CBC) {
        write_be64(counter, order->sequence); /* what esp_outbound() does */
        iv = counter;
    } else if (order->iv.length != cipher->iv_bytes) {
        return fail(failure, FAILURE_USAGE, "iv: %s needs %u octets, not %zu", cipher->name, cipher->iv_bytes,
                    order->iv.length);
    }
    if (order->input.length > SIZE_MAXIMUM_BYTES)
        return fail(failure, FAILURE_USAGE, "input: a packet has at most %d octets", SIZE_MAXIMUM_BYTES);
    if (!esp_sa_create(&sa, provider, parameters, failure))
        return false;
    memcpy(output->data + sa.payload_offset, order->input.data, order->input.length);
    result = esp_seal(&sa, order->sequence, iv, output->data, order->input.length, order->next_header, &output->length);
    esp_sa_destroy(&sa);
    return result == ESP_OK || fail(failure, FAILURE_FAILED, "%s", esp_result_text(result));
}

static bool compute_inbound(const struct symmetric_provider *provider, const struct esp_sa_parameters *parameters,
                            const struct order *order, struct output *output, struct failure *failure)
{
    /* The packet is worked on in the second half of the output, the inner packet goes to the first. */
    uint8_t *packet = output->data + output->capacity / 2;
    struct esp_inner_packet inner;
    struct esp_sa sa;
    enum esp_result result;

    if (order->input.length > output->capacity / 2)
        return fail(failure, FAILURE_USAGE, "input: a packet has at most %zu octets", output->capacity / 2);
    memcpy(packet, order->input.data, order->input.length);
    if (!esp_sa_create(&sa, provider, parameters, failure))
        return false;
    for (size_t i = 0; i < order->replay_count; i++) {
        if (replay_window_check(sa.window, order->replay_numbers[i]))
            replay_window_update(sa.window, order->replay_numbers[i]);
    }
    if (order->has_sequence_high && order->input.length >= ESP_HEADER_BYTES)
        result = esp_open(&sa, (uint64_t)order->sequence_high << 32 | esp_sequence_low(packet), packet,
                          order->input.length, output->data, &inner);
    else
        result = esp_inbound(&sa, packet, order->input.length, output->data, &inner);
    esp_sa_destroy(&sa);
    if (result == ESP_LIBRARY_FAILED)
        return fail(failure, FAILURE_FAILED, "%s", esp_result_text(result));
    if (result != ESP_OK)
        return fail(failure, FAILURE_REJECTED, "%s", esp_result_text(result));
    memmove(output->data, inner.data, inner.length);
    output->length = inner.length;
    return true;
}

bool packet_compute(const struct symmetric_provider *provider, const struct esp_suite *suite,
                    const struct order *order, struct output *output, struct failure *failure)
{
    struct esp_sa_parameters parameters = {.suite = *suite};

    if (order->operation == OPERATION_KEY_SETUP)
        return fail(failure, FAILURE_USAGE, "operation: key-setup computes nothing");
    if (!check_keys(suite, order, failure))
        return false;
    if (order->has_sequence_high && !order->esn)
        return fail(failure, FAILURE_USAGE, "sequence_high: only with \"esn\": true");
    parameters.outbound = order->operation == OPERATION_OUTBOUND;
    parameters.spi = order->spi;
    if (!order->has_spi && !parameters.outbound && order->input.length >= ESP_HEADER_BYTES)
        parameters.spi = read_be32(order->input.data);
    parameters.esn = order->esn;
    parameters.replay_window_packets = order->replay_window_packets;
    parameters.encryption_key = order->encryption_key.data;
    parameters.integrity_key = order->integrity_key.data;
    if (parameters.outbound)
        return compute_outbound(provider, &parameters, order, output, failure);
    return compute_inbound(provider, &parameters, order, output, failure);
}
