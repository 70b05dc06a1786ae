/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
