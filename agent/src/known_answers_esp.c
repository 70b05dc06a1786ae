/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known answers of the ESP transform: whole packets of others (DPDK's, under BSD-3-Clause, copyright 2021 Marvell; RFC
 * 7634; draft-mcgrew-gcm-test-01) for the suites that have one, and for every suite a packet of its own that goes there
 * and back, is refused when it was changed, and is refused the second time.
 */
#include <string.h>

#include "big_endian.h"
#include "known_answers.h"
#include "packet_compute.h"
#include "test_octets.h"

/*
 * Suite, KEYMAT (key, then salt), integrity key, upper half of the sequence number (with ESN), packet from SPI to ICV.
 * What is in the packet is not told: its ICV says whether it was opened with the right keys, the known answers of the
 * cipher say that it was decrypted, and sealing the result again must give the same packet.
 */
static const char packet_answers[] =
    /* DPDK pkt_aes_128_gcm */
    "\x0b" "aes128gcm16"
    "\x14" "\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08\xca\xfe\xba\xbe"
    "\x00"
    "\x00"
    "\x60" "\x00\x00\xa5\xf8\x00\x00\x00\x01\xfa\xce\xdb\xad\xde\xca\xf8\x88\xde\xb2\x2c\xd9\xb0\x7c\x72\xc1\x6e"
           "\x3a\x65\xbe\xeb\x8d\xf3\x04\xa5\xa5\x89\x7d\x33\xae\x53\x0f\x1b\xa7\x6d\x5d\x11\x4d\x2a\x5c\x3d\xe8"
           "\x18\x27\xc1\x0e\x9a\x4f\x51\x33\x0d\x0e\xec\x41\x66\x42\xcf\xbb\x85\xa5\xb4\x7e\x48\xa4\xec\x3b\x9b"
           "\xa9\x5d\x91\x8b\xd4\x29\xc7\x37\x57\x9f\xf1\x9e\x58\xcf\xfc\x60\x7a\x3b\xce\x89\x94"
    /* DPDK pkt_aes_256_gcm */
    "\x0b" "aes256gcm16"
    "\x24" "\xab\xbc\xcd\xde\xf0\x01\x12\x23\x34\x45\x56\x67\x78\x89\x9a\xab\xab\xbc\xcd\xde\xf0\x01\x12\x23\x34"
           "\x45\x56\x67\x78\x89\x9a\xab\x11\x22\x33\x44"
    "\x00"
    "\x00"
    "\x54" "\x4a\x2c\xbf\xe3\x00\x00\x00\x01\x01\x02\x03\x04\x05\x06\x07\x08\xff\x42\x5c\x9b\x72\x45\x99\xdf\x7a"
           "\x3b\xcd\x51\x01\x94\xe0\x0d\x6a\x78\x10\x7f\x1b\x0b\x1c\xbf\x06\xef\xae\x9d\x65\xa5\xd7\x63\x74\x8a"
           "\x63\x79\x85\x77\x1d\x34\x7f\x05\x45\x65\x9f\x14\xe9\x9d\xef\x84\x2d\x8b\x00\x14\x4a\x1f\xec\x6a\xdf"
           "\x0c\x9a\x92\x7f\xee\xa6\xc5\x11\x60"
    /* DPDK pkt_aes_256_ccm */
    "\x0b" "aes256ccm16"
    "\x23" "\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f\x70\x61\x62\x63\x64\x61\x62\x63\x64\x65"
           "\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"
    "\x00"
    "\x00"
    "\x50" "\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02\x58\xbb\x81\xb4\x12\x67\x79\x79\x9a\xcb\xc5\x94"
           "\xf9\xa3\x95\xac\x06\x8b\xee\x20\x69\xe8\xd9\x4a\xc2\xaa\xa0\xd4\xee\xf6\xae\x08\xf8\x3f\xe6\x88\x1f"
           "\x5c\xd7\x8d\x9d\x30\x02\x36\xea\x10\x5b\xb0\x30\x97\xbf\xfa\x89\x36\x53\x96\xd7\x43\x8c\x4d\x87\xfd"
           "\x8e\x45\x49\x34\x80"
    /* DPDK pkt_aes_128_cbc_md5 */
    "\x0a" "aes128-md5"
    "\x10" "\x00\x04\x05\x01\x23\x00\x00\x00\x00\x00\x0a\x0b\x0c\x0f\x00\x00"
    "\x10" "\x00\x10\x00\x00\x00\x00\x00\x02\x10\x30\x40\x00\x01\x02\x03\x04"
    "\x00"
    "\x64" "\x00\x00\x00\x3c\x00\x00\x00\x01\x34\x12\x67\x45\xff\xff\x00\x00\x20\xbf\xe8\x39\x00\x00\x00\x00\x67"
           "\xb5\x46\x6e\x78\x17\xd3\x5a\xac\x62\x62\x62\xb0\x57\x9b\x09\x19\x4f\x06\x59\xc8\xb0\x30\x65\x1f\x45"
           "\x57\x41\x72\x17\x28\xe9\xad\x50\xbe\x44\x1d\x2d\x9a\xd0\x48\x75\x0d\x1c\x8d\x24\xa8\x6f\x6b\x24\xb6"
           "\x5d\x43\x1e\x55\xf0\xf7\x14\x1f\xf2\x61\xd4\xe0\x30\xff\xd7\x3f\xb4\x7c\x30\xdb\xeb\xf3\x95\xbf\xcd"
    /* DPDK pkt_aes_128_cbc_hmac_sha256 */
    "\x0d" "aes128-sha256"
    "\x10" "\x00\x04\x05\x01\x23\x00\x00\x00\x00\x00\x0a\x0b\x0c\x0f\x00\x00"
    "\x20" "\xde\x34\x56\x00\x00\x00\x78\x00\x00\x10\x00\x00\x00\x00\x00\x02\x10\x30\x40\x00\x01\x02\x03\x04\x0a"
           "\x0b\x0c\x0d\x05\x06\x07\x08"
    "\x00"
    "\x68" "\x00\x00\x00\x34\x00\x00\x00\x01\x34\x12\x67\x45\xff\xff\x00\x00\x20\xbf\xe8\x39\x00\x00\x00\x00\x67"
           "\xb5\x46\x6e\x78\x17\xd3\x5a\xac\x62\x62\x62\xb0\x57\x9b\x09\x19\x4f\x06\x59\xc8\xb0\x30\x65\x1f\x45"
           "\x57\x41\x72\x17\x28\xe9\xad\x50\xbe\x44\x1d\x2d\x9a\xd0\x48\x75\x0d\x1c\x8d\x24\xa8\x6f\x6b\x24\xb6"
           "\x5d\x43\x1e\x55\xf0\xf7\x14\x1f\xf2\x61\xd4\xe0\x30\x16\xbe\x1b\x5c\xcc\xb7\x66\x1c\x47\xad\x07\x6c"
           "\xd5\xcb\xce\x6c"
    /* DPDK pkt_3des_cbc_hmac_sha256 */
    "\x0b" "3des-sha256"
    "\x18" "\xe4\x23\x33\x8a\x35\x64\x61\xe2\x49\x03\xdd\xc6\xb8\xca\x55\x7a\x00\x04\x05\x01\x23\x00\x00\x00"
    "\x20" "\xde\x34\x56\x00\x00\x00\x78\x00\x00\x10\x00\x00\x00\x00\x00\x02\x10\x30\x40\x00\x01\x02\x03\x04\x0a"
           "\x0b\x0c\x0d\x05\x06\x07\x08"
    "\x00"
    "\x58" "\x00\x00\x00\x34\x00\x00\x00\x01\x34\x12\x67\x45\xff\xff\x00\x00\x45\x2a\x7d\xe8\x96\x8b\x6e\x9f\x8e"
           "\xa8\x87\xf6\x12\x41\x61\x6e\x42\xae\xd4\x71\x2a\x7d\xde\x46\x24\xa7\xc8\xd1\x8a\x78\x5f\xb8\xb1\x43"
           "\xec\x3b\x95\x9c\x54\x7b\x0c\x47\x80\xfb\xff\x18\x54\x87\x16\x22\x88\x06\xcf\xfd\xf6\x01\x02\x58\x94"
           "\x34\xc9\xbc\xea\xb8\xc9\x75\xf6\xc4\x8b\x46\x69\x3c"
    /* DPDK pkt_aes_128_ctr_hmac_sha256 */
    "\x10" "aes128ctr-sha256"
    "\x14" "\x43\x39\x31\x4b\x55\x52\x39\x47\x59\x4d\x6d\x35\x47\x66\x6b\x45\xde\xad\xbe\xef"
    "\x20" "\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f\x70\x61\x62\x63\x64\x61\x62\x63\x64\x65"
           "\x66\x67\x68\x69\x6a\x6b\x6c"
    "\x00"
    "\x64" "\x00\x00\x00\x64\x00\x00\x00\x01\x6c\x02\x5c\x41\xd5\x18\xe5\xf9\x87\xf0\x07\x54\xa2\x66\x28\x6e\x2c"
           "\xb4\xf9\x9a\x2d\xc7\x42\x36\x11\xe7\x63\x38\xd9\xd2\x6e\x45\x9c\x7c\xb5\x4b\xc7\x78\x81\x49\x73\xc7"
           "\x13\x44\xa7\x77\xb4\x56\xc6\xc7\xbd\x77\x7b\xfd\x3c\x67\x38\xca\xb5\x2b\x67\xdb\xdf\xcb\x24\x5d\xa2"
           "\xae\xd2\x15\x99\x39\x20\x70\xcf\x7b\xee\x17\x05\xcf\x4a\xc5\xd0\x44\xc9\x81\xdc\xcb\xdd\xbc\x7c\x2f"
    /* DPDK pkt_null_aes_xcbc */
    "\x0c" "null-aesxcbc"
    "\x00"
    "\x10" "\x61\x31\x62\x32\x63\x33\x64\x34\x65\x35\x66\x36\x67\x37\x68\x38"
    "\x00"
    "\x48" "\x00\x00\x01\x00\x00\x00\x00\x01\x45\x00\x00\x2f\x49\x37\x00\x00\x40\x11\x22\x84\x0d\x00\x00\x02\x02"
           "\x00\x00\x02\x08\x00\x08\x00\x00\x1b\x6d\x99\x58\x58\x58\x58\x58\x58\x58\x58\x58\x58\x58\x58\x58\x58"
           "\x58\x58\x58\x58\x58\x01\x02\x03\x03\x04\xf1\x52\x64\xd1\x9b\x62\x24\xdd\xcc\x14\xf5\xc1"
    /* RFC 7634 appendix A */
    "\x10" "chacha20poly1305"
    "\x24" "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98"
           "\x99\x9a\x9b\x9c\x9d\x9e\x9f\xa0\xa1\xa2\xa3"
    "\x00"
    "\x00"
    "\x78" "\x01\x02\x03\x04\x00\x00\x00\x05\x10\x11\x12\x13\x14\x15\x16\x17\x24\x03\x94\x28\xb9\x7f\x41\x7e\x3c"
           "\x13\x75\x3a\x4f\x05\x08\x7b\x67\xc3\x52\xe6\xa7\xfa\xb1\xb9\x82\xd4\x66\xef\x40\x7a\xe5\xc6\x14\xee"
           "\x80\x99\xd5\x28\x44\xeb\x61\xaa\x95\xdf\xab\x4c\x02\xf7\x2a\xa7\x1e\x7c\x4c\x4f\x64\xc9\xbe\xfe\x2f"
           "\xac\xc6\x38\xe8\xf3\xcb\xec\x16\x3f\xac\x46\x9b\x50\x27\x73\xf6\xfb\x94\xe6\x64\xda\x91\x65\xb8\x28"
           "\x29\xf6\x41\xe0\x76\xaa\xa8\x26\x6b\x7f\xb0\xf7\xb1\x1b\x36\x99\x07\xe1\xad\x43"
    /* draft-mcgrew-gcm-test-01 section 4, case 1 (ESN) */
    "\x0b" "aes128gcm16"
    "\x14" "\x4c\x80\xcd\xef\xbb\x5d\x10\xda\x90\x6a\xc7\x3c\x36\x13\xa6\x34\x2e\x44\x3b\x68"
    "\x00"
    "\x04" "\x87\x65\x43\x21"
    "\x68" "\x00\x00\x43\x21\x00\x00\x00\x00\x49\x56\xed\x7e\x3b\x24\x4c\xfe\xfe\xcf\x53\x7e\x72\x9d\x5b\x07\xdc"
           "\x30\xdf\x52\x8d\xd2\x2b\x76\x8d\x1b\x98\x73\x66\x96\xa6\xfd\x34\x85\x09\xfa\x13\xce\xac\x34\xcf\xa2"
           "\x43\x6f\x14\xa3\xf3\xcf\x65\x92\x5b\xf1\xf4\xa1\x3c\x5d\x15\xb2\x1e\x18\x84\xf5\xff\x62\x47\xae\xab"
           "\xb7\x86\xb9\x3b\xce\x61\xbc\x17\xd7\x68\xfd\x97\x32\x45\x90\x18\x14\x8f\x6c\xbe\x72\x2f\xd0\x47\x96"
           "\x56\x2d\xfd\xb4";

enum { INNER_BYTES = 61, PACKET_BYTES_MAXIMUM = 256, WINDOW_PACKETS = 64 };

static bool wrong(const struct esp_suite *suite, const char *what, struct failure *failure)
{
    char name[NAME_BYTES];

    esp_suite_name(suite, name, sizeof name);
    return fail(failure, FAILURE_KNOWN_ANSWER, "%s: the ESP transform gives a wrong answer (%s)", name, what);
}

/* Makes the two ends of an SA; on failure neither is left. */
static bool create_pair(const struct symmetric_provider *provider, struct esp_sa_parameters *parameters,
                        struct esp_sa *outbound, struct esp_sa *inbound, struct failure *failure)
{
    parameters->outbound = true;
    if (!esp_sa_create(outbound, provider, parameters, failure))
        return false;
    parameters->outbound = false;
    parameters->replay_window_packets = WINDOW_PACKETS;
    if (esp_sa_create(inbound, provider, parameters, failure))
        return true;
    esp_sa_destroy(outbound);
    return false;
}

static bool same_packet(struct esp_sa *outbound, struct esp_sa *inbound, uint64_t sequence,
                        const struct octets *answer)
{
    uint8_t packet[PACKET_BYTES_MAXIMUM + ESP_OVERHEAD_MAXIMUM], output[PACKET_BYTES_MAXIMUM];
    struct esp_inner_packet opened;
    size_t length;

    memcpy(packet, answer->data, answer->length);
    if (esp_open(inbound, sequence, packet, answer->length, output, &opened) != ESP_OK)
        return false;
    memmove(packet + outbound->payload_offset, opened.data, opened.length); /* NULL: it lies there */
    return esp_seal(outbound, sequence, answer->data + ESP_HEADER_BYTES, packet, opened.length, opened.next_header,
                    &length) == ESP_OK &&
           length == answer->length && memcmp(packet, answer->data, length) == 0;
}

static bool check_packets(const struct symmetric_provider *provider, const struct esp_suite *suite,
                          struct failure *failure)
{
    const char *cursor = packet_answers;
    char name[NAME_BYTES], answered[NAME_BYTES];
    struct octets fields[4];

    esp_suite_name(suite, name, sizeof name);
    while (next_answer(&cursor, answered, fields, 4)) {
        const struct octets *high = &fields[2], *packet = &fields[3];
        struct esp_sa_parameters parameters = {.suite = *suite, .esn = high->length > 0};
        struct esp_sa outbound, inbound;
        uint64_t sequence;
        bool same;

        if (strcmp(answered, name) != 0)
            continue;
        parameters.encryption_key = fields[0].data;
        parameters.integrity_key = fields[1].data;
        parameters.spi = read_be32(packet->data);
        sequence = esp_sequence_low(packet->data);
        if (parameters.esn)
            sequence |= (uint64_t)read_be32(high->data) << 32;
        if (!create_pair(provider, &parameters, &outbound, &inbound, failure))
            return false;
        same = same_packet(&outbound, &inbound, sequence, packet);
        esp_sa_destroy(&outbound);
        esp_sa_destroy(&inbound);
        if (!same)
            return wrong(suite, "a packet of another implementation", failure);
    }
    return true;
}

static const char *there_and_back(struct esp_sa *outbound, struct esp_sa *inbound)
{
    uint8_t inner[INNER_BYTES], packet[PACKET_BYTES_MAXIMUM], output[PACKET_BYTES_MAXIMUM];
    struct esp_inner_packet opened;
    size_t length;

    fill_test_octets(inner, sizeof inner, 0x696e);
    memcpy(packet + outbound->payload_offset, inner, sizeof inner);
    if (esp_outbound(outbound, packet, sizeof inner, 4, &length) != ESP_OK ||
        length != esp_packet_bytes(&outbound->suite, sizeof inner))
        return "sealing";
    /* One bit of the payload, of the ICV, and of the header's SPI-bound part in turn. */
    packet[outbound->payload_offset + 1] ^= 0x10;
    if (esp_inbound(inbound, packet, length, output, &opened) != ESP_BAD_ICV)
        return "a changed payload is accepted";
    packet[outbound->payload_offset + 1] ^= 0x10;
    packet[length - 1] ^= 0x01;
    if (esp_inbound(inbound, packet, length, output, &opened) != ESP_BAD_ICV)
        return "a changed ICV is accepted";
    packet[length - 1] ^= 0x01;
    packet[7] ^= 0x02; /* the sequence number */
    if (esp_inbound(inbound, packet, length, output, &opened) != ESP_BAD_ICV)
        return "a changed sequence number is accepted";
    packet[7] ^= 0x02;
    if (esp_inbound(inbound, packet, length, output, &opened) != ESP_OK || opened.length != sizeof inner ||
        memcmp(opened.data, inner, sizeof inner) != 0 || opened.next_header != 4)
        return "opening";
    if (esp_inbound(inbound, packet, length, output, &opened) != ESP_REPLAYED)
        return "a replayed packet is accepted";
    return NULL;
}

static bool check_there_and_back(const struct symmetric_provider *provider, const struct esp_suite *suite, bool esn,
                                 struct failure *failure)
{
    uint8_t encryption_key[KEY_BYTES_MAXIMUM], integrity_key[KEY_BYTES_MAXIMUM];
    struct esp_sa_parameters parameters = {.suite = *suite, .spi = 0x12345678, .esn = esn};
    struct iv_source iv_source;
    struct esp_sa outbound, inbound;
    const char *problem;

    fill_test_octets(encryption_key, sizeof encryption_key, 0x656b6579);
    fill_test_octets(integrity_key, sizeof integrity_key, 0x616b6579);
    parameters.encryption_key = encryption_key;
    parameters.integrity_key = integrity_key;
    parameters.iv_source = &iv_source;
    if (!create_pair(provider, &parameters, &outbound, &inbound, failure))
        return false;
    if (suite->cipher->kind == CIPHER_CBC && !iv_source_create(&iv_source, provider, integrity_key, failure)) {
        esp_sa_destroy(&outbound);
        esp_sa_destroy(&inbound);
        return false;
    }
    if (esn) {
        /* Both ends have seen 2^33 packets: the upper half is inferred, and is not zero. */
        outbound.sequence = (uint64_t)1 << 33;
        replay_window_reset(inbound.window, outbound.sequence);
    }
    problem = there_and_back(&outbound, &inbound);
    esp_sa_destroy(&outbound);
    esp_sa_destroy(&inbound);
    if (suite->cipher->kind == CIPHER_CBC)
        iv_source_destroy(&iv_source);
    return problem == NULL || wrong(suite, problem, failure);
}

bool known_answers_suite(const struct symmetric_provider *provider, const struct esp_suite *suite,
                         struct failure *failure)
{
    return check_packets(provider, suite, failure) && check_there_and_back(provider, suite, false, failure) &&
           check_there_and_back(provider, suite, true, failure);
}
