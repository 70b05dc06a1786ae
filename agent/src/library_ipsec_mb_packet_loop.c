/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tier "packet-loop" of intel-ipsec-mb. Packets lie in a ring of the same size and layout as in the loop of the other
 * libraries, so that the figures differ by the library and by nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "library_ipsec_mb_packet_loop.h"
#include "packet_compute.h"
#include "test_octets.h"

enum {
    ALIGNMENT = 64,
    RING_BYTES = 512 * 1024,
    RING_SLOTS_MINIMUM = 72, /* a multiple of the mix's cycle, more than can be in flight */
    RING_SLOTS_MAXIMUM = 1024,
    OUTPUT_SLOTS = RING_SLOTS_MINIMUM,
    TEST_SPI = 0x1badf00d,
    NEXT_HEADER_IPV4 = 4,
    OUTER_IPV4_HEADER_BYTES = 20
};

/* ESN starts with an upper half that is not zero, far enough from its end for the largest window. */
static const uint64_t esn_base = ((uint64_t)1 << 32) + ((uint64_t)1 << 20);

/* 7:4:1 of 64, 570 and 1518 octets, evenly interleaved; the CSIT mix of 28:16:4 is the same proportion. */
static const uint16_t imix_cycle[] = {64, 570, 64, 64, 570, 64, 1518, 570, 64, 64, 570, 64};

enum { IMIX_CYCLE = sizeof imix_cycle / sizeof imix_cycle[0] };

static size_t inner_bytes_of(const struct order *order, size_t slot)
{
    return order->mix == MIX_NONE ? order->size_bytes : imix_cycle[slot % IMIX_CYCLE];
}

/* --- timed loops ---------------------------------------------------------------------------------------------- */

/* Takes what is complete, starting with `job`; false when one of them failed. */
static bool collect(struct mb_loop *loop, struct mb_job *job, struct mb_job *(*next)(struct mb_engine *),
                    uint64_t *done)
{
    struct esp_inner_packet inner = {NULL, 0, 0, 0};

    for (; job != NULL; job = next(loop->engine)) {
        const struct mb_packet *packet = job->user_data;

        if (mb_finish(loop->engine, job, &inner) != ESP_OK ||
            (!loop->sa->outbound && inner.length != packet->inner_bytes))
            return false;
        (*done)++;
    }
    return true;
}

/* After a failure: nothing may stay in flight, and nothing more counts. */
static void abandon(struct mb_loop *loop)
{
    struct esp_inner_packet inner;
    struct mb_job *job;

    while ((job = mb_flush(loop->engine)) != NULL)
        (void)mb_finish(loop->engine, job, &inner);
    loop->engine->in_flight = 0;
}

static uint64_t finish_run(struct mb_loop *loop, bool good, uint64_t done)
{
    if (!good || !collect(loop, mb_flush(loop->engine), mb_flush, &done))
        abandon(loop);
    return done;
}

uint64_t mb_run_outbound(void *state, uint64_t iterations)
{
    struct mb_loop *loop = state;
    uint64_t done = 0;
    bool good = true, accepted = true;

    for (uint64_t i = 0; i < iterations && good && accepted; i++) {
        size_t position = loop->position;
        struct mb_job *job =
            mb_submit_outbound(loop->engine, loop->sa, &loop->packets[position], 0, NULL, NEXT_HEADER_IPV4,
                               &accepted);

        loop->position = position + 1 < loop->slots ? position + 1 : 0;
        good = job == NULL || collect(loop, job, mb_next_completed, &done);
    }
    return finish_run(loop, good, done);
}

uint64_t mb_run_inbound(void *state, uint64_t iterations)
{
    struct mb_loop *loop = state;
    enum esp_result result = ESP_OK;
    uint64_t done = 0;
    bool good = true;

    for (uint64_t i = 0; i < iterations && good && result == ESP_OK; i++) {
        size_t position = loop->position;
        struct mb_packet *packet = &loop->packets[position];
        struct mb_job *job;

        /* Its own turn, not the packet's: at the ring's end the last packets are still in flight. */
        packet->output = loop->outputs + loop->output_position * loop->stride;
        loop->output_position = loop->output_position + 1 < OUTPUT_SLOTS ? loop->output_position + 1 : 0;
        packet->window = loop->windows[loop->round & 1];
        job = mb_submit_inbound(loop->engine, loop->sa, packet, loop->base + position + 1, loop->packet_bytes[position], &result);
        if (++loop->position == loop->slots) {
            /* The ring starts over with an empty window; what is still in flight belongs to the other one. */
            loop->position = 0;
            replay_window_reset(loop->windows[++loop->round & 1], loop->base);
        }
        good = job == NULL || collect(loop, job, mb_next_completed, &done);
    }
    return finish_run(loop, good, done);
}

static uint64_t run_key_setup(void *state, uint64_t iterations)
{
    struct mb_loop *loop = state;
    struct failure failure;

    for (uint64_t i = 0; i < iterations; i++) {
        if (!mb_sa_set_keys(loop->engine, loop->sa, &loop->parameters, &failure))
            return i;
        mb_sa_set_direction(loop->sa, true);
    }
    return iterations;
}

/* --- setting up ----------------------------------------------------------------------------------------------- */

void mb_loop_destroy(void *state)
{
    struct mb_loop *loop = state;

    mb_sa_destroy(loop->sa);
    mb_engine_destroy(loop->engine);
    free(loop->ring);
    free(loop->outputs);
    free(loop->packets);
    free(loop->packet_bytes);
    free(loop->windows[0]);
    free(loop->windows[1]);
    free(loop);
}

static bool allocate_ring(struct mb_loop *loop, const struct order *order, struct failure *failure)
{
    size_t largest = (order->mix == MIX_NONE ? order->size_bytes : 1518) + ESP_OVERHEAD_MAXIMUM + MB_HEADROOM_BYTES;
    size_t lines = (largest + ALIGNMENT - 1) / ALIGNMENT;

    /* An odd number of lines: headers of consecutive packets then fall into different sets of the cache. */
    loop->stride = (lines | 1) * ALIGNMENT;
    loop->slots = RING_BYTES / loop->stride;
    if (loop->slots < RING_SLOTS_MINIMUM)
        loop->slots = RING_SLOTS_MINIMUM;
    if (loop->slots > RING_SLOTS_MAXIMUM)
        loop->slots = RING_SLOTS_MAXIMUM;
    loop->slots -= order->mix == MIX_NONE ? 0 : loop->slots % IMIX_CYCLE;
    loop->ring = aligned_alloc(ALIGNMENT, loop->slots * loop->stride);
    loop->outputs = aligned_alloc(ALIGNMENT, OUTPUT_SLOTS * loop->stride);
    loop->packets =
        aligned_alloc(ALIGNMENT, (loop->slots * sizeof *loop->packets + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    loop->packet_bytes = calloc(loop->slots, sizeof *loop->packet_bytes);
    if (loop->ring == NULL || loop->outputs == NULL || loop->packets == NULL || loop->packet_bytes == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory");
    fill_test_octets(loop->ring, loop->slots * loop->stride, 0x696e);
    memset(loop->outputs, 0, OUTPUT_SLOTS * loop->stride);
    memset(loop->packets, 0, loop->slots * sizeof *loop->packets);
    for (size_t slot = 0; slot < loop->slots; slot++) {
        loop->packets[slot].data = loop->ring + slot * loop->stride + MB_HEADROOM_BYTES;
        loop->packets[slot].inner_bytes = inner_bytes_of(order, slot);
        loop->packet_bytes[slot] = esp_packet_bytes(&loop->parameters.suite, inner_bytes_of(order, slot));
    }
    return true;
}

static bool allocate_windows(struct mb_loop *loop, uint32_t packets, struct failure *failure)
{
    for (size_t i = 0; i < 2; i++) {
        loop->windows[i] = malloc(replay_window_bytes(packets));
        if (loop->windows[i] == NULL)
            return fail(failure, FAILURE_MEMORY, "no memory");
        replay_window_initialise(loop->windows[i], packets);
        replay_window_reset(loop->windows[i], loop->base);
    }
    return true;
}

/* Seals the whole ring, with the numbers base + 1, base + 2, …, then turns the SA round. */
static bool seal_ring(struct mb_loop *loop, struct failure *failure)
{
    loop->sa->sequence = loop->base;
    if (mb_run_outbound(loop, loop->slots) != loop->slots)
        return ipsec_mb_fail(loop->engine->manager, "sealing the packets to open", failure);
    loop->position = 0;
    mb_sa_set_direction(loop->sa, false);
    return true;
}

static bool prepare_packets(struct mb_loop *loop, const struct order *order, struct failure *failure)
{
    if (order->size_bytes == 0 && order->mix == MIX_NONE)
        return fail(failure, FAILURE_USAGE, "size_bytes: missing (or give a mix)");
    if (!allocate_ring(loop, order, failure))
        return false;
    loop->base = order->esn ? esn_base : 0;
    loop->sa->sequence = loop->base;
    if (order->operation == OPERATION_INBOUND)
        return allocate_windows(loop, order->replay_window_packets, failure) && seal_ring(loop, failure);
    /* Some packets are too long for some of its functions: that is found out here, not in the sample. */
    if (mb_run_outbound(loop, 1) != 1)
        return ipsec_mb_fail(loop->engine->manager, "sealing a packet", failure);
    return true;
}

struct mb_loop *mb_loop_create(const struct esp_suite *suite, const struct order *order, struct failure *failure)
{
    static const uint8_t iv_key[MB_BLOCK_BYTES] = "key of the IVs!";
    struct mb_loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    fill_test_octets(loop->encryption_key, sizeof loop->encryption_key, 0x656b6579);
    fill_test_octets(loop->integrity_key, sizeof loop->integrity_key, 0x616b6579);
    loop->parameters.suite = *suite;
    loop->parameters.outbound = true;
    loop->parameters.spi = TEST_SPI;
    loop->parameters.esn = order->esn;
    loop->parameters.encryption_key = loop->encryption_key;
    loop->parameters.integrity_key = loop->integrity_key;
    loop->engine = mb_engine_create(iv_key, failure);
    if (loop->engine != NULL)
        loop->sa = mb_sa_create(loop->engine, &loop->parameters, failure);
    if (loop->sa != NULL &&
        (order->operation == OPERATION_KEY_SETUP || prepare_packets(loop, order, failure)))
        return loop;
    mb_loop_destroy(loop);
    return NULL;
}

static void add_details(const struct mb_loop *loop, const struct order *order, struct detail *detail)
{
    size_t cycle = order->mix == MIX_NONE ? 1 : IMIX_CYCLE;
    uint64_t inner = 0, esp = 0;

    for (size_t slot = 0; slot < cycle; slot++) {
        inner += loop->packets[slot].inner_bytes;
        esp += loop->packet_bytes[slot];
    }
    if (order->mix != MIX_NONE) {
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

/* --- the family ----------------------------------------------------------------------------------------------- */

static size_t rows(void)
{
    return esp_suite_count();
}

static bool offered(const struct esp_suite *suite, struct failure *failure)
{
    return ipsec_mb_ready(failure) && mb_offers_cipher(suite->cipher, failure) &&
           (suite->mac == NULL || mb_offers_mac(suite->mac, failure));
}

static void describe(size_t index, struct row *row)
{
    struct esp_suite suite = esp_suite_at(index);
    struct failure failure;

    memset(row, 0, sizeof *row);
    esp_suite_name(&suite, row->algorithm, sizeof row->algorithm);
    if (offered(&suite, &failure))
        row->operations = OPERATION_OUTBOUND | OPERATION_INBOUND | OPERATION_KEY_SETUP;
    else
        copy_text(row->reason, sizeof row->reason, failure.message);
}

static bool check(size_t index, struct failure *failure)
{
    struct esp_suite suite = esp_suite_at(index);

    return offered(&suite, failure) && mb_check_suite(&suite, failure);
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement,
                    struct failure *failure)
{
    struct esp_suite suite = esp_suite_at(index);
    struct mb_loop *loop = mb_loop_create(&suite, order, failure);

    if (loop == NULL)
        return false;
    measurement->state = loop;
    measurement->destroy = mb_loop_destroy;
    measurement->run = order->operation == OPERATION_OUTBOUND  ? mb_run_outbound
                       : order->operation == OPERATION_INBOUND ? mb_run_inbound
                                                               : run_key_setup;
    if (order->operation != OPERATION_KEY_SETUP)
        add_details(loop, order, &measurement->detail);
    return true;
}

/* One buffer at a time; mb_check_suite() has compared that with many in flight. */
static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    struct esp_suite suite = esp_suite_at(index);

    return packet_compute(&symmetric_ipsec_mb, &suite, order, output, failure);
}

const struct family ipsec_mb_packet_loops = {
    .provider = "libipsec-mb",
    .tier = "packet-loop",
    .rows = rows,
    .describe = describe,
    .check = check,
    .prepare = prepare,
    .compute = compute,
};
