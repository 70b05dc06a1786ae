/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FEATURES_MAXIMUM = 1024 };

int traffic_socket(uint8_t version, int type, int protocol, struct failure *failure)
{
    int opened = socket(version == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, protocol);

    if (opened < 0)
        (void)fail(failure, FAILURE_FAILED, "no socket: %s%s", strerror(errno),
                   errno == EPERM ? "; raw sockets need CAP_NET_RAW" : "");
    return opened;
}

socklen_t traffic_socket_address(const struct traffic_address *address, uint16_t port, struct sockaddr_storage *result)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(result, 0, sizeof *result);
    if (address->version == 4) {
        memcpy(&ipv4.sin_addr, address->octets, 4);
        memcpy(result, &ipv4, sizeof ipv4);
        return sizeof ipv4;
    }
    memcpy(&ipv6.sin6_addr, address->octets, 16);
    memcpy(result, &ipv6, sizeof ipv6);
    return sizeof ipv6;
}

/* An address for messages. */
static bool fail_with_address(struct failure *failure, const char *what, const struct traffic_address *address,
                              uint16_t port)
{
    char text[INET6_ADDRSTRLEN] = "any";
    int error = errno;

    if (address->version != 0)
        (void)inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->octets, text, sizeof text);
    return fail(failure, FAILURE_FAILED, "cannot %s %s port %u: %s", what, text, port, strerror(error));
}

bool traffic_bind(int socket, uint8_t version, const struct traffic_address *address, uint16_t port,
                  struct failure *failure)
{
    struct traffic_address any = {.version = version};
    struct sockaddr_storage place;
    socklen_t length = traffic_socket_address(address->version != 0 ? address : &any, port, &place);
    int yes = 1;

    (void)setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return bind(socket, (const struct sockaddr *)&place, length) == 0 ||
           fail_with_address(failure, "bind to", address, port);
}

bool traffic_connect(int socket, const struct traffic_address *address, uint16_t port, struct failure *failure)
{
    struct sockaddr_storage place;
    socklen_t length = traffic_socket_address(address, port, &place);

    return connect(socket, (const struct sockaddr *)&place, length) == 0 ||
           fail_with_address(failure, "connect to", address, port);
}

void traffic_set_fragmentation(int socket, uint8_t version, bool dont_fragment)
{
    int ipv4 = dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
    int ipv6 = dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;

    if (version == 4)
        (void)setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &ipv4, sizeof ipv4);
    else
        (void)setsockopt(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &ipv6, sizeof ipv6);
}

void traffic_receive_nothing(int socket)
{
    struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &refuse};

    (void)setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int traffic_device(int socket, const char *device, bool *is_ethernet, struct failure *failure)
{
    struct ifreq request;
    int index;

    memset(&request, 0, sizeof request);
    if (strlen(device) >= sizeof request.ifr_name) {
        (void)fail(failure, FAILURE_USAGE, "device: '%.40s' is longer than the name of a device", device);
        return 0;
    }
    memcpy(request.ifr_name, device, strlen(device));
    index = (int)if_nametoindex(device);
    if (index == 0 || ioctl(socket, SIOCGIFHWADDR, &request) != 0) {
        (void)fail(failure, FAILURE_USAGE, "device: there is no '%s' here", device);
        return 0;
    }
    *is_ethernet = request.ifr_hwaddr.sa_family == ARPHRD_ETHER || request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
    return index;
}

/* One order of ethtool; the answer is written over it. */
static bool ask_device(int socket, const char *device, void *order)
{
    struct ifreq request;

    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, device, strlen(device));
    request.ifr_data = order;
    return ioctl(socket, SIOCETHTOOL, &request) == 0;
}

/* How many features the kernel knows; 0: it does not tell. */
static uint32_t count_features(int socket, const char *device)
{
    struct ethtool_sset_info *set = calloc(1, sizeof *set + sizeof(uint32_t));
    uint32_t count = 0;

    if (set == NULL)
        return 0;
    set->cmd = ETHTOOL_GSSET_INFO;
    set->sset_mask = UINT64_C(1) << ETH_SS_FEATURES;
    if (ask_device(socket, device, set) && set->sset_mask != 0)
        count = set->data[0];
    free(set);
    return count <= FEATURES_MAXIMUM ? count : 0;
}

/* The number of a feature, by its name; -1 when the kernel does not know it. */
static int feature_number(int socket, const char *device, const char *name, uint32_t count)
{
    struct ethtool_gstrings *strings = calloc(1, sizeof *strings + (size_t)count * ETH_GSTRING_LEN);
    int number = -1;

    if (strings == NULL)
        return -1;
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_FEATURES;
    strings->len = count;
    if (ask_device(socket, device, strings)) {
        for (uint32_t i = 0; i < strings->len && i < count && number < 0; i++) {
            if (strncmp((const char *)strings->data + (size_t)i * ETH_GSTRING_LEN, name, ETH_GSTRING_LEN) == 0)
                number = (int)i;
        }
    }
    free(strings);
    return number;
}

bool traffic_device_cuts_udp(int socket, const char *device)
{
    uint32_t count = count_features(socket, device), blocks = (count + 31) / 32;
    int number = feature_number(socket, device, "tx-udp-segmentation", count);
    struct ethtool_gfeatures *features;
    bool active;

    if (number < 0)
        return false;
    features = calloc(1, sizeof *features + blocks * sizeof features->features[0]);
    if (features == NULL)
        return false;
    features->cmd = ETHTOOL_GFEATURES;
    features->size = blocks;
    active = ask_device(socket, device, features) && (features->features[number / 32].active >> (number % 32) & 1) != 0;
    free(features);
    return active;
}

bool traffic_allocate_payloads(const struct packet_sequence *sequence, uint32_t messages,
                               uint8_t *payloads[SIZE_CLASSES_MAXIMUM][MESSAGES_MAXIMUM], struct failure *failure)
{
    for (uint32_t i = 0; i < sequence->class_count; i++) {
        size_t bytes = (size_t)(sequence->class_bytes[i] - sequence->header_bytes) * sequence->packets.segments;

        if (bytes + sequence->header_bytes > UINT16_MAX)
            return fail(failure, FAILURE_USAGE, "segments: %u packets of %u octets are more than 64 kB",
                        sequence->packets.segments, sequence->class_bytes[i]);
        payloads[i][0] = malloc(bytes * messages);
        if (payloads[i][0] == NULL)
            return fail(failure, FAILURE_MEMORY, "no memory for %u messages", messages);
        memset(payloads[i][0], PAYLOAD_FILLER, bytes * messages);
        for (uint32_t message = 1; message < messages; message++)
            payloads[i][message] = payloads[i][0] + message * bytes;
    }
    return true;
}
