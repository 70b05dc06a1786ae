/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "esp_plane_fields.h"
#include "esp_plane_orders.h"

enum { SPI_MINIMUM = 256, PATH_MTU_MINIMUM = 68, DESCRIPTOR_MAXIMUM = 1 << 20, BUFFER_MAXIMUM_BYTES = 1 << 30 };

static const char *const in_every_order[] = {"id", "command", NULL};
static const char *const directions[] = {"inbound", "outbound", NULL};
static const char *const actions[] = {"protect", "bypass", "discard", NULL};
static const char *const modes[] = {"tunnel", "transport", NULL};
static const char *const layerings[] = {"none", "gre", "ipip", NULL};
static const char *const fragment_bits[] = {"copy", "set", "clear", NULL};
static const char *const fragmentations[] = {"before", "after", NULL};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static bool read_address(const char *name, const char *text, unsigned version, struct address *address,
                         struct failure *failure)
{
    uint8_t octets[16];

    if (text == NULL || inet_pton(version == 4 ? AF_INET : AF_INET6, text, octets) != 1)
        return fail(failure, FAILURE_USAGE, "%s: '%.60s' is no IPv%u address", name, text != NULL ? text : "", version);
    *address = address_read(octets, version);
    return true;
}

/* Two addresses of one version. */
static bool read_addresses(const char *source, const char *destination, uint8_t *version, struct address *from,
                           struct address *to, struct failure *failure)
{
    *version = source != NULL && strchr(source, ':') != NULL ? 6 : 4;
    return read_address("source", source, *version, from, failure) &&
           read_address("destination", destination, *version, to, failure);
}

struct traffic_selector {
    uint8_t version, protocol;
    const char *start, *end;
    uint16_t start_port, end_port;
};

static bool read_traffic_selector(const struct json_document *document, uint32_t node,
                                  struct traffic_selector *selector, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"version", FIELD_TYPE_U8, true, offsetof(struct traffic_selector, version), 4, 6, NULL},
        {"start", FIELD_TYPE_TEXT, true, offsetof(struct traffic_selector, start), 0, 0, NULL},
        {"end", FIELD_TYPE_TEXT, true, offsetof(struct traffic_selector, end), 0, 0, NULL},
        {"protocol", FIELD_TYPE_U8, false, offsetof(struct traffic_selector, protocol), 0, UINT8_MAX, NULL},
        {"start_port", FIELD_TYPE_U16, false, offsetof(struct traffic_selector, start_port), 0, UINT16_MAX, NULL},
        {"end_port", FIELD_TYPE_U16, false, offsetof(struct traffic_selector, end_port), 0, UINT16_MAX, NULL},
    };

    memset(selector, 0, sizeof *selector);
    selector->end_port = UINT16_MAX;
    return object_read(document, node, fields, COUNT_OF(fields), NULL, selector, failure);
}

struct selector_pair {
    uint32_t source, destination;
};

static bool read_pair(const struct json_document *document, uint32_t node, struct selector *selector,
                      struct failure *failure)
{
    static const struct object_field fields[] = {
        {"source", FIELD_TYPE_NODE, true, offsetof(struct selector_pair, source), 0, 0, NULL},
        {"destination", FIELD_TYPE_NODE, true, offsetof(struct selector_pair, destination), 0, 0, NULL},
    };
    struct selector_pair pair = {0, 0};
    struct traffic_selector source, destination;

    memset(selector, 0, sizeof *selector); /* policies are compared octet by octet */
    if (!object_read(document, node, fields, COUNT_OF(fields), NULL, &pair, failure) ||
        !read_traffic_selector(document, pair.source, &source, failure) ||
        !read_traffic_selector(document, pair.destination, &destination, failure))
        return false;
    if (source.version == 5 || source.version != destination.version)
        return fail(failure, FAILURE_USAGE, "selectors: source and destination are both of IP version 4, or both of 6");
    if (source.protocol != 0 && destination.protocol != 0 && source.protocol != destination.protocol)
        return fail(failure, FAILURE_USAGE, "selectors: source and destination are of different protocols");
    selector->version = source.version;
    selector->protocol = source.protocol != 0 ? source.protocol : destination.protocol;
    selector->source_start_port = source.start_port;
    selector->source_end_port = source.end_port;
    selector->destination_start_port = destination.start_port;
    selector->destination_end_port = destination.end_port;
    return read_address("start", source.start, source.version, &selector->source_start, failure) &&
           read_address("end", source.end, source.version, &selector->source_end, failure) &&
           read_address("start", destination.start, source.version, &selector->destination_start, failure) &&
           read_address("end", destination.end, source.version, &selector->destination_end, failure);
}

static bool read_selectors(const struct json_document *document, uint32_t node, const struct selector **selectors,
                           uint32_t *count, struct failure *failure)
{
    static struct selector found[SELECTORS_MAXIMUM];
    const struct json_node *nodes = document->nodes;

    *count = 0;
    *selectors = found;
    if (node == 0)
        return true;
    if (nodes[node].type != JSON_ARRAY)
        return fail(failure, FAILURE_USAGE, "selectors: must be an array");
    for (uint32_t element = node + 1; element < nodes[node].end; element = nodes[element].end) {
        if (*count == SELECTORS_MAXIMUM)
            return fail(failure, FAILURE_USAGE, "selectors: more than %d", SELECTORS_MAXIMUM);
        if (!read_pair(document, element, &found[(*count)++], failure))
            return false;
    }
    return true;
}

struct encapsulation {
    uint16_t source_port, destination_port;
};

static bool read_encapsulation(const struct json_document *document, uint32_t node, bool *encapsulated,
                               uint16_t *source_port, uint16_t *destination_port, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"source_port", FIELD_TYPE_U16, true, offsetof(struct encapsulation, source_port), 0, UINT16_MAX, NULL},
        {"destination_port", FIELD_TYPE_U16, true, offsetof(struct encapsulation, destination_port), 0, UINT16_MAX,
         NULL},
    };
    struct encapsulation ports = {0, 0};

    *encapsulated = node != 0;
    if (node != 0 && !object_read(document, node, fields, COUNT_OF(fields), NULL, &ports, failure))
        return false;
    *source_port = ports.source_port;
    *destination_port = ports.destination_port;
    return true;
}

static bool read_limits(const struct json_document *document, uint32_t node, struct sa_limits *limits,
                        struct failure *failure)
{
    static const struct object_field fields[] = {
        {"soft_bytes", FIELD_TYPE_LIMIT, false, offsetof(struct sa_limits, soft_bytes), 0, UINT64_MAX, NULL},
        {"hard_bytes", FIELD_TYPE_LIMIT, false, offsetof(struct sa_limits, hard_bytes), 0, UINT64_MAX, NULL},
        {"soft_packets", FIELD_TYPE_LIMIT, false, offsetof(struct sa_limits, soft_packets), 0, UINT64_MAX, NULL},
        {"hard_packets", FIELD_TYPE_LIMIT, false, offsetof(struct sa_limits, hard_packets), 0, UINT64_MAX, NULL},
        {"soft_seconds", FIELD_TYPE_MS, false, offsetof(struct sa_limits, soft_ms), 0, 0, NULL},
        {"hard_seconds", FIELD_TYPE_MS, false, offsetof(struct sa_limits, hard_ms), 0, 0, NULL},
    };

    memset(limits, 0xFF, sizeof *limits);
    return node == 0 || object_read(document, node, fields, COUNT_OF(fields), NULL, limits, failure);
}

static bool check_keys(const struct sa_settings *settings, struct failure *failure)
{
    const struct cipher_algorithm *cipher = settings->suite.cipher;
    size_t encryption = (size_t)cipher->key_bytes + cipher->salt_bytes;
    size_t integrity = settings->suite.mac != NULL ? settings->suite.mac->key_bytes : 0;

    if (settings->encryption_key.length != encryption)
        return fail(failure, FAILURE_USAGE, "encryption_key: %zu octets are needed, key and salt", encryption);
    if (settings->integrity_key.length != integrity)
        return fail(failure, FAILURE_USAGE, "integrity_key: %zu octets are needed", integrity);
    return true;
}

/* What add-sa has besides the members that go straight into struct sa_settings. */
struct sa_order {
    struct sa_settings settings;
    int direction, mode, layering, dont_fragment, fragmentation;
    const char *suite, *source, *destination;
    uint32_t encapsulation, selectors, limits;
};

#define IN_ORDER(member) offsetof(struct sa_order, member)
#define IN_SETTINGS(member) (offsetof(struct sa_order, settings) + offsetof(struct sa_settings, member))

static const struct object_field sa_fields[] = {
    {"direction", FIELD_TYPE_CHOICE, true, IN_ORDER(direction), 0, 0, directions},
    {"spi", FIELD_TYPE_U32, true, IN_SETTINGS(spi), SPI_MINIMUM, UINT32_MAX, NULL},
    {"reqid", FIELD_TYPE_U32, true, IN_SETTINGS(reqid), 0, UINT32_MAX, NULL},
    {"suite", FIELD_TYPE_TEXT, true, IN_ORDER(suite), 0, 0, NULL},
    {"encryption_key", FIELD_TYPE_OCTETS, true, IN_SETTINGS(encryption_key), 0, 0, NULL},
    {"integrity_key", FIELD_TYPE_OCTETS, false, IN_SETTINGS(integrity_key), 0, 0, NULL},
    {"mode", FIELD_TYPE_CHOICE, true, IN_ORDER(mode), 0, 0, modes},
    {"source", FIELD_TYPE_TEXT, true, IN_ORDER(source), 0, 0, NULL},
    {"destination", FIELD_TYPE_TEXT, true, IN_ORDER(destination), 0, 0, NULL},
    {"esn", FIELD_TYPE_BOOL, false, IN_SETTINGS(esn), 0, 0, NULL},
    {"replay_window_packets", FIELD_TYPE_U32, false, IN_SETTINGS(replay_window_packets), 0, REPLAY_WINDOW_MAXIMUM, NULL},
    {"encapsulation", FIELD_TYPE_NODE, false, IN_ORDER(encapsulation), 0, 0, NULL},
    {"layering", FIELD_TYPE_CHOICE, false, IN_ORDER(layering), 0, 0, layerings},
    {"selectors", FIELD_TYPE_NODE, false, IN_ORDER(selectors), 0, 0, NULL},
    {"limits", FIELD_TYPE_NODE, false, IN_ORDER(limits), 0, 0, NULL},
    {"path_mtu_bytes", FIELD_TYPE_U32, false, IN_SETTINGS(path_mtu_bytes), PATH_MTU_MINIMUM, PACKET_BYTES_MAXIMUM, NULL},
    {"dont_fragment", FIELD_TYPE_CHOICE, false, IN_ORDER(dont_fragment), 0, 0, fragment_bits},
    {"fragmentation", FIELD_TYPE_CHOICE, false, IN_ORDER(fragmentation), 0, 0, fragmentations},
    {"copy_dscp", FIELD_TYPE_BOOL, false, IN_SETTINGS(copy_dscp), 0, 0, NULL},
    {"tfc_bytes", FIELD_TYPE_U32, false, IN_SETTINGS(tfc_bytes), 0, PACKET_BYTES_MAXIMUM, NULL},
    {"sequence", FIELD_TYPE_U64, false, IN_SETTINGS(sequence), 0, UINT64_MAX, NULL},
};

bool settings_read_sa(const struct json_document *document, const char *provider, struct sa_settings *settings,
                      struct failure *failure)
{
    static const uint8_t nothing[1];
    struct sa_order order;

    memset(&order, 0, sizeof order);
    order.settings.integrity_key.data = nothing;
    order.settings.encryption_key.data = nothing;
    order.settings.replay_window_packets = 64;
    order.settings.path_mtu_bytes = 1500;
    order.settings.copy_dscp = true;
    if (!object_read(document, 0, sa_fields, COUNT_OF(sa_fields), in_every_order, &order, failure))
        return false;
    *settings = order.settings;
    settings->outbound = order.direction == 1;
    settings->mode = (enum sa_mode)order.mode;
    settings->layering = (enum sa_layering)order.layering;
    settings->dont_fragment = (enum sa_fragmentation)order.dont_fragment;
    settings->fragment_after = order.fragmentation == 1;
    if (!settings->esn && settings->sequence > UINT32_MAX)
        return fail(failure, FAILURE_USAGE, "sequence: has 32 bits without esn");
    if (settings->layering != LAYERING_NONE && settings->mode != MODE_TRANSPORT)
        return fail(failure, FAILURE_USAGE, "layering: goes over transport mode only");
    return settings_find_suite(order.suite, provider, settings, failure) && check_keys(settings, failure) &&
           read_addresses(order.source, order.destination, &settings->version, &settings->source,
                          &settings->destination, failure) &&
           read_encapsulation(document, order.encapsulation, &settings->encapsulated, &settings->source_port,
                              &settings->destination_port, failure) &&
           read_limits(document, order.limits, &settings->limits, failure) &&
           read_selectors(document, order.selectors, &settings->selectors, &settings->selector_count, failure);
}

struct policy_order {
    struct policy_settings settings;
    int direction, action;
    uint32_t selectors;
};

bool settings_read_policy(const struct json_document *document, struct policy_settings *settings,
                          struct failure *failure)
{
    static const struct object_field fields[] = {
        {"direction", FIELD_TYPE_CHOICE, true, offsetof(struct policy_order, direction), 0, 0, directions},
        {"action", FIELD_TYPE_CHOICE, true, offsetof(struct policy_order, action), 0, 0, actions},
        {"reqid", FIELD_TYPE_U32, false, offsetof(struct policy_order, settings.reqid), 0, UINT32_MAX, NULL},
        {"priority", FIELD_TYPE_U32, false, offsetof(struct policy_order, settings.priority), 0, UINT32_MAX, NULL},
        {"selectors", FIELD_TYPE_NODE, true, offsetof(struct policy_order, selectors), 0, 0, NULL},
    };
    struct policy_order order = {.settings = {.priority = 1000}};

    if (!object_read(document, 0, fields, COUNT_OF(fields), in_every_order, &order, failure))
        return false;
    *settings = order.settings;
    settings->outbound = order.direction == 1;
    settings->action = (enum policy_action)order.action;
    if (!read_selectors(document, order.selectors, &settings->selectors, &settings->selector_count, failure))
        return false;
    return settings->selector_count > 0 || fail(failure, FAILURE_USAGE, "selectors: at least one pair is needed");
}

struct move_order {
    int direction;
    uint32_t spi, encapsulation;
    const char *source, *destination;
};

bool settings_read_name(const struct json_document *document, struct sa_name *name, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"direction", FIELD_TYPE_CHOICE, true, offsetof(struct move_order, direction), 0, 0, directions},
        {"spi", FIELD_TYPE_U32, true, offsetof(struct move_order, spi), 0, UINT32_MAX, NULL},
    };
    struct move_order order = {.direction = 0};

    if (!object_read(document, 0, fields, COUNT_OF(fields), in_every_order, &order, failure))
        return false;
    name->outbound = order.direction == 1;
    name->spi = order.spi;
    return true;
}

bool settings_read_move(const struct json_document *document, struct move_settings *settings, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"direction", FIELD_TYPE_CHOICE, true, offsetof(struct move_order, direction), 0, 0, directions},
        {"spi", FIELD_TYPE_U32, true, offsetof(struct move_order, spi), 0, UINT32_MAX, NULL},
        {"source", FIELD_TYPE_TEXT, true, offsetof(struct move_order, source), 0, 0, NULL},
        {"destination", FIELD_TYPE_TEXT, true, offsetof(struct move_order, destination), 0, 0, NULL},
        {"encapsulation", FIELD_TYPE_NODE, false, offsetof(struct move_order, encapsulation), 0, 0, NULL},
    };
    struct move_order order = {.direction = 0};

    memset(settings, 0, sizeof *settings);
    if (!object_read(document, 0, fields, COUNT_OF(fields), in_every_order, &order, failure))
        return false;
    settings->name.outbound = order.direction == 1;
    settings->name.spi = order.spi;
    return read_addresses(order.source, order.destination, &settings->version, &settings->source,
                          &settings->destination, failure) &&
           read_encapsulation(document, order.encapsulation, &settings->encapsulated, &settings->source_port,
                              &settings->destination_port, failure);
}

bool settings_read_nothing(const struct json_document *document, struct failure *failure)
{
    return object_read(document, 0, NULL, 0, in_every_order, NULL, failure);
}

struct queue_order {
    uint32_t descriptors[1 + SOCKET_KINDS]; /* UINT32_MAX: absent */
    uint32_t core;
};

static bool read_queue(const struct json_document *document, uint32_t node, struct queue *queue,
                       struct failure *failure)
{
    static const struct object_field fields[] = {
        {"tun", FIELD_TYPE_U32, true, offsetof(struct queue_order, descriptors[0]), 0, DESCRIPTOR_MAXIMUM, NULL},
        {"udp4", FIELD_TYPE_U32, false, offsetof(struct queue_order, descriptors[1]), 0, DESCRIPTOR_MAXIMUM, NULL},
        {"udp6", FIELD_TYPE_U32, false, offsetof(struct queue_order, descriptors[2]), 0, DESCRIPTOR_MAXIMUM, NULL},
        {"raw4", FIELD_TYPE_U32, false, offsetof(struct queue_order, descriptors[3]), 0, DESCRIPTOR_MAXIMUM, NULL},
        {"raw6", FIELD_TYPE_U32, false, offsetof(struct queue_order, descriptors[4]), 0, DESCRIPTOR_MAXIMUM, NULL},
        {"core", FIELD_TYPE_U32, false, offsetof(struct queue_order, core), 0, 8191, NULL},
    };
    struct queue_order order;

    memset(&order, 0xFF, sizeof order);
    if (!object_read(document, node, fields, COUNT_OF(fields), NULL, &order, failure))
        return false;
    queue->tun = (int)order.descriptors[0];
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        queue->sockets[kind] = order.descriptors[1 + kind] == UINT32_MAX ? -1 : (int)order.descriptors[1 + kind];
    queue->has_core = order.core != UINT32_MAX;
    queue->core = order.core;
    return true;
}

struct open_order {
    struct plane_settings settings;
    uint32_t queues;
    int64_t uid, gid;
};

bool settings_read_open(const struct json_document *document, struct plane_settings *settings, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"queues", FIELD_TYPE_NODE, true, offsetof(struct open_order, queues), 0, 0, NULL},
        {"vnet_header", FIELD_TYPE_BOOL, false, offsetof(struct open_order, settings.vnet_header), 0, 0, NULL},
        {"split_cpu", FIELD_TYPE_BOOL, false, offsetof(struct open_order, settings.split_cpu), 0, 0, NULL},
        {"provider", FIELD_TYPE_TEXT, false, offsetof(struct open_order, settings.provider), 0, 0, NULL},
        {"uid", FIELD_TYPE_U64, false, offsetof(struct open_order, uid), 0, INT32_MAX, NULL},
        {"gid", FIELD_TYPE_U64, false, offsetof(struct open_order, gid), 0, INT32_MAX, NULL},
        {"socket_buffer_bytes", FIELD_TYPE_U32, false, offsetof(struct open_order, settings.socket_buffer_bytes), 0,
         BUFFER_MAXIMUM_BYTES, NULL},
    };
    static struct open_order order;
    const struct json_node *nodes = document->nodes;

    memset(&order, 0, sizeof order);
    order.uid = order.gid = -1;
    order.settings.socket_buffer_bytes = 8 << 20;
    if (!object_read(document, 0, fields, COUNT_OF(fields), in_every_order, &order, failure))
        return false;
    *settings = order.settings;
    settings->has_uid = order.uid >= 0;
    settings->has_gid = order.gid >= 0;
    settings->uid = (uint32_t)order.uid;
    settings->gid = (uint32_t)order.gid;
    if (nodes[order.queues].type != JSON_ARRAY || order.queues == 0)
        return fail(failure, FAILURE_USAGE, "queues: must be an array");
    for (uint32_t element = order.queues + 1; element < nodes[order.queues].end; element = nodes[element].end) {
        if (settings->queue_count == QUEUES_MAXIMUM)
            return fail(failure, FAILURE_USAGE, "queues: more than %d", QUEUES_MAXIMUM);
        if (!read_queue(document, element, &settings->queues[settings->queue_count++], failure))
            return false;
    }
    return settings->queue_count > 0 || fail(failure, FAILURE_USAGE, "queues: at least one is needed");
}
