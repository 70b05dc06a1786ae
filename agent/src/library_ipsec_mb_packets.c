/* SPDX-License-Identifier: Apache-2.0 */
#include "library_ipsec_mb_packets.h"

#include <stdlib.h>
#include <string.h>

#include "big_endian.h"

enum { ALIGNMENT = 64, AAD_BYTES = 8, AAD_ESN_BYTES = 12, ESN_HIGH_BYTES = 4, COUNTER_NONCE_BYTES = 12 };

static const uint8_t padding[BLOCK_BYTES_MAXIMUM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* --- the SA --------------------------------------------------------------------------------------------------- */

void mb_sa_set_direction(struct mb_sa *sa, bool outbound)
{
    sa->outbound = outbound;
    mb_job_template(&sa->template, sa->suite.cipher, sa->suite.mac, outbound, sa->keys);
    if (sa->suite.cipher->kind == CIPHER_CTR)
        sa->template.iv_bytes = COUNTER_NONCE_BYTES; /* nonce and IV; the library appends the counter of RFC 3686 */
}

bool mb_sa_set_keys(struct mb_engine *engine, struct mb_sa *sa, const struct esp_sa_parameters *parameters,
                    struct failure *failure)
{
    const struct cipher_algorithm *cipher = sa->suite.cipher;
    const struct mac_algorithm *mac = sa->suite.mac;

    mb_set_cipher_key(engine->manager, cipher, parameters->encryption_key, sa->keys);
    if (cipher->salt_bytes > 0)
        memcpy(sa->salt, parameters->encryption_key + cipher->key_bytes, cipher->salt_bytes);
    return mac == NULL ||
           mb_set_mac_key(engine->manager, mac, parameters->integrity_key, mac->key_bytes, sa->keys, failure);
}

struct mb_sa *mb_sa_create(struct mb_engine *engine, const struct esp_sa_parameters *parameters,
                           struct failure *failure)
{
    const struct cipher_algorithm *cipher = parameters->suite.cipher;
    size_t keys_bytes = (mb_keys_bytes(cipher, parameters->suite.mac) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct mb_sa *sa = calloc(1, sizeof *sa);

    if (sa != NULL)
        sa->keys = aligned_alloc(ALIGNMENT, keys_bytes);
    if (sa == NULL || sa->keys == NULL) {
        free(sa);
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    memset((void *)sa->keys, 0, keys_bytes);
    sa->suite = parameters->suite;
    sa->spi = parameters->spi;
    sa->esn = parameters->esn;
    sa->padding_unit = cipher->block_bytes > 4 ? cipher->block_bytes : 4;
    sa->payload_offset = ESP_HEADER_BYTES + (uint32_t)cipher->iv_bytes;
    sa->icv_bytes = sa->suite.mac != NULL ? sa->suite.mac->icv_bytes : cipher->icv_bytes;
    if (!mb_sa_set_keys(engine, sa, parameters, failure)) {
        mb_sa_destroy(sa);
        return NULL;
    }
    mb_sa_set_direction(sa, parameters->outbound);
    return sa;
}

void mb_sa_destroy(struct mb_sa *sa)
{
    if (sa == NULL)
        return;
    free(sa->keys);
    free(sa);
}

/* --- the engine ----------------------------------------------------------------------------------------------- */

struct mb_engine *mb_engine_create(const uint8_t *iv_key, struct failure *failure)
{
    struct mb_engine *engine = calloc(1, sizeof *engine);

    if (engine == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    engine->iv_used = MB_IV_POOL_BYTES;
    engine->manager = ipsec_mb_new_manager(failure);
    if (engine->manager != NULL)
        engine->iv_keystream =
            symmetric_ipsec_mb.new_cipher(cipher_algorithm_find("aes128ctr"), iv_key, true, failure);
    if (engine->iv_keystream != NULL)
        return engine;
    mb_engine_destroy(engine);
    return NULL;
}

void mb_engine_destroy(struct mb_engine *engine)
{
    if (engine == NULL)
        return;
    destroy_cipher(engine->iv_keystream);
    ipsec_mb_free_manager(engine->manager);
    free(engine);
}

/* --- jobs ----------------------------------------------------------------------------------------------------- */

/* Unpredictable IVs for CBC: octets of a keystream, made a pool at a time. NULL when the library fails. */
static const uint8_t *next_random_iv(struct mb_engine *engine, size_t length)
{
    uint8_t counter[BLOCK_BYTES_MAXIMUM] = {0};

    if (engine->iv_used + length > MB_IV_POOL_BYTES) {
        write_be64(counter + 8, engine->iv_blocks_made);
        engine->iv_blocks_made += MB_IV_POOL_BYTES / BLOCK_BYTES_MAXIMUM;
        memset(engine->iv_pool, 0, sizeof engine->iv_pool);
        if (!engine->iv_keystream->crypt(engine->iv_keystream, counter, engine->iv_pool, sizeof engine->iv_pool, engine->iv_pool))
            return NULL;
        engine->iv_used = 0;
    }
    engine->iv_used += length;
    return engine->iv_pool + engine->iv_used - length;
}

/*
 * GMAC authenticates SPI, sequence number, IV and payload in one piece. With ESN the upper half stands between SPI and
 * lower half, where the packet has no room: the SPI moves 4 octets down for as long as the job runs.
 */
static void prepare_gmac(const struct mb_sa *sa, struct mb_packet *packet, struct mb_job *job)
{
    job->source = packet->data;
    job->hash_bytes = sa->payload_offset + packet->body_bytes;
    job->auth.gmac.iv = packet->nonce;
    if (sa->esn) {
        memcpy(packet->data - ESN_HIGH_BYTES, packet->data, 4);
        write_be32(packet->data, (uint32_t)(packet->sequence >> 32));
        job->source = packet->data - ESN_HIGH_BYTES;
        job->hash_bytes += ESN_HIGH_BYTES;
    }
}

static void prepare_combined(const struct mb_sa *sa, struct mb_packet *packet, struct mb_job *job)
{
    /* SPI and sequence number, with its upper half between them when it has one (RFC 4106 section 5). */
    memcpy(packet->aad, packet->data, ESP_HEADER_BYTES);
    if (sa->esn)
        write_be64(packet->aad + 4, packet->sequence);
    job->auth.aad.data = packet->aad;
    job->auth.aad.bytes = sa->esn ? AAD_ESN_BYTES : AAD_BYTES;
    job->cipher_offset = job->hash_offset = sa->payload_offset;
    job->cipher_bytes = job->hash_bytes = packet->body_bytes;
    job->iv = packet->nonce;
}

static void prepare_separate(const struct mb_sa *sa, struct mb_packet *packet, struct mb_job *job)
{
    uint8_t *end = packet->data + sa->payload_offset + packet->body_bytes;

    job->hash_bytes = sa->payload_offset + packet->body_bytes;
    job->cipher_offset = sa->payload_offset;
    job->cipher_bytes = packet->body_bytes;
    job->iv = sa->suite.cipher->kind == CIPHER_CTR ? packet->nonce : packet->data + ESP_HEADER_BYTES;
    if (sa->esn) {
        /* RFC 4303 section 2.2.1: authenticated after the payload, not sent; it stands where the ICV begins. */
        memcpy(packet->saved, end, ESN_HIGH_BYTES);
        write_be32(end, (uint32_t)(packet->sequence >> 32));
        job->hash_bytes += ESN_HIGH_BYTES;
    }
}

static struct mb_job *submit(struct mb_engine *engine, struct mb_sa *sa, struct mb_packet *packet, uint8_t *destination,
                             uint8_t *tag)
{
    const struct cipher_algorithm *cipher = sa->suite.cipher;
    struct mb_job *job = engine->manager->get_next_job(engine->manager);

    *job = sa->template;
    job->source = packet->data;
    job->destination = destination;
    job->tag = tag;
    job->user_data = packet;
    packet->sa = sa;
    if (cipher->salt_bytes > 0) {
        memcpy(packet->nonce, sa->salt, cipher->salt_bytes);
        memcpy(packet->nonce + cipher->salt_bytes, packet->data + ESP_HEADER_BYTES, cipher->iv_bytes);
    }
    if (cipher->kind == CIPHER_GMAC)
        prepare_gmac(sa, packet, job);
    else if (sa->suite.mac == NULL)
        prepare_combined(sa, packet, job);
    else
        prepare_separate(sa, packet, job);
    engine->in_flight++;
    job = engine->manager->submit_job(engine->manager);
    return job != NULL || engine->in_flight < MB_IN_FLIGHT_MAXIMUM ? job : engine->manager->flush_job(engine->manager);
}

struct mb_job *mb_submit_outbound(struct mb_engine *engine, struct mb_sa *sa, struct mb_packet *packet,
                                  uint64_t sequence, const uint8_t *iv, uint8_t next_header, bool *accepted)
{
    const struct cipher_algorithm *cipher = sa->suite.cipher;
    uint8_t *payload = packet->data + sa->payload_offset;
    size_t unit = sa->padding_unit;
    size_t pad_length;
    uint8_t counter[8];

    *accepted = false;
    if (sequence == 0) {
        if (sa->sequence >= (sa->esn ? UINT64_MAX : UINT32_MAX))
            return NULL;
        sequence = ++sa->sequence;
    }
    packet->sequence = sequence;
    if (iv == NULL) {
        write_be64(counter, packet->sequence); /* counter modes: unique, not unpredictable (RFC 4106 section 3.1) */
        iv = cipher->kind == CIPHER_CBC ? next_random_iv(engine, cipher->iv_bytes) : counter;
        if (iv == NULL)
            return NULL;
    }
    *accepted = true;
    packet->body_bytes = (packet->inner_bytes + ESP_TRAILER_BYTES + unit - 1) & ~(unit - 1);
    pad_length = packet->body_bytes - packet->inner_bytes - ESP_TRAILER_BYTES;
    write_be32(packet->data, sa->spi);
    write_be32(packet->data + 4, (uint32_t)packet->sequence);
    memcpy(packet->data + ESP_HEADER_BYTES, iv, cipher->iv_bytes);
    memcpy(payload + packet->inner_bytes, padding, pad_length);
    payload[packet->body_bytes - 2] = (uint8_t)pad_length;
    payload[packet->body_bytes - 1] = next_header;
    return submit(engine, sa, packet, payload, payload + packet->body_bytes);
}

struct mb_job *mb_submit_inbound(struct mb_engine *engine, struct mb_sa *sa, struct mb_packet *packet,
                                 uint64_t sequence, size_t packet_bytes, enum esp_result *result)
{
    *result = ESP_MALFORMED;
    if (packet_bytes < (size_t)sa->payload_offset + sa->padding_unit + sa->icv_bytes)
        return NULL;
    packet->body_bytes = packet_bytes - sa->payload_offset - sa->icv_bytes;
    if ((packet->body_bytes & (sa->padding_unit - 1)) != 0 || read_be32(packet->data) != sa->spi)
        return NULL;
    *result = ESP_REPLAYED;
    if (packet->window != NULL && !replay_window_check(packet->window, sequence))
        return NULL;
    *result = ESP_OK;
    packet->sequence = sequence;
    return submit(engine, sa, packet, packet->output, packet->tag);
}

struct mb_job *mb_next_completed(struct mb_engine *engine)
{
    return engine->manager->get_completed_job(engine->manager);
}

struct mb_job *mb_flush(struct mb_engine *engine)
{
    return engine->manager->flush_job(engine->manager);
}

/* --- when a job comes back ------------------------------------------------------------------------------------ */

/* Gives the packet back the octets that made room for the upper half of the sequence number. */
static void restore(const struct mb_sa *sa, struct mb_packet *packet)
{
    if (!sa->esn)
        return;
    if (sa->suite.cipher->kind == CIPHER_GMAC)
        memcpy(packet->data, packet->data - ESN_HIGH_BYTES, 4);
    else if (sa->suite.mac != NULL && !sa->outbound)
        memcpy(packet->data + sa->payload_offset + packet->body_bytes, packet->saved, ESN_HIGH_BYTES);
}

/* Cuts off trailer and padding, which must be the one that RFC 4303 section 2.4 prescribes. */
static enum esp_result remove_padding(const uint8_t *body, size_t body_bytes, struct esp_inner_packet *inner)
{
    size_t pad_length = body[body_bytes - 2];

    if (pad_length + ESP_TRAILER_BYTES > body_bytes)
        return ESP_BAD_PADDING;
    inner->data = body;
    inner->length = body_bytes - ESP_TRAILER_BYTES - pad_length;
    inner->next_header = body[body_bytes - 1];
    for (size_t i = 0; i < pad_length; i++) {
        if (body[inner->length + i] != (uint8_t)(i + 1))
            return ESP_BAD_PADDING;
    }
    return ESP_OK;
}

enum esp_result mb_finish(struct mb_engine *engine, const struct mb_job *job, struct esp_inner_packet *inner)
{
    struct mb_packet *packet = job->user_data;
    const struct mb_sa *sa = packet->sa;
    const uint8_t *icv = packet->data + sa->payload_offset + packet->body_bytes;
    bool in_clear = job->cipher_mode == MB_CIPHER_NULL;

    engine->in_flight--;
    restore(sa, packet);
    if (job->status != MB_STATUS_COMPLETED)
        return ESP_LIBRARY_FAILED;
    if (sa->outbound)
        return ESP_OK;
    if (!equal_constant_time(packet->tag, icv, sa->icv_bytes))
        return ESP_BAD_ICV;
    inner->sequence = packet->sequence;
    if (packet->window != NULL) {
        /* Again: another packet with this number may have been in flight too. */
        if (!replay_window_check(packet->window, packet->sequence))
            return ESP_REPLAYED;
        replay_window_update(packet->window, packet->sequence);
    }
    return remove_padding(in_clear ? packet->data + sa->payload_offset : packet->output, packet->body_bytes, inner);
}
