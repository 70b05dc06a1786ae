/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_transform.h"

#include <stdlib.h>
#include <string.h>

#include "big_endian.h"

/* SPI and 64-bit sequence number. */
enum { AAD_BYTES_MAXIMUM = 12, ESN_HIGH_BYTES = 4, COUNTER_IV_BYTES = 8 };

const char *esp_result_text(enum esp_result result)
{
    switch (result) {
    case ESP_OK:
        return "accepted";
    case ESP_MALFORMED:
        return "not an ESP packet of this SA";
    case ESP_REPLAYED:
        return "sequence number replayed or left of the window";
    case ESP_BAD_ICV:
        return "wrong ICV";
    case ESP_BAD_PADDING:
        return "wrong padding";
    case ESP_SEQUENCE_OVERFLOW:
        return "no sequence number left: the SA must be replaced";
    case ESP_LIBRARY_FAILED:
        return "the library failed";
    }
    return "unknown";
}

uint32_t esp_sequence_low(const uint8_t *packet)
{
    return read_be32(packet + 4);
}

static uint32_t padding_unit_of(const struct cipher_algorithm *cipher)
{
    /* RFC 4303 section 2.4: the trailer ends on a boundary of 4 octets at least. */
    return cipher->block_bytes > 4 ? cipher->block_bytes : 4;
}

static size_t padded_bytes(size_t inner_bytes, size_t unit)
{
    return (inner_bytes + ESP_TRAILER_BYTES + unit - 1) / unit * unit;
}

static uint32_t icv_bytes_of(const struct esp_suite *suite)
{
    return suite->mac != NULL ? suite->mac->icv_bytes : suite->cipher->icv_bytes;
}

size_t esp_packet_bytes(const struct esp_suite *suite, size_t inner_bytes)
{
    return ESP_HEADER_BYTES + (size_t)suite->cipher->iv_bytes +
           padded_bytes(inner_bytes, padding_unit_of(suite->cipher)) + icv_bytes_of(suite);
}

bool iv_source_create(struct iv_source *source, const struct symmetric_provider *provider, const uint8_t *key,
                      struct failure *failure)
{
    source->blocks_made = 0;
    source->used = sizeof source->octets;
    source->keystream = provider->new_cipher(cipher_algorithm_find("aes128ctr"), key, true, failure);
    return source->keystream != NULL;
}

void iv_source_destroy(struct iv_source *source)
{
    destroy_cipher(source->keystream);
    source->keystream = NULL;
}

/* `length` octets that nobody has seen; NULL when the library fails. */
static const uint8_t *iv_source_next(struct iv_source *source, size_t length)
{
    const uint8_t *octets;

    if (source->used + length > sizeof source->octets) {
        uint8_t counter[BLOCK_BYTES_MAXIMUM] = {0};

        write_be64(counter + 8, source->blocks_made);
        source->blocks_made += sizeof source->octets / BLOCK_BYTES_MAXIMUM;
        memset(source->octets, 0, sizeof source->octets);
        if (!source->keystream->crypt(source->keystream, counter, source->octets, sizeof source->octets,
                                      source->octets))
            return NULL;
        source->used = 0;
    }
    octets = source->octets + source->used;
    source->used += length;
    return octets;
}

bool esp_sa_create(struct esp_sa *sa, const struct symmetric_provider *provider,
                   const struct esp_sa_parameters *parameters, struct failure *failure)
{
    const struct cipher_algorithm *cipher = parameters->suite.cipher;
    const struct mac_algorithm *mac = parameters->suite.mac;

    memset(sa, 0, sizeof *sa);
    sa->suite = parameters->suite;
    sa->spi = parameters->spi;
    sa->esn = parameters->esn;
    sa->iv_source = parameters->iv_source;
    sa->padding_unit = padding_unit_of(cipher);
    sa->payload_offset = ESP_HEADER_BYTES + (uint32_t)cipher->iv_bytes;
    sa->icv_bytes = icv_bytes_of(&parameters->suite);
    if (cipher->salt_bytes > 0)
        memcpy(sa->nonce_start, parameters->encryption_key + cipher->key_bytes, cipher->salt_bytes);
    write_be32(sa->nonce_start + 12, 1); /* counter mode: the block counter (RFC 3686 section 4) */
    sa->cipher = provider->new_cipher(cipher, parameters->encryption_key, parameters->outbound, failure);
    if (sa->cipher == NULL)
        return false;
    if (mac != NULL) {
        sa->mac = provider->new_mac(mac, parameters->integrity_key, mac->key_bytes, failure);
        if (sa->mac == NULL) {
            esp_sa_destroy(sa);
            return false;
        }
    }
    if (!parameters->outbound && parameters->replay_window_packets > 0) {
        sa->window = malloc(replay_window_bytes(parameters->replay_window_packets));
        if (sa->window == NULL) {
            esp_sa_destroy(sa);
            return fail(failure, FAILURE_MEMORY, "no memory for a replay window");
        }
        replay_window_initialise(sa->window, parameters->replay_window_packets);
    }
    return true;
}

void esp_sa_destroy(struct esp_sa *sa)
{
    destroy_cipher(sa->cipher);
    destroy_mac(sa->mac);
    free(sa->window);
    memset(sa, 0, sizeof *sa);
}

/*
 * The nonce of a combined cipher is salt and IV. The counter block of RFC 3686 section 4 is salt, IV and the number 1,
 * which lies ready behind the place of the IV. Copies of a fixed length cost less than exact ones.
 */
static inline void make_nonce(const struct esp_sa *sa, const uint8_t *iv, uint8_t nonce[BLOCK_BYTES_MAXIMUM])
{
    memcpy(nonce, sa->nonce_start, BLOCK_BYTES_MAXIMUM);
    memcpy(nonce + sa->suite.cipher->salt_bytes, iv, COUNTER_IV_BYTES);
}

/* SPI and sequence number, with its upper half between them when it has one (RFC 4106 section 5). */
static inline size_t make_aad(const struct esp_sa *sa, uint64_t sequence, uint8_t aad[AAD_BYTES_MAXIMUM])
{
    if (!sa->esn) {
        write_be64(aad, (uint64_t)sa->spi << 32 | (uint32_t)sequence);
        return ESP_HEADER_BYTES;
    }
    write_be32(aad, sa->spi);
    write_be64(aad + 4, sequence);
    return AAD_BYTES_MAXIMUM;
}

/* The padding of RFC 4303 section 2.4: 1, 2, 3, … At most 15 octets, in at most three stores. */
static inline void write_padding(uint8_t *end, size_t length)
{
    static const uint8_t padding[BLOCK_BYTES_MAXIMUM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    if (length >= 8) {
        memcpy(end, padding, 8);
        memcpy(end + length - 8, padding + length - 8, 8);
    } else if (length >= 4) {
        memcpy(end, padding, 4);
        memcpy(end + length - 4, padding + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++)
            end[i] = padding[i];
    }
}

/* Encrypts and adds the ICV of a combined cipher; `body` octets of payload, padding and trailer. */
static bool seal_combined(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t body)
{
    struct cipher *cipher = sa->cipher;
    uint8_t *iv = packet + ESP_HEADER_BYTES;
    uint8_t *payload = packet + sa->payload_offset;
    uint8_t nonce[BLOCK_BYTES_MAXIMUM], aad[AAD_BYTES_MAXIMUM];
    size_t aad_bytes = make_aad(sa, sequence, aad);

    make_nonce(sa, iv, nonce);
    if (cipher->algorithm->kind == CIPHER_GMAC) /* RFC 4543 section 3.3: the IV is authenticated too */
        return cipher->seal(cipher, nonce, aad, aad_bytes, iv, cipher->algorithm->iv_bytes + body, NULL, payload + body);
    return cipher->seal(cipher, nonce, aad, aad_bytes, payload, body, payload, payload + body);
}

static bool seal_separate(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t body)
{
    struct cipher *cipher = sa->cipher;
    uint8_t *payload = packet + sa->payload_offset;
    uint8_t *end = payload + body;
    size_t authenticated = sa->payload_offset + body;
    uint8_t block[BLOCK_BYTES_MAXIMUM], tag[MAC_BYTES_MAXIMUM];
    const uint8_t *iv = packet + ESP_HEADER_BYTES;

    if (cipher->algorithm->kind == CIPHER_CTR) {
        make_nonce(sa, iv, block);
        iv = block;
    }
    if (cipher->algorithm->kind != CIPHER_NULL && !cipher->crypt(cipher, iv, payload, body, payload))
        return false;
    if (sa->esn) {
        /* RFC 4303 section 2.2.1: authenticated after the payload, not sent. It is written where the ICV will be. */
        write_be32(end, (uint32_t)(sequence >> 32));
        authenticated += ESN_HIGH_BYTES;
    }
    if (!sa->mac->compute(sa->mac, packet, authenticated, tag))
        return false;
    memcpy(end, tag, sa->icv_bytes);
    return true;
}

enum esp_result esp_seal(struct esp_sa *sa, uint64_t sequence, const uint8_t *iv, uint8_t *packet, size_t inner_bytes,
                         uint8_t next_header, size_t *packet_bytes)
{
    uint8_t *payload = packet + sa->payload_offset;
    size_t body = padded_bytes(inner_bytes, sa->padding_unit);
    size_t pad_length = body - inner_bytes - ESP_TRAILER_BYTES;
    bool sealed;

    write_be64(packet, (uint64_t)sa->spi << 32 | (uint32_t)sequence);
    if (sa->suite.cipher->iv_bytes >= 8)
        memcpy(packet + ESP_HEADER_BYTES, iv, 8);
    if (sa->suite.cipher->iv_bytes == 16)
        memcpy(packet + ESP_HEADER_BYTES + 8, iv + 8, 8);
    write_padding(payload + inner_bytes, pad_length);
    payload[body - 2] = (uint8_t)pad_length;
    payload[body - 1] = next_header;
    if (sa->mac == NULL)
        sealed = seal_combined(sa, sequence, packet, body);
    else
        sealed = seal_separate(sa, sequence, packet, body);
    *packet_bytes = sa->payload_offset + body + sa->icv_bytes;
    return sealed ? ESP_OK : ESP_LIBRARY_FAILED;
}

enum esp_result esp_outbound_numbered(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t inner_bytes,
                                      uint8_t next_header, size_t *packet_bytes)
{
    uint8_t counter[8];
    const uint8_t *iv = counter;

    if (sa->suite.cipher->kind == CIPHER_CBC) {
        iv = iv_source_next(sa->iv_source, sa->suite.cipher->iv_bytes);
        if (iv == NULL)
            return ESP_LIBRARY_FAILED;
    } else {
        /* Counter modes need an IV that is unique, not one that is unpredictable (RFC 4106 section 3.1). */
        write_be64(counter, sequence);
    }
    return esp_seal(sa, sequence, iv, packet, inner_bytes, next_header, packet_bytes);
}

enum esp_result esp_outbound(struct esp_sa *sa, uint8_t *packet, size_t inner_bytes, uint8_t next_header,
                             size_t *packet_bytes)
{
    if (sa->sequence >= (sa->esn ? UINT64_MAX : UINT32_MAX))
        return ESP_SEQUENCE_OVERFLOW;
    sa->sequence++;
    return esp_outbound_numbered(sa, sa->sequence, packet, inner_bytes, next_header, packet_bytes);
}

static enum esp_result open_combined(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t body,
                                     uint8_t *output)
{
    struct cipher *cipher = sa->cipher;
    const uint8_t *iv = packet + ESP_HEADER_BYTES;
    const uint8_t *payload = packet + sa->payload_offset;
    uint8_t nonce[BLOCK_BYTES_MAXIMUM], aad[AAD_BYTES_MAXIMUM];
    size_t aad_bytes = make_aad(sa, sequence, aad);
    bool authentic;

    make_nonce(sa, iv, nonce);
    if (cipher->algorithm->kind == CIPHER_GMAC)
        authentic = cipher->open(cipher, nonce, aad, aad_bytes, iv, cipher->algorithm->iv_bytes + body, NULL,
                                 payload + body);
    else
        authentic = cipher->open(cipher, nonce, aad, aad_bytes, payload, body, output, payload + body);
    return authentic ? ESP_OK : ESP_BAD_ICV;
}

static enum esp_result open_separate(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t body,
                                     uint8_t *output)
{
    struct cipher *cipher = sa->cipher;
    uint8_t *payload = packet + sa->payload_offset;
    uint8_t *end = payload + body;
    size_t authenticated = sa->payload_offset + body;
    uint8_t block[BLOCK_BYTES_MAXIMUM], tag[MAC_BYTES_MAXIMUM], received[ESN_HIGH_BYTES];
    const uint8_t *iv = packet + ESP_HEADER_BYTES;
    bool computed;

    if (sa->esn) {
        /* The upper half is put where the ICV begins for as long as the MAC is computed, so that it needs one call. */
        memcpy(received, end, sizeof received);
        write_be32(end, (uint32_t)(sequence >> 32));
        computed = sa->mac->compute(sa->mac, packet, authenticated + ESN_HIGH_BYTES, tag);
        memcpy(end, received, sizeof received);
    } else {
        computed = sa->mac->compute(sa->mac, packet, authenticated, tag);
    }
    if (!computed)
        return ESP_LIBRARY_FAILED;
    if (!equal_constant_time(tag, end, sa->icv_bytes))
        return ESP_BAD_ICV;
    if (cipher->algorithm->kind == CIPHER_CTR) {
        make_nonce(sa, iv, block);
        iv = block;
    }
    if (cipher->algorithm->kind != CIPHER_NULL && !cipher->crypt(cipher, iv, payload, body, output))
        return ESP_LIBRARY_FAILED;
    return ESP_OK;
}

/* Cuts off trailer and padding, which must be the one that RFC 4303 section 2.4 prescribes. */
static enum esp_result remove_padding(const uint8_t *body, size_t body_bytes, struct esp_inner_packet *inner)
{
    size_t pad_length = body[body_bytes - 2];
    const uint8_t *pad;

    if (pad_length + ESP_TRAILER_BYTES > body_bytes)
        return ESP_BAD_PADDING;
    inner->data = body;
    inner->length = body_bytes - ESP_TRAILER_BYTES - pad_length;
    inner->next_header = body[body_bytes - 1];
    pad = body + inner->length;
    for (size_t i = 0; i < pad_length; i++) {
        if (pad[i] != (uint8_t)(i + 1))
            return ESP_BAD_PADDING;
    }
    return ESP_OK;
}

enum esp_result esp_open(struct esp_sa *sa, uint64_t sequence, uint8_t *packet, size_t packet_bytes, uint8_t *output,
                         struct esp_inner_packet *inner)
{
    bool in_clear = sa->suite.cipher->kind == CIPHER_NULL || sa->suite.cipher->kind == CIPHER_GMAC;
    enum esp_result result;
    size_t body;

    if (packet_bytes < (size_t)sa->payload_offset + sa->padding_unit + sa->icv_bytes)
        return ESP_MALFORMED;
    body = packet_bytes - sa->payload_offset - sa->icv_bytes;
    /* RFC 4303 wants four octets of alignment; a cipher's own block is a must. Both are powers of two. */
    if ((body & (sa->padding_unit - 1)) != 0 || read_be32(packet) != sa->spi)
        return ESP_MALFORMED;
    if (sa->window != NULL && !replay_window_check(sa->window, sequence))
        return ESP_REPLAYED;
    if (sa->mac == NULL)
        result = open_combined(sa, sequence, packet, body, output);
    else
        result = open_separate(sa, sequence, packet, body, output);
    if (result == ESP_OK)
        result = remove_padding(in_clear ? packet + sa->payload_offset : output, body, inner);
    inner->sequence = sequence;
    if (sa->window != NULL && (result == ESP_OK || result == ESP_BAD_PADDING)) {
        /* An authentic packet counts as received even when what it carries is nonsense. */
        replay_window_update(sa->window, sequence);
    }
    return result;
}

enum esp_result esp_inbound(struct esp_sa *sa, uint8_t *packet, size_t packet_bytes, uint8_t *output,
                            struct esp_inner_packet *inner)
{
    uint64_t sequence;

    if (packet_bytes < ESP_HEADER_BYTES)
        return ESP_MALFORMED;
    sequence = esp_sequence_low(packet);
    if (sa->esn && sa->window != NULL)
        sequence |= (uint64_t)replay_window_infer_high(sa->window, (uint32_t)sequence) << 32;
    return esp_open(sa, sequence, packet, packet_bytes, output, inner);
}
