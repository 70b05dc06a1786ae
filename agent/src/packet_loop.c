/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tier "packet-loop": the whole ESP transform of one SA, packet after packet, without a device.
 *
 * Outbound packets are sealed in place in a ring of buffers. Inbound, a ring of packets with consecutive sequence
 * numbers is sealed before the clock starts; each is opened into one of a few other buffers, so that the ring stays
 * whole. After the last packet of the ring the replay window is set back to where it was before the first: one memset
 * of the window per turn of the ring, so that every packet runs through the check and moves the window by one.
 */
#include <stdlib.h>
#include <string.h>

#include "esp_transform.h"
#include "packet_compute.h"
#include "test_octets.h"

enum {
    ALIGNMENT = 64,
    /* More than a first-level cache holds, so that packets come from the next level as they do from a device. */
    RING_BYTES = 512 * 1024,
    RING_SLOTS_MINIMUM = 16,
    RING_SLOTS_MAXIMUM = 1024,
    OUTPUT_SLOTS = 16,
    TEST_SPI = 0x1badf00d,
    NEXT_HEADER_IPV4 = 4,
    OUTER_IPV4_HEADER_BYTES = 20
};

/* ESN starts with an upper half that is not zero, far enough from its end for the largest window. */
static const uint64_t esn_base = ((uint64_t)1 << 32) + ((uint64_t)1 << 20);

/*
 * IMIX as 7:4:1 of 64, 570 and 1518 octets, evenly interleaved. The CSIT mix of 28:16:4 is the same proportion; its
 * cycle of 48 packets is four times this one.
 */
static const uint16_t imix_cycle[] = {64, 570, 64, 64, 570, 64, 1518, 570, 64, 64, 570, 64};

struct packet_loop {
    struct esp_sa sa;
    struct iv_source iv_source;
    uint8_t *ring;
    uint8_t *outputs;
    size_t *inner_bytes;  /* of each slot */
    size_t *packet_bytes; /* of each slot, inbound */
    size_t stride;
    size_t slots;
    size_t position;
    size_t output_position;
    uint64_t base;
    const struct symmetric_provider *provider;
    struct esp_sa_parameters parameters;
    uint8_t encryption_key[KEY_BYTES_MAXIMUM + SALT_BYTES_MAXIMUM];
    uint8_t integrity_key[KEY_BYTES_MAXIMUM];
};

static size_t rows(void)
{
    return esp_suite_count();
}

static bool offered(const struct symmetric_provider *provider, const struct esp_suite *suite, struct failure *failure)
{
    return provider->ready(failure) && provider->offers_cipher(suite->cipher, failure) &&
           (suite->mac == NULL || provider->offers_mac(suite->mac, failure)) &&
           (suite->cipher->kind != CIPHER_CBC ||
            provider->offers_cipher(cipher_algorithm_find("aes128ctr"), failure)); /* the IV source */
}

static void describe(const struct symmetric_provider *provider, size_t index, struct row *row)
{
    struct esp_suite suite = esp_suite_at(index);
    struct failure failure;

    memset(row, 0, sizeof *row);
    esp_suite_name(&suite, row->algorithm, sizeof row->algorithm);
    if (offered(provider, &suite, &failure))
        row->operations = OPERATION_OUTBOUND | OPERATION_INBOUND | OPERATION_KEY_SETUP;
    else
        copy_text(row->reason, sizeof row->reason, failure.message);
}

static bool check(const struct symmetric_provider *provider, size_t index, struct failure *failure)
{
    struct esp_suite suite = esp_suite_at(index);

    return offered(provider, &suite, failure) && known_answers_cipher(provider, suite.cipher, failure) &&
           (suite.mac == NULL || known_answers_mac(provider, suite.mac, failure)) &&
           known_answers_suite(provider, &suite, failure);
}

static uint64_t run_outbound(void *state, uint64_t iterations)
{
    struct packet_loop *loop = state;
    size_t packet_bytes;

    for (uint64_t i = 0; i < iterations; i++) {
        size_t position = loop->position;

        if (esp_outbound(&loop->sa, loop->ring + position * loop->stride, loop->inner_bytes[position],
                         NEXT_HEADER_IPV4, &packet_bytes) != ESP_OK)
            return i;
        loop->position = position + 1 < loop->slots ? position + 1 : 0;
    }
    return iterations;
}

static uint64_t run_inbound(void *state, uint64_t iterations)
{
    struct packet_loop *loop = state;
    struct esp_inner_packet inner;

    for (uint64_t i = 0; i < iterations; i++) {
        size_t position = loop->position;
        uint8_t *output = loop->outputs + loop->output_position * loop->stride;

        if (esp_inbound(&loop->sa, loop->ring + position * loop->stride, loop->packet_bytes[position], output,
                        &inner) != ESP_OK ||
            inner.length != loop->inner_bytes[position])
            return i;
        loop->output_position = (loop->output_position + 1) % OUTPUT_SLOTS;
        loop->position = position + 1;
        if (loop->position == loop->slots) {
            loop->position = 0;
            replay_window_reset(loop->sa.window, loop->base);
        }
    }
    return iterations;
}

/* Contexts made, keyed and freed for one outbound SA. */
static uint64_t run_key_setup(void *state, uint64_t iterations)
{
    struct packet_loop *loop = state;
    struct failure failure;
    struct esp_sa sa;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!esp_sa_create(&sa, loop->provider, &loop->parameters, &failure))
            return i;
        esp_sa_destroy(&sa);
    }
    return iterations;
}

static void destroy(void *state)
{
    struct packet_loop *loop = state;

    if (loop->sa.cipher != NULL)
        esp_sa_destroy(&loop->sa);
    iv_source_destroy(&loop->iv_source);
    free(loop->ring);
    free(loop->outputs);
    free(loop->inner_bytes);
    free(loop->packet_bytes);
    free(loop);
}

static size_t cycle_length(enum mix mix)
{
    const size_t packets = sizeof imix_cycle / sizeof imix_cycle[0];

    switch (mix) {
    case MIX_IMIX_SIMPLE:
        return packets;
    case MIX_IMIX_CSIT:
        return 4 * packets;
    case MIX_NONE:
        break;
    }
    return 1;
}

static size_t inner_bytes_of(const struct order *order, size_t slot)
{
    return order->mix == MIX_NONE ? order->size_bytes : imix_cycle[slot % (sizeof imix_cycle / sizeof imix_cycle[0])];
}

static size_t largest_inner_bytes(const struct order *order)
{
    return order->mix == MIX_NONE ? order->size_bytes : 1518;
}

/* Sizes the ring: whole cycles of the mix, within the bounds above. */
static bool allocate_ring(struct packet_loop *loop, const struct order *order, struct failure *failure)
{
    size_t largest = largest_inner_bytes(order) + ESP_OVERHEAD_MAXIMUM;
    size_t lines = (largest + ALIGNMENT - 1) / ALIGNMENT;
    size_t cycle = cycle_length(order->mix);

    /* An odd number of lines: headers of consecutive packets then fall into different sets of the cache. */
    loop->stride = (lines | 1) * ALIGNMENT;
    loop->slots = RING_BYTES / loop->stride;
    if (loop->slots < RING_SLOTS_MINIMUM)
        loop->slots = RING_SLOTS_MINIMUM;
    if (loop->slots > RING_SLOTS_MAXIMUM)
        loop->slots = RING_SLOTS_MAXIMUM;
    loop->slots -= loop->slots % cycle;
    loop->ring = aligned_alloc(ALIGNMENT, loop->slots * loop->stride);
    loop->outputs = aligned_alloc(ALIGNMENT, OUTPUT_SLOTS * loop->stride);
    loop->inner_bytes = calloc(loop->slots, sizeof *loop->inner_bytes);
    loop->packet_bytes = calloc(loop->slots, sizeof *loop->packet_bytes);
    if (loop->ring == NULL || loop->outputs == NULL || loop->inner_bytes == NULL || loop->packet_bytes == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for %zu packet buffers", loop->slots);
    fill_test_octets(loop->ring, loop->slots * loop->stride, 0x696e);
    memset(loop->outputs, 0, OUTPUT_SLOTS * loop->stride);
    for (size_t slot = 0; slot < loop->slots; slot++)
        loop->inner_bytes[slot] = inner_bytes_of(order, slot);
    return true;
}

/* Seals the ring with an SA of its own: numbers base + 1, base + 2, … */
static bool seal_ring(struct packet_loop *loop, struct failure *failure)
{
    struct esp_sa_parameters parameters = loop->parameters;
    struct esp_sa sealer;
    bool sealed = true;

    parameters.outbound = true;
    if (!esp_sa_create(&sealer, loop->provider, &parameters, failure))
        return false;
    sealer.sequence = loop->base;
    for (size_t slot = 0; slot < loop->slots && sealed; slot++)
        sealed = esp_outbound(&sealer, loop->ring + slot * loop->stride, loop->inner_bytes[slot], NEXT_HEADER_IPV4,
                              &loop->packet_bytes[slot]) == ESP_OK;
    esp_sa_destroy(&sealer);
    return sealed || fail(failure, FAILURE_FAILED, "the packets to open could not be sealed");
}

static void add_details(const struct packet_loop *loop, const struct order *order, struct detail *detail)
{
    const struct esp_suite *suite = &loop->parameters.suite;
    size_t cycle = cycle_length(order->mix);
    uint64_t inner = 0, esp = 0;

    for (size_t slot = 0; slot < cycle; slot++) {
        inner += inner_bytes_of(order, slot);
        esp += esp_packet_bytes(suite, inner_bytes_of(order, slot));
    }
    if (order->mix != MIX_NONE) {
        /* Of one cycle of the mix. */
        detail_add(detail, "cycle_packets", cycle);
        detail_add(detail, "cycle_inner_bytes", inner);
        detail_add(detail, "cycle_esp_bytes", esp);
        detail_add(detail, "cycle_wire_bytes", esp + cycle * OUTER_IPV4_HEADER_BYTES);
    } else {
        detail_add(detail, "esp_bytes", esp);
        detail_add(detail, "wire_bytes", esp + OUTER_IPV4_HEADER_BYTES);
    }
    detail_add(detail, "ring_packets", loop->slots);
}

static bool prepare_packets(struct packet_loop *loop, const struct order *order, struct measurement *measurement,
                            struct failure *failure)
{
    static const uint8_t iv_key[16] = "key of the IVs!";

    if (order->size_bytes == 0 && order->mix == MIX_NONE)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing (or give a mix)");
    if (!allocate_ring(loop, order, failure))
        return false;
    if (loop->parameters.suite.cipher->kind == CIPHER_CBC) {
        if (!iv_source_create(&loop->iv_source, loop->provider, iv_key, failure))
            return false;
        loop->parameters.iv_source = &loop->iv_source;
    }
    loop->base = order->esn ? esn_base : 0;
    if (!loop->parameters.outbound && !seal_ring(loop, failure))
        return false;
    if (!esp_sa_create(&loop->sa, loop->provider, &loop->parameters, failure))
        return false;
    loop->sa.sequence = loop->base;
    if (loop->sa.window != NULL)
        replay_window_reset(loop->sa.window, loop->base);
    measurement->run = loop->parameters.outbound ? run_outbound : run_inbound;
    add_details(loop, order, &measurement->detail);
    return true;
}

static bool prepare(const struct symmetric_provider *provider, size_t index, const struct order *order,
                    struct measurement *measurement, struct failure *failure)
{
    struct packet_loop *loop = calloc(1, sizeof *loop);
    bool prepared = true;

    if (loop == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for a measurement");
    fill_test_octets(loop->encryption_key, sizeof loop->encryption_key, 0x656b6579);
    fill_test_octets(loop->integrity_key, sizeof loop->integrity_key, 0x616b6579);
    loop->provider = provider;
    loop->parameters.suite = esp_suite_at(index);
    loop->parameters.outbound = order->operation != OPERATION_INBOUND;
    loop->parameters.spi = TEST_SPI;
    loop->parameters.esn = order->esn;
    loop->parameters.replay_window_packets = order->replay_window_packets;
    loop->parameters.encryption_key = loop->encryption_key;
    loop->parameters.integrity_key = loop->integrity_key;
    if (order->operation == OPERATION_KEY_SETUP)
        measurement->run = run_key_setup;
    else
        prepared = prepare_packets(loop, order, measurement, failure);
    if (!prepared) {
        destroy(loop);
        return false;
    }
    measurement->state = loop;
    measurement->destroy = destroy;
    return true;
}

#define PACKETS_OF(library)                                                                                        \
    static void describe_##library(size_t index, struct row *row)                                                  \
    {                                                                                                              \
        describe(&symmetric_##library, index, row);                                                                \
    }                                                                                                              \
    static bool check_##library(size_t index, struct failure *failure)                                             \
    {                                                                                                              \
        return check(&symmetric_##library, index, failure);                                                        \
    }                                                                                                              \
    static bool prepare_##library(size_t index, const struct order *order, struct measurement *measurement,        \
                                  struct failure *failure)                                                         \
    {                                                                                                              \
        return prepare(&symmetric_##library, index, order, measurement, failure);                                  \
    }                                                                                                              \
    static bool compute_##library(size_t index, const struct order *order, struct output *output,                  \
                                  struct failure *failure)                                                         \
    {                                                                                                              \
        struct esp_suite suite = esp_suite_at(index);                                                              \
                                                                                                                   \
        return packet_compute(&symmetric_##library, &suite, order, output, failure);                               \
    }                                                                                                              \
    extern const struct family packet_loops_##library;                                                             \
    const struct family packet_loops_##library = {                                                                 \
        #library, "packet-loop", rows, describe_##library, check_##library, prepare_##library, compute_##library};

PACKETS_OF(libcrypto)
PACKETS_OF(libgcrypt)
