/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What intel-ipsec-mb must get right before it is timed: the known answers one buffer at a time, and then the same
 * packets as another implementation with many in flight.
 */
#include <stdlib.h>
#include <string.h>

#include "known_answers_public_key.h"
#include "library_ipsec_mb_packet_loop.h"
#include "packet_compute.h"
#include "test_octets.h"

enum { COMPARED_PACKETS = 60, CORRUPTED_PACKET = 17, COMPARED_WINDOW = 64, NEXT_HEADER_IPV4 = 4 };

static bool wrong(const struct esp_suite *suite, const char *what, struct failure *failure)
{
    char name[NAME_BYTES];

    esp_suite_name(suite, name, sizeof name);
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: %s: %s", ipsec_mb_short_version(), name, what);
}

/* libcrypto when it has the suite; otherwise the library itself, one buffer at a time. */
static const struct symmetric_provider *reference_for(const struct esp_suite *suite)
{
    struct failure failure;

    if (symmetric_libcrypto.ready(&failure) && symmetric_libcrypto.offers_cipher(suite->cipher, &failure) &&
        (suite->mac == NULL || symmetric_libcrypto.offers_mac(suite->mac, &failure)))
        return &symmetric_libcrypto;
    return &symmetric_ipsec_mb;
}

/* A copy of the ring as it was filled, to take inner packets from. */
static uint8_t *plain_ring(const struct mb_loop *loop)
{
    uint8_t *copy = malloc(loop->slots * loop->stride);

    if (copy != NULL)
        fill_test_octets(copy, loop->slots * loop->stride, 0x696e);
    return copy;
}

/* Seals what is in `plain` with the reference, with the IVs that the loop used, and compares. */
static bool same_as_reference(struct mb_loop *loop, struct esp_sa *reference, uint8_t *plain)
{
    for (size_t slot = 0; slot < COMPARED_PACKETS; slot++) {
        const struct mb_packet *packet = &loop->packets[slot];
        uint8_t *other = plain + slot * loop->stride + MB_HEADROOM_BYTES;
        size_t length = 0;

        if (esp_seal(reference, loop->base + slot + 1, packet->data + ESP_HEADER_BYTES, other, packet->inner_bytes,
                     NEXT_HEADER_IPV4, &length) != ESP_OK ||
            length != loop->packet_bytes[slot] || memcmp(other, packet->data, length) != 0)
            return false;
    }
    return true;
}

static bool check_outbound(const struct esp_suite *suite, struct mb_loop *loop, struct failure *failure)
{
    const struct symmetric_provider *provider = reference_for(suite);
    uint8_t *plain = plain_ring(loop);
    struct esp_sa reference;
    bool same;

    if (plain == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory");
    if (!esp_sa_create(&reference, provider, &loop->parameters, failure)) {
        free(plain);
        return false;
    }
    same = same_as_reference(loop, &reference, plain);
    esp_sa_destroy(&reference);
    free(plain);
    return same || wrong(suite, "many in flight differ from one at a time", failure);
}

/* Opens the sealed ring, compares what comes out, and has a forged packet and a replayed one refused. */
static const char *inbound_difference(struct mb_loop *loop, const uint8_t *plain)
{
    bool in_clear = loop->sa->template.cipher_mode == MB_CIPHER_NULL;

    if (mb_run_inbound(loop, COMPARED_PACKETS) != COMPARED_PACKETS)
        return "good packets are refused";
    for (size_t slot = 0; slot < COMPARED_PACKETS; slot++) {
        const struct mb_packet *packet = &loop->packets[slot];
        const uint8_t *inner = in_clear ? packet->data + loop->sa->payload_offset : packet->output;

        if (memcmp(inner, plain + slot * loop->stride + MB_HEADROOM_BYTES + loop->sa->payload_offset,
                   packet->inner_bytes) != 0)
            return "opened packets are wrong";
    }
    loop->position = 0;
    if (mb_run_inbound(loop, 1) != 0)
        return "a replayed packet is accepted";
    replay_window_reset(loop->windows[loop->round & 1], loop->base);
    loop->packets[CORRUPTED_PACKET].data[loop->packet_bytes[CORRUPTED_PACKET] - 1] ^= 1;
    loop->position = 0;
    if (mb_run_inbound(loop, COMPARED_PACKETS) != CORRUPTED_PACKET)
        return "a forged packet is accepted";
    return NULL;
}

static bool check_many(const struct esp_suite *suite, bool esn, struct failure *failure)
{
    /* static: an order is too large for a stack. Checks run on the main thread only. */
    static struct order order;
    struct mb_loop *loop;
    uint8_t *plain;
    const char *difference = NULL;
    bool good;

    memset(&order, 0, sizeof order);
    order.mix = MIX_IMIX_SIMPLE;
    order.esn = esn;
    order.replay_window_packets = COMPARED_WINDOW;
    order.operation = OPERATION_INBOUND;
    loop = mb_loop_create(suite, &order, failure);
    if (loop == NULL)
        return false;
    good = check_outbound(suite, loop, failure);
    plain = good ? plain_ring(loop) : NULL;
    if (plain != NULL)
        difference = inbound_difference(loop, plain);
    else if (good)
        good = fail(failure, FAILURE_MEMORY, "no memory");
    free(plain);
    mb_loop_destroy(loop);
    return good && (difference == NULL || wrong(suite, difference, failure));
}

/* XCBC comes truncated to its ICV: RFC 3566's case of 20 octets (the first of RFC 4434) is compared that far. */
bool mb_check_mac(const struct mac_algorithm *algorithm, struct failure *failure)
{
    struct octets answer[PRF_FIELDS];
    uint8_t tag[MAC_BYTES_MAXIMUM];
    struct mac *mac;
    bool right;

    if (algorithm->kind != MAC_XCBC)
        return known_answers_mac(&symmetric_ipsec_mb, algorithm, failure);
    (void)answer_find(prf_answers, "prfaesxcbc", 0, answer, PRF_FIELDS);
    mac = symmetric_ipsec_mb.new_mac(algorithm, answer[0].data, answer[0].length, failure);
    right = mac != NULL && mac->compute(mac, answer[1].data, answer[1].length, tag) &&
            memcmp(tag, answer[2].data, algorithm->icv_bytes) == 0;
    destroy_mac(mac);
    return right || fail(failure, FAILURE_KNOWN_ANSWER, "%s: the output is wrong", algorithm->name);
}

bool mb_check_suite(const struct esp_suite *suite, struct failure *failure)
{
    return known_answers_cipher(&symmetric_ipsec_mb, suite->cipher, failure) &&
           (suite->mac == NULL || mb_check_mac(suite->mac, failure)) &&
           known_answers_suite(&symmetric_ipsec_mb, suite, failure) && check_many(suite, false, failure) &&
           check_many(suite, true, failure);
}
