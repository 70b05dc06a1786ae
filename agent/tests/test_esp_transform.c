/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets, padding and order of checks of the ESP transform, with a cipher that changes nothing and a MAC that is easy to
 * compute by hand, so that only the transform itself is tested.
 */
#include "esp_transform.h"

#include <stdlib.h>
#include <string.h>

#include "big_endian.h"
#include "expect.h"

/* A MAC of the last octets that it was given: shows what was authenticated. */
static bool sum(struct mac *mac, const uint8_t *data, size_t length, uint8_t *tag)
{
    memset(tag, 0, mac->algorithm->mac_bytes);
    for (size_t i = 0; i < length; i++)
        tag[i % mac->algorithm->mac_bytes] = (uint8_t)(tag[i % mac->algorithm->mac_bytes] * 31 + data[i]);
    return true;
}

static void destroy(struct mac *mac)
{
    free(mac);
}

static struct mac *new_sum(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length,
                           struct failure *failure)
{
    struct mac *mac = calloc(1, sizeof *mac);

    (void)key;
    (void)key_length;
    (void)failure;
    if (mac == NULL)
        abort();
    mac->algorithm = algorithm;
    mac->compute = sum;
    mac->destroy = destroy;
    return mac;
}

/* Every cipher is the identity. */
static struct cipher *new_identity(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                   struct failure *failure)
{
    (void)key;
    (void)encrypt;
    return new_null_cipher(algorithm, failure);
}

static const struct symmetric_provider identity = {.name = "identity", .new_cipher = new_identity, .new_mac = new_sum};

static void create(struct esp_sa *sa, const char *cipher, bool outbound, bool esn)
{
    static const uint8_t keys[KEY_BYTES_MAXIMUM];
    struct esp_sa_parameters parameters = {
        .suite = {cipher_algorithm_find(cipher), mac_algorithm_find("sha1")},
        .outbound = outbound,
        .spi = 0x01020304,
        .esn = esn,
        .replay_window_packets = 64,
        .encryption_key = keys,
        .integrity_key = keys,
    };
    struct failure failure;

    EXPECT(esp_sa_create(sa, &identity, &parameters, &failure));
}

static void pads(const char *cipher, size_t unit)
{
    static const uint8_t iv[IV_BYTES_MAXIMUM] = {0xa0, 0xa1, 0xa2};
    struct esp_sa outbound, inbound;

    create(&outbound, cipher, true, false);
    create(&inbound, cipher, false, false);
    for (size_t inner = 0; inner <= 70; inner++) {
        uint8_t packet[256], output[256];
        struct esp_inner_packet opened;
        size_t length, pad;

        memset(packet, 0xEE, sizeof packet);
        for (size_t i = 0; i < inner; i++)
            packet[outbound.payload_offset + i] = (uint8_t)(0x80 + i);
        EXPECT(esp_seal(&outbound, inner + 1, iv, packet, inner, 4, &length) == ESP_OK);
        EXPECT(length == esp_packet_bytes(&outbound.suite, inner));
        EXPECT((length - outbound.payload_offset - outbound.icv_bytes) % unit == 0);
        EXPECT(packet[length] == 0xEE);
        EXPECT(read_be32(packet) == 0x01020304 && read_be32(packet + 4) == inner + 1);
        EXPECT(memcmp(packet + ESP_HEADER_BYTES, iv, outbound.payload_offset - ESP_HEADER_BYTES) == 0);
        pad = packet[length - outbound.icv_bytes - 2];
        EXPECT(pad < unit && packet[length - outbound.icv_bytes - 1] == 4);
        for (size_t i = 0; i < pad; i++)
            EXPECT(packet[outbound.payload_offset + inner + i] == i + 1);
        EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_OK);
        EXPECT(opened.length == inner && opened.next_header == 4 && opened.sequence == inner + 1);
        EXPECT(memcmp(opened.data, packet + outbound.payload_offset, inner) == 0);
    }
    esp_sa_destroy(&outbound);
    esp_sa_destroy(&inbound);
}

/* Gives a packet whose payload was changed the ICV that belongs to it. */
static void sign(const struct esp_sa *sa, uint8_t *packet, size_t length)
{
    uint8_t tag[MAC_BYTES_MAXIMUM];

    (void)sum(sa->mac, packet, length - sa->icv_bytes, tag);
    memcpy(packet + length - sa->icv_bytes, tag, sa->icv_bytes);
}

static void refuses_bad_padding(void)
{
    struct esp_sa outbound, inbound;
    uint8_t packet[128], output[128];
    struct esp_inner_packet opened;
    size_t length, trailer;

    create(&outbound, "null", true, false);
    create(&inbound, "null", false, false);
    memset(packet, 0, sizeof packet);
    EXPECT(esp_seal(&outbound, 1, NULL, packet, 9, 4, &length) == ESP_OK); /* one octet of padding */
    trailer = length - outbound.icv_bytes - 2;
    packet[trailer - 1] = 2;
    sign(&outbound, packet, length);
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_BAD_PADDING);
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_REPLAYED);
    packet[7] = 2;
    packet[trailer] = 11; /* more than there is: 12 octets with the trailer */
    sign(&outbound, packet, length);
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_BAD_PADDING);
    packet[7] = 3;
    packet[trailer] = 255;
    sign(&outbound, packet, length);
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_BAD_PADDING);
    packet[7] = 4;
    packet[trailer] = 0;
    sign(&outbound, packet, length);
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_OK && opened.length == 10);
    esp_sa_destroy(&outbound);
    esp_sa_destroy(&inbound);
}

static void refuses_what_is_no_packet(void)
{
    struct esp_sa inbound;
    uint8_t packet[64] = {1, 2, 3, 4, 0, 0, 0, 1}, output[64];
    struct esp_inner_packet opened;

    create(&inbound, "aes128", false, false);
    for (size_t length = 0; length < 8 + 16 + 16 + 12; length++)
        EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_MALFORMED);
    EXPECT(esp_inbound(&inbound, packet, 52, output, &opened) == ESP_BAD_ICV);
    EXPECT(esp_inbound(&inbound, packet, 53, output, &opened) == ESP_MALFORMED);
    packet[0] = 9;
    EXPECT(esp_inbound(&inbound, packet, 52, output, &opened) == ESP_MALFORMED);
    esp_sa_destroy(&inbound);
}

/* A forged packet moves nothing: neither the window nor the packet. */
static void checks_before_it_updates(void)
{
    struct esp_sa outbound, inbound;
    uint8_t packet[128], before[128], output[128];
    struct esp_inner_packet opened;
    size_t length;

    create(&outbound, "null", true, true);
    create(&inbound, "null", false, true);
    memset(packet, 0, sizeof packet);
    EXPECT(esp_seal(&outbound, 1000, NULL, packet, 10, 4, &length) == ESP_OK);
    memcpy(before, packet, sizeof before);
    packet[20] ^= 1;
    EXPECT(esp_inbound(&inbound, packet, length, output, &opened) == ESP_BAD_ICV);
    EXPECT(inbound.window->top == 0);
    packet[20] ^= 1;
    EXPECT(memcmp(before, packet, sizeof before) == 0);
    EXPECT(esp_open(&inbound, 1000 | (uint64_t)1 << 32, packet, length, output, &opened) == ESP_BAD_ICV);
    EXPECT(esp_open(&inbound, 1000, packet, length, output, &opened) == ESP_OK);
    EXPECT(inbound.window->top == 1000);
    EXPECT(memcmp(before, packet, sizeof before) == 0);
    esp_sa_destroy(&outbound);
    esp_sa_destroy(&inbound);
}

static void refuses_to_cycle(void)
{
    struct esp_sa sa;
    uint8_t packet[128] = {0};
    size_t length;

    create(&sa, "null", true, false);
    sa.sequence = UINT32_MAX - 1;
    EXPECT(esp_outbound(&sa, packet, 10, 4, &length) == ESP_OK);
    EXPECT(esp_outbound(&sa, packet, 10, 4, &length) == ESP_SEQUENCE_OVERFLOW);
    esp_sa_destroy(&sa);
    create(&sa, "null", true, true);
    sa.sequence = UINT32_MAX;
    EXPECT(esp_outbound(&sa, packet, 10, 4, &length) == ESP_OK && read_be32(packet + 4) == 0);
    sa.sequence = UINT64_MAX;
    EXPECT(esp_outbound(&sa, packet, 10, 4, &length) == ESP_SEQUENCE_OVERFLOW);
    esp_sa_destroy(&sa);
}

static void knows_its_suites(void)
{
    char name[64];
    size_t separate = 0;

    for (size_t i = 0; i < cipher_algorithm_count; i++)
        separate += !cipher_is_combined(&cipher_algorithms[i]);
    EXPECT(esp_suite_count() == separate * mac_algorithm_count + cipher_algorithm_count - separate);
    for (size_t i = 0; i < esp_suite_count(); i++) {
        struct esp_suite suite = esp_suite_at(i);

        EXPECT(suite.cipher != NULL && (suite.mac == NULL) == cipher_is_combined(suite.cipher));
        esp_suite_name(&suite, name, sizeof name);
        EXPECT((strchr(name, '-') == NULL) == (suite.mac == NULL));
    }
    EXPECT(esp_suite_at(esp_suite_count()).cipher == NULL);
}

int main(void)
{
    pads("null", 4);
    pads("aes128ctr", 4);
    pads("3des", 8);
    pads("aes128", 16);
    refuses_bad_padding();
    refuses_what_is_no_packet();
    checks_before_it_updates();
    refuses_to_cycle();
    knows_its_suites();
    return expect_summary("ESP transform");
}
