/* SPDX-License-Identifier: Apache-2.0 */
/* "compute" of the packet loop on intel-ipsec-mb: the code of the timed loop, for one packet with given inputs. */
#include <stdlib.h>
#include <string.h>

#include "big_endian.h"
#include "library_ipsec_mb_packet_loop.h"

static bool check_key(const char *field, const struct bytes *key, size_t wanted, const char *algorithm,
                      struct failure *failure)
{
    if (key->length == wanted)
        return true;
    return fail(failure, FAILURE_USAGE, "%s: %s needs %zu octets, not %zu", field, algorithm, wanted, key->length);
}

static bool check_fields(const struct esp_suite *suite, const struct order *order, struct failure *failure)
{
    const struct cipher_algorithm *cipher = suite->cipher;
    const struct mac_algorithm *mac = suite->mac;

    if (order->operation == OPERATION_KEY_SETUP)
        return fail(failure, FAILURE_USAGE, "operation: key-setup computes nothing");
    if (order->has_sequence_high && !order->esn)
        return fail(failure, FAILURE_USAGE, "sequence_high: only with \"esn\": true");
    return check_key("encryption_key", &order->encryption_key, (size_t)cipher->key_bytes + cipher->salt_bytes,
                     cipher->name, failure) &&
           check_key("integrity_key", &order->integrity_key, mac != NULL ? mac->key_bytes : 0,
                     mac != NULL ? mac->name : cipher->name, failure);
}

static bool compute_outbound(struct mb_sa *sa, struct mb_packet *packet, const struct order *order,
                             struct output *output, struct failure *failure)
{
    const struct cipher_algorithm *cipher = sa->suite.cipher;
    const uint8_t *iv = order->iv.data;
    uint8_t counter[8];
    struct mb_job *job;
    bool accepted;

    if (order->sequence == 0 || order->sequence > (order->esn ? UINT64_MAX : UINT32_MAX))
        return fail(failure, FAILURE_USAGE, "sequence: must be from 1 to %s", order->esn ? "2^64 - 1" : "2^32 - 1");
    if (!order->iv.present && cipher->kind != CIPHER_CBC) {
        write_be64(counter, order->sequence);
        iv = counter;
    } else if (order->iv.length != cipher->iv_bytes) {
        return fail(failure, FAILURE_USAGE, "iv: %s needs %u octets, not %zu", cipher->name, cipher->iv_bytes,
                    order->iv.length);
    }
    if (order->input.length > SIZE_MAXIMUM_BYTES)
        return fail(failure, FAILURE_USAGE, "input: a packet has at most %d octets", SIZE_MAXIMUM_BYTES);
    packet->inner_bytes = order->input.length;
    packet->sequence = order->sequence;
    memcpy(packet->data + sa->payload_offset, order->input.data, order->input.length);
    job = mb_submit_outbound(sa, packet, iv, order->next_header, &accepted);
    if (job == NULL)
        job = mb_flush(sa);
    if (!accepted || job == NULL || mb_finish(sa, job, NULL) != ESP_OK)
        return ipsec_mb_fail(sa->manager, "sealing the packet", failure);
    output->length = esp_packet_bytes(&sa->suite, packet->inner_bytes);
    memmove(output->data, packet->data, output->length);
    return true;
}

static bool compute_inbound(struct mb_sa *sa, struct mb_packet *packet, const struct order *order,
                            struct output *output, struct failure *failure)
{
    struct esp_inner_packet inner;
    enum esp_result result;
    struct mb_job *job;
    uint64_t sequence;

    if (order->input.length < ESP_HEADER_BYTES || order->input.length > output->capacity / 2 - MB_HEADROOM_BYTES)
        return fail(failure, FAILURE_REJECTED, "%s", esp_result_text(ESP_MALFORMED));
    for (size_t i = 0; i < order->replay_count; i++) {
        if (replay_window_check(packet->window, order->replay_numbers[i]))
            replay_window_update(packet->window, order->replay_numbers[i]);
    }
    memcpy(packet->data, order->input.data, order->input.length);
    packet->output = output->data;
    sequence = esp_sequence_low(packet->data);
    if (order->has_sequence_high)
        sequence |= (uint64_t)order->sequence_high << 32;
    else if (order->esn)
        sequence |= (uint64_t)replay_window_infer_high(packet->window, (uint32_t)sequence) << 32;
    job = mb_submit_inbound(sa, packet, sequence, order->input.length, &result);
    if (result == ESP_OK) {
        if (job == NULL)
            job = mb_flush(sa);
        result = job != NULL ? mb_finish(sa, job, &inner) : ESP_LIBRARY_FAILED;
    }
    if (result == ESP_LIBRARY_FAILED)
        return ipsec_mb_fail(sa->manager, "opening the packet", failure);
    if (result != ESP_OK)
        return fail(failure, FAILURE_REJECTED, "%s", esp_result_text(result));
    memmove(output->data, inner.data, inner.length);
    output->length = inner.length;
    return true;
}

bool mb_compute(const struct esp_suite *suite, const struct order *order, struct output *output,
                struct failure *failure)
{
    struct esp_sa_parameters parameters = {.suite = *suite};
    struct mb_packet packet = {.data = output->data + output->capacity / 2 + MB_HEADROOM_BYTES};
    struct mb_sa *sa;
    bool good;

    if (!check_fields(suite, order, failure))
        return false;
    parameters.outbound = order->operation == OPERATION_OUTBOUND;
    parameters.spi = order->spi;
    if (!order->has_spi && !parameters.outbound && order->input.length >= ESP_HEADER_BYTES)
        parameters.spi = read_be32(order->input.data);
    parameters.esn = order->esn;
    parameters.encryption_key = order->encryption_key.data;
    parameters.integrity_key = order->integrity_key.data;
    packet.window = malloc(replay_window_bytes(order->replay_window_packets));
    if (packet.window == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for a replay window");
    replay_window_initialise(packet.window, order->replay_window_packets);
    sa = mb_sa_create(&parameters, failure);
    good = sa != NULL && (parameters.outbound ? compute_outbound(sa, &packet, order, output, failure)
                                              : compute_inbound(sa, &packet, order, output, failure));
    mb_sa_destroy(sa);
    free(packet.window);
    return good;
}
