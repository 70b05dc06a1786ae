/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: packets as they come from a TUN device and from sockets, over SAs of several modes and suites. The
 * device is a socket pair, the sockets are on the loopback; the worker's own functions are called, without its thread.
 *
 * The first octet chooses: which way, which SA, and whether the packet is authentic (sealed here, so that what is
 * inside is reached at all). The second is a traffic class. With the third and fourth, packets from the device get a
 * segment size.
 *
 *     make -C agent fuzz CLANG=clang && agent/build/fuzz-plane -max_len=4096
 */
#define _GNU_SOURCE /* MSG_DONTWAIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "big_endian.h"
#include "esp_plane_orders.h"
#include "vnet_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAS = 4, INBOUND_SPI = 0x1000, OUTBOUND_SPI = 0x2000 };

static struct plane plane;
static int device[2], wire[2]; /* [0] is the worker's end */
static struct esp_sa sealers[SAS];
static uint8_t packet[TUN_BUFFER_BYTES + ESP_OVERHEAD_MAXIMUM];

static const char *const suites[SAS] = {"aes128gcm16", "null-sha1", "aes128-sha256", "chacha20poly1305"};
static const char *const modes[SAS] = {"\"tunnel\"", "\"transport\"", "\"transport\", \"layering\": \"gre\"", "\"tunnel\""};
static const unsigned key_octets[SAS] = {20, 0, 16, 36}, integrity_octets[SAS] = {0, 20, 32, 0};

static void order(const char *text)
{
    static FILE *nowhere;
    char line[2048];

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL)
        abort();
    (void)snprintf(line, sizeof line, "%s", text);
    plane_answer_line(&plane, nowhere, line, strlen(line));
}

static void add_sa(unsigned number, bool outbound)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000000000000000";
    char text[1024];

    (void)snprintf(text, sizeof text,
                   "{\"id\": 1, \"command\": \"add-sa\", \"direction\": \"%s\", \"spi\": %u, \"reqid\": %u, \"suite\": \"%s\", "
                   "\"encryption_key\": \"%.*s\", \"integrity_key\": \"%.*s\", \"mode\": %s, \"source\": \"127.0.0.1\", "
                   "\"destination\": \"127.0.0.1\", \"replay_window_packets\": 0, \"path_mtu_bytes\": 600, "
                   "\"encapsulation\": {\"source_port\": 1, \"destination_port\": 1}}",
                   outbound ? "outbound" : "inbound", (outbound ? OUTBOUND_SPI : INBOUND_SPI) + number, number + 1,
                   suites[number], (int)key_octets[number] * 2, zeros, (int)integrity_octets[number] * 2, zeros,
                   modes[number]);
    order(text);
}

/* Everything to everywhere, by the SA that the last octet of the destination chooses. */
static void add_policies(const char *direction)
{
    char text[1024];

    for (unsigned i = 0; i < SAS; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"id\": 1, \"command\": \"add-policy\", \"direction\": \"%s\", \"action\": \"protect\", \"reqid\": %u, "
                       "\"selectors\": [{\"source\": {\"version\": 4, \"start\": \"0.0.0.0\", \"end\": \"255.255.255.255\"}, "
                       "\"destination\": {\"version\": 4, \"start\": \"%u.0.0.0\", \"end\": \"%u.255.255.255\"}}, "
                       "{\"source\": {\"version\": 6, \"start\": \"::\", \"end\": \"ffff::\"}, "
                       "\"destination\": {\"version\": 6, \"start\": \"%x::\", \"end\": \"%x::\"}}]}",
                       direction, i + 1, i * 64, i * 64 + 63, i * 0x4000, i * 0x4000 + 0x3fff);
        order(text);
    }
}

/* UDP on the loopback, because the source of a datagram is looked at. */
static void make_wire(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    wire[0] = socket(AF_INET, SOCK_DGRAM, 0);
    wire[1] = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(wire[0], (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(wire[0], (struct sockaddr *)&address, &length) != 0 ||
        connect(wire[1], (struct sockaddr *)&address, sizeof address) != 0)
        abort();
}

static void begin(void)
{
    static const uint8_t zeros[64];
    char text[256];
    struct failure failure;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, device) != 0)
        abort();
    make_wire();
    (void)pthread_mutex_init(&plane.gate, NULL);
    (void)snprintf(text, sizeof text,
                   "{\"id\": 1, \"command\": \"open\", \"queues\": [{\"tun\": %d}], \"vnet_header\": true, "
                   "\"provider\": \"libcrypto\"}", device[0]);
    order(text);
    if (!plane.opened)
        abort();
    /* The thread is stopped: its functions are called from here. */
    atomic_store(&plane.stopping, true);
    (void)!write(plane.workers[0]->wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)pthread_join(plane.workers[0]->thread, NULL);
    plane.workers[0]->queue.sockets[SOCKET_UDP4] = wire[0];
    plane.workers[0]->send_sockets[SOCKET_UDP4] = wire[0];
    for (unsigned i = 0; i < SAS; i++) {
        struct esp_sa_parameters parameters = {.outbound = true, .spi = INBOUND_SPI + i, .encryption_key = zeros,
                                               .integrity_key = zeros, .iv_source = &plane.workers[0]->iv_source};

        add_sa(i, false);
        add_sa(i, true);
        for (size_t row = 0; row < esp_suite_count(); row++) {
            char name[NAME_BYTES];

            parameters.suite = esp_suite_at(row);
            esp_suite_name(&parameters.suite, name, sizeof name);
            if (strcmp(name, suites[i]) == 0)
                break;
        }
        if (!esp_sa_create(&sealers[i], &symmetric_libcrypto, &parameters, &failure))
            abort();
    }
    add_policies("inbound");
    add_policies("outbound");
    if (plane.sas.count != 2 * SAS || plane.policies[true].first == NULL)
        abort();
}

/* What the worker wrote is of no interest here; it must not fill a buffer either. */
static void drain(int descriptor)
{
    uint8_t octets[64];

    while (recv(descriptor, octets, sizeof octets, MSG_DONTWAIT | MSG_TRUNC) > 0)
        ;
}

static void from_device(const uint8_t *data, size_t size, uint8_t kind)
{
    struct vnet_header vnet = {.segment_bytes = (uint16_t)(data[0] << 8 | data[1])};

    vnet.gso_type = kind >> 3 & 7;
    vnet.flags = kind >> 6 & 1;
    vnet.checksum_start = data[0];
    vnet.checksum_offset = data[1] & 0x1F;
    memcpy(packet, &vnet, VNET_HEADER_BYTES);
    memcpy(packet + VNET_HEADER_BYTES, data + 2, size - 2);
    if (send(device[1], packet, VNET_HEADER_BYTES + size - 2, MSG_DONTWAIT) > 0)
        (void)outbound_burst(plane.workers[0]);
}

static void from_wire(const uint8_t *data, size_t size, uint8_t kind)
{
    struct esp_sa *sealer = &sealers[kind >> 1 & (SAS - 1)];
    size_t length = size;

    if ((kind & 8) != 0) {
        memcpy(packet, data, size);
    } else {
        memcpy(packet + sealer->payload_offset, data + 1, size - 1);
        if (esp_outbound(sealer, packet, size - 1, data[0] < 64 ? 4 : data[0] < 128 ? 41 : data[0], &length) != ESP_OK)
            abort();
    }
    if (send(wire[1], packet, length, MSG_DONTWAIT) > 0)
        (void)inbound_burst(plane.workers[0], SOCKET_UDP4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (plane.worker_count == 0)
        begin();
    if (size < 5 || size > 65000)
        return 0;
    if ((data[0] & 1) != 0)
        from_device(data + 2, size - 2, data[0]);
    else
        from_wire(data + 2, size - 2, data[0]);
    drain(device[1]);
    return 0;
}
