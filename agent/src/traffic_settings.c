/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic_settings.h"

#include <arpa/inet.h>

#include "esp_plane_fields.h"

enum { FIELDS_MAXIMUM_OF_A_KIND = 31, LONGEST_TRIAL_MS = 3600000 };

static const char *const source_kinds[] = {"udp", "device", "esp", "tcp", NULL};
static const char *const sink_kinds[] = {"udp", "device", "tcp", NULL};
static const char *const mixes[] = {"none", "imix-simple", NULL};
static const char *const varies[] = {"destination", "destination-port", "source", "source-port", NULL};
static const char *const transports[] = {"udp", "raw", NULL};
static const char *const packets[] = {"sealed", "forged", "malformed", "given", NULL};
static const char *const every_order[] = {"id", "command", NULL};

/* Texts that become addresses. */
struct addresses {
    const char *source, *destination, *outer_source, *outer_destination, *address;
};

struct opening {
    struct traffic_settings settings;
    struct addresses texts;
};

/* One field, and the kinds that have it. */
struct kind_field {
    unsigned kinds;
    struct object_field field;
};

#define OF(kind) (1U << (kind))
#define AT(member) offsetof(struct opening, settings.member)
#define TEXT(member) offsetof(struct opening, texts.member)

enum {
    DATAGRAMS = OF(SOURCE_UDP) | OF(SOURCE_DEVICE) | OF(SOURCE_ESP),
    SOURCES = DATAGRAMS | OF(SOURCE_TCP),
    SINKS = OF(SINK_UDP) | OF(SINK_DEVICE) | OF(SINK_TCP),
    BOUND_SINKS = OF(SINK_UDP) | OF(SINK_TCP)
};

static const struct kind_field source_fields[] = {
    {SOURCES, {"name", FIELD_TYPE_TEXT, true, AT(name), 0, 0, NULL}},
    {SOURCES, {"kind", FIELD_TYPE_CHOICE, true, AT(kind), 0, 0, source_kinds}},
    {SOURCES, {"core", FIELD_TYPE_U32, false, AT(core), 0, 8191, NULL}},
    {SOURCES, {"source", FIELD_TYPE_TEXT, false, TEXT(source), 0, 0, NULL}},
    {SOURCES, {"destination", FIELD_TYPE_TEXT, false, TEXT(destination), 0, 0, NULL}},
    {SOURCES, {"source_port", FIELD_TYPE_U16, false, AT(packets.source_port), 0, UINT16_MAX, NULL}},
    {SOURCES, {"destination_port", FIELD_TYPE_U16, false, AT(packets.destination_port), 1, UINT16_MAX, NULL}},
    {DATAGRAMS, {"size_bytes", FIELD_TYPE_U32, false, AT(packets.size_bytes), 44, 65535, NULL}},
    {DATAGRAMS, {"mix", FIELD_TYPE_CHOICE, false, AT(packets.mix), 0, 0, mixes}},
    {DATAGRAMS, {"flows", FIELD_TYPE_U32, false, AT(packets.flows), 1, FLOWS_MAXIMUM, NULL}},
    {DATAGRAMS, {"vary", FIELD_TYPE_CHOICE, false, AT(packets.vary), 0, 0, varies}},
    {DATAGRAMS, {"segments", FIELD_TYPE_U32, false, AT(packets.segments), 1, 64, NULL}},
    {DATAGRAMS, {"stream", FIELD_TYPE_U8, false, AT(packets.stream), 0, STREAM_MAXIMUM, NULL}},
    {DATAGRAMS, {"wait", FIELD_TYPE_BOOL, false, AT(wait), 0, 1, NULL}},
    {OF(SOURCE_UDP), {"dont_fragment", FIELD_TYPE_BOOL, false, AT(dont_fragment), 0, 1, NULL}},
    {OF(SOURCE_DEVICE), {"device", FIELD_TYPE_TEXT, true, AT(device), 0, 0, NULL}},
    {OF(SOURCE_DEVICE), {"mac", FIELD_TYPE_OCTETS, false, AT(mac), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"transport", FIELD_TYPE_CHOICE, true, AT(transport), 0, 0, transports}},
    {OF(SOURCE_ESP), {"packets", FIELD_TYPE_CHOICE, true, AT(esp_packets), 0, 0, packets}},
    {OF(SOURCE_ESP), {"outer_source", FIELD_TYPE_TEXT, false, TEXT(outer_source), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"outer_destination", FIELD_TYPE_TEXT, true, TEXT(outer_destination), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"outer_source_port", FIELD_TYPE_U16, false, AT(outer_source_port), 0, UINT16_MAX, NULL}},
    {OF(SOURCE_ESP), {"outer_destination_port", FIELD_TYPE_U16, false, AT(outer_destination_port), 1, UINT16_MAX, NULL}},
    {OF(SOURCE_ESP), {"spi", FIELD_TYPE_U32, false, AT(spi), 0, UINT32_MAX, NULL}},
    {OF(SOURCE_ESP), {"sequence", FIELD_TYPE_U64, false, AT(sequence), 1, UINT64_MAX - UINT32_MAX, NULL}},
    {OF(SOURCE_ESP), {"esn", FIELD_TYPE_BOOL, false, AT(esn), 0, 1, NULL}},
    {OF(SOURCE_ESP), {"suite", FIELD_TYPE_TEXT, false, AT(suite), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"encryption_key", FIELD_TYPE_OCTETS, false, AT(encryption_key), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"integrity_key", FIELD_TYPE_OCTETS, false, AT(integrity_key), 0, 0, NULL}},
    {OF(SOURCE_ESP), {"prepared_packets", FIELD_TYPE_U32, false, AT(prepared_packets), 1, 1 << 20, NULL}},
    {OF(SOURCE_ESP), {"octets", FIELD_TYPE_NODE, false, AT(given), 0, 0, NULL}},
    {OF(SOURCE_TCP), {"write_bytes", FIELD_TYPE_U32, false, AT(write_bytes), 1, 1 << 20, NULL}},
    {OF(SOURCE_TCP), {"interval_ms", FIELD_TYPE_U32, false, AT(interval_ms), 10, 60000, NULL}},
};

static const struct kind_field sink_fields[] = {
    {SINKS, {"name", FIELD_TYPE_TEXT, true, AT(name), 0, 0, NULL}},
    {SINKS, {"kind", FIELD_TYPE_CHOICE, true, AT(kind), 0, 0, sink_kinds}},
    {SINKS, {"core", FIELD_TYPE_U32, false, AT(core), 0, 8191, NULL}},
    {BOUND_SINKS, {"address", FIELD_TYPE_TEXT, true, TEXT(address), 0, 0, NULL}},
    {BOUND_SINKS, {"port", FIELD_TYPE_U16, true, AT(port), 1, UINT16_MAX, NULL}},
    {OF(SINK_UDP), {"stream", FIELD_TYPE_U8, false, AT(packets.stream), 0, STREAM_MAXIMUM, NULL}},
    {OF(SINK_TCP), {"interval_ms", FIELD_TYPE_U32, false, AT(interval_ms), 10, 60000, NULL}},
    {OF(SINK_DEVICE), {"device", FIELD_TYPE_TEXT, true, AT(device), 0, 0, NULL}},
    {OF(SINK_DEVICE), {"protocol", FIELD_TYPE_U32, false, AT(protocol), 0, 255, NULL}},
    {OF(SINK_DEVICE), {"port", FIELD_TYPE_U16, false, AT(port), 0, UINT16_MAX, NULL}},
    {OF(SINK_DEVICE), {"outgoing", FIELD_TYPE_BOOL, false, AT(outgoing), 0, 1, NULL}},
};

static bool parse_address(const char *name, const char *text, struct traffic_address *address, struct failure *failure)
{
    address->version = 0;
    if (text == NULL)
        return true;
    if (inet_pton(AF_INET, text, address->octets) == 1)
        address->version = 4;
    else if (inet_pton(AF_INET6, text, address->octets) == 1)
        address->version = 6;
    else
        return fail(failure, FAILURE_USAGE, "%s: '%.45s' is no IP address", name, text);
    return true;
}

static bool parse_addresses(struct opening *opening, struct failure *failure)
{
    struct traffic_settings *settings = &opening->settings;
    const struct addresses *texts = &opening->texts;

    return parse_address("source", texts->source, &settings->packets.source, failure) &&
           parse_address("destination", texts->destination, &settings->packets.destination, failure) &&
           parse_address("outer_source", texts->outer_source, &settings->outer_source, failure) &&
           parse_address("outer_destination", texts->outer_destination, &settings->outer_destination, failure) &&
           parse_address("address", texts->address, &settings->address, failure);
}

/* Reads "kind" first, since it says which other members there may be. */
static bool read_opening(const struct json_document *document, const struct kind_field *fields, size_t count,
                         const char *const *kinds, struct opening *opening, struct failure *failure)
{
    struct object_field chosen[FIELDS_MAXIMUM_OF_A_KIND];
    uint32_t node = object_member(document, 0, "kind");
    size_t chosen_count = 0;
    int kind = 0;

    if (node == 0)
        return fail(failure, FAILURE_USAGE, "kind: missing");
    while (kinds[kind] != NULL && (document->nodes[node].type != JSON_STRING ||
                                   strcmp(kinds[kind], document->nodes[node].text) != 0))
        kind++;
    for (size_t i = 0; i < count; i++) {
        if (kinds[kind] == NULL ? strcmp(fields[i].field.name, "kind") == 0 : (fields[i].kinds & OF(kind)) != 0)
            chosen[chosen_count++] = fields[i].field;
    }
    if (kinds[kind] == NULL)
        return fail(failure, FAILURE_USAGE, "kind: there is no such kind");
    if (!object_read(document, 0, chosen, chosen_count, every_order, opening, failure) ||
        !parse_addresses(opening, failure))
        return false;
    if (opening->settings.name == NULL || opening->settings.name[0] == '\0' ||
        strlen(opening->settings.name) >= TRAFFIC_NAME_BYTES)
        return fail(failure, FAILURE_USAGE, "name: must have 1 to %d characters", TRAFFIC_NAME_BYTES - 1);
    return true;
}

static void set_defaults(struct opening *opening)
{
    struct traffic_settings *settings = &opening->settings;

    memset(opening, 0, sizeof *opening);
    settings->core = NO_CORE;
    settings->packets.flows = 1;
    settings->packets.segments = 1;
    settings->sequence = 1;
    settings->prepared_packets = 4096;
    settings->write_bytes = 1 << 17;
    settings->interval_ms = 1000;
}

/* What is inside the packets of a source: all of it must be known, but for ESP that nobody is to open. */
static bool check_packets(struct traffic_settings *settings, struct failure *failure)
{
    struct traffic_packets *inner = &settings->packets;
    bool opaque = settings->kind == SOURCE_ESP && settings->esp_packets != PACKETS_SEALED;
    uint32_t minimum;

    if (opaque && inner->destination.version == 0)
        inner->destination.version = inner->source.version = 4;
    else if (inner->destination.version == 0)
        return fail(failure, FAILURE_USAGE, "destination: missing");
    else if (inner->destination_port == 0)
        return fail(failure, FAILURE_USAGE, "destination_port: missing");
    if (inner->source.version != 0 && inner->source.version != inner->destination.version)
        return fail(failure, FAILURE_USAGE, "source: not of the same IP version as the destination");
    if (settings->kind == SOURCE_TCP)
        return true;
    if (opaque && inner->size_bytes == 0 && inner->mix == 0)
        inner->size_bytes = 64;
    if ((inner->size_bytes != 0) == (inner->mix != 0))
        return fail(failure, FAILURE_USAGE, "size_bytes: give either a size or a mix");
    minimum = (inner->destination.version == 4 ? 28 : 48) + PAYLOAD_HEADER_BYTES;
    if (inner->size_bytes != 0 && inner->size_bytes < minimum)
        return fail(failure, FAILURE_USAGE, "size_bytes: must be at least %u with IPv%u", minimum,
                    inner->destination.version);
    if (settings->kind != SOURCE_UDP && inner->source.version == 0)
        return fail(failure, FAILURE_USAGE, "source: missing");
    if (settings->kind == SOURCE_UDP && inner->flows > 1 && inner->vary >= VARY_SOURCE)
        return fail(failure, FAILURE_USAGE, "vary: a source of kind 'udp' has one address and port of its own");
    return true;
}

bool traffic_read_source(const struct json_document *document, struct traffic_settings *settings,
                         struct failure *failure)
{
    struct opening opening;

    set_defaults(&opening);
    if (!read_opening(document, source_fields, sizeof source_fields / sizeof source_fields[0], source_kinds, &opening,
                      failure))
        return false;
    *settings = opening.settings;
    return check_packets(settings, failure);
}

bool traffic_read_sink(const struct json_document *document, struct traffic_settings *settings,
                       struct failure *failure)
{
    struct opening opening;

    set_defaults(&opening);
    if (!read_opening(document, sink_fields, sizeof sink_fields / sizeof sink_fields[0], sink_kinds, &opening, failure))
        return false;
    *settings = opening.settings;
    if (settings->kind != SINK_DEVICE && settings->address.version == 0)
        return fail(failure, FAILURE_USAGE, "address: missing");
    return true;
}

bool traffic_read_plan(const struct json_document *document, struct traffic_plan *plan, struct failure *failure)
{
    static const struct object_field fields[] = {
        {"name", FIELD_TYPE_TEXT, true, offsetof(struct traffic_plan, name), 0, 0, NULL},
        {"packets_per_second", FIELD_TYPE_U64, false, offsetof(struct traffic_plan, packets_per_second), 1, 100000000,
         NULL},
        {"count", FIELD_TYPE_U64, false, offsetof(struct traffic_plan, count), 1, UINT32_MAX, NULL},
        {"milliseconds", FIELD_TYPE_U32, false, offsetof(struct traffic_plan, milliseconds), 1, LONGEST_TRIAL_MS, NULL},
        {"stream", FIELD_TYPE_U32, false, offsetof(struct traffic_plan, stream), 0, STREAM_MAXIMUM, NULL},
        {"spin", FIELD_TYPE_BOOL, false, offsetof(struct traffic_plan, spin), 0, 1, NULL},
        {"replay", FIELD_TYPE_BOOL, false, offsetof(struct traffic_plan, replay), 0, 1, NULL},
    };

    memset(plan, 0, sizeof *plan);
    plan->stream = STREAM_KEPT;
    return object_read(document, 0, fields, sizeof fields / sizeof fields[0], every_order, plan, failure);
}

bool traffic_read_question(const struct json_document *document, struct traffic_question *question,
                           struct failure *failure)
{
    static const struct object_field fields[] = {
        {"name", FIELD_TYPE_TEXT, true, offsetof(struct traffic_question, name), 0, 0, NULL},
        {"timeout_ms", FIELD_TYPE_U32, false, offsetof(struct traffic_question, timeout_ms), 0, LONGEST_TRIAL_MS, NULL},
        {"stream", FIELD_TYPE_U32, false, offsetof(struct traffic_question, stream), 0, STREAM_MAXIMUM, NULL},
        {"histogram", FIELD_TYPE_BOOL, false, offsetof(struct traffic_question, histogram), 0, 1, NULL},
    };

    memset(question, 0, sizeof *question);
    question->stream = STREAM_KEPT;
    question->timeout_ms = 10000;
    return object_read(document, 0, fields, sizeof fields / sizeof fields[0], every_order, question, failure);
}

bool traffic_read_identity(const struct json_document *document, struct traffic_identity *identity,
                           struct failure *failure)
{
    static const struct object_field fields[] = {
        {"uid", FIELD_TYPE_U32, false, offsetof(struct traffic_identity, uid), 1, UINT32_MAX - 1, NULL},
        {"gid", FIELD_TYPE_U32, false, offsetof(struct traffic_identity, gid), 1, UINT32_MAX - 1, NULL},
    };

    identity->uid = identity->gid = IDENTITY_KEPT;
    return object_read(document, 0, fields, sizeof fields / sizeof fields[0], every_order, identity, failure);
}
