/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <inttypes.h>
#include <string.h>

#include "hex.h"

enum field_kind {
    FIELD_NAME,        /* char[NAME_BYTES] */
    FIELD_OPERATION,   /* enum operation */
    FIELD_MIX,         /* enum mix */
    FIELD_UINT8,
    FIELD_UINT32,
    FIELD_UINT64,
    FIELD_BOOLEAN,
    FIELD_OCTETS,      /* struct bytes */
    FIELD_CORE,        /* processor number or null */
    FIELD_CORES,
    FIELD_REPLAY
};

struct field {
    char name[15];
    uint8_t commands;
    uint8_t kind;    /* enum field_kind */
    uint8_t minimum;
    uint32_t offset; /* in struct request */
    uint64_t maximum;
};

#define IN_ORDER(member) (offsetof(struct request, order) + offsetof(struct order, member))

enum {
    RUNS = COMMAND_SPEED | COMMAND_COMPUTE,
    PROCESSOR_MAXIMUM = 8191
};

static const struct field fields[] = {
    {"core", COMMAND_CLOCK, FIELD_CORE, 0, offsetof(struct request, core), PROCESSOR_MAXIMUM},
    {"milliseconds", COMMAND_CLOCK, FIELD_UINT32, 1, offsetof(struct request, milliseconds), 10000},
    {"provider", RUNS | COMMAND_CHECK, FIELD_NAME, 0, IN_ORDER(provider), 0},
    {"algorithm", RUNS | COMMAND_CHECK, FIELD_NAME, 0, IN_ORDER(algorithm), 0},
    {"tier", RUNS, FIELD_NAME, 0, IN_ORDER(tier), 0},
    {"operation", RUNS, FIELD_OPERATION, 0, IN_ORDER(operation), 0},
    {"size_bytes", RUNS, FIELD_UINT32, 1, IN_ORDER(size_bytes), SIZE_MAXIMUM_BYTES},
    {"esn", RUNS, FIELD_BOOLEAN, 0, IN_ORDER(esn), 1},
    {"replay_window", RUNS, FIELD_UINT32, 1, IN_ORDER(replay_window_packets), REPLAY_WINDOW_MAXIMUM},
    {"exponent_bits", RUNS, FIELD_UINT32, 1, IN_ORDER(exponent_bits), 16384},
    {"mix", COMMAND_SPEED, FIELD_MIX, 0, IN_ORDER(mix), 0},
    {"iterations", COMMAND_SPEED, FIELD_UINT64, 1, IN_ORDER(iterations), 1000000000},
    {"warmup", COMMAND_SPEED, FIELD_UINT64, 0, IN_ORDER(warmup), 1000000000},
    {"cores", COMMAND_SPEED, FIELD_CORES, 0, 0, PROCESSOR_MAXIMUM},
    {"key", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(key), 0},
    {"iv", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(iv), 0},
    {"aad", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(aad), 0},
    {"input", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(input), 0},
    {"encryption_key", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(encryption_key), 0},
    {"integrity_key", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(integrity_key), 0},
    {"private", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(private_key), 0},
    {"peer_public", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(peer_public), 0},
    {"public", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(public_key), 0},
    {"signature", COMMAND_COMPUTE, FIELD_OCTETS, 0, IN_ORDER(signature), 0},
    {"spi", COMMAND_COMPUTE, FIELD_UINT32, 0, IN_ORDER(spi), UINT32_MAX},
    {"sequence", COMMAND_COMPUTE, FIELD_UINT64, 1, IN_ORDER(sequence), UINT64_MAX},
    {"sequence_high", COMMAND_COMPUTE, FIELD_UINT32, 0, IN_ORDER(sequence_high), UINT32_MAX},
    {"next_header", COMMAND_COMPUTE, FIELD_UINT8, 0, IN_ORDER(next_header), UINT8_MAX},
    {"replay", COMMAND_COMPUTE, FIELD_REPLAY, 0, 0, UINT64_MAX},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"info", COMMAND_INFO},   {"clock", COMMAND_CLOCK}, {"list", COMMAND_LIST},
    {"check", COMMAND_CHECK}, {"speed", COMMAND_SPEED}, {"compute", COMMAND_COMPUTE},
};

static bool must_be_number(const struct field *field, struct failure *failure)
{
    return fail(failure, FAILURE_USAGE, "%s: must be a whole number from %u to %" PRIu64, field->name, field->minimum,
                field->maximum);
}

static bool parse_number(const struct field *field, const struct json_node *node, uint64_t *number,
                         struct failure *failure)
{
    if (!json_unsigned(node, field->maximum, number) || *number < field->minimum)
        return must_be_number(field, failure);
    return true;
}

static bool parse_name(const struct field *field, const struct json_node *node, char *name, struct failure *failure)
{
    if (node->type != JSON_STRING || node->length == 0)
        return fail(failure, FAILURE_USAGE, "%s: must be a name", field->name);
    if (node->length >= NAME_BYTES)
        return fail(failure, FAILURE_USAGE, "%s: longer than %d characters", field->name, NAME_BYTES - 1);
    memcpy(name, node->text, node->length + 1);
    return true;
}

static void store_core(struct order *order, size_t position, uint64_t number)
{
    order->cores[position] = (uint32_t)number;
    order->core_count = position + 1;
}

static void store_replay_number(struct order *order, size_t position, uint64_t number)
{
    order->replay_numbers[position] = number;
    order->replay_count = position + 1;
}

static bool parse_numbers(const struct field *field, const struct json_node *nodes, uint32_t index, size_t capacity,
                          struct order *order, void (*store)(struct order *, size_t, uint64_t),
                          struct failure *failure)
{
    size_t position = 0;

    if (nodes[index].type != JSON_ARRAY)
        return fail(failure, FAILURE_USAGE, "%s: must be an array of whole numbers", field->name);
    for (uint32_t element = index + 1; element < nodes[index].end; element = nodes[element].end) {
        uint64_t number;

        if (position == capacity)
            return fail(failure, FAILURE_USAGE, "%s: more than %zu numbers", field->name, capacity);
        if (!parse_number(field, &nodes[element], &number, failure))
            return false;
        store(order, position++, number);
    }
    return true;
}

static bool parse_octets(const struct field *field, char *text, const struct json_node *node, struct bytes *bytes,
                         struct failure *failure)
{
    uint8_t *data = (uint8_t *)text;

    if (node->type != JSON_STRING || !hex_decode(node->text, node->length, data, node->length))
        return fail(failure, FAILURE_USAGE, "%s: must be a string of hexadecimal digits, two for each octet",
                    field->name);
    bytes->data = data;
    bytes->length = node->length / 2;
    bytes->present = true;
    return true;
}

static bool parse_mix(const struct json_node *node, enum mix *mix, struct failure *failure)
{
    *mix = MIX_NONE;
    if (node->type == JSON_STRING && strcmp(node->text, "imix-simple") == 0)
        *mix = MIX_IMIX_SIMPLE;
    else if (node->type == JSON_STRING && strcmp(node->text, "imix-csit") == 0)
        *mix = MIX_IMIX_CSIT;
    return *mix != MIX_NONE || fail(failure, FAILURE_USAGE, "mix: must be \"imix-simple\" or \"imix-csit\"");
}

static bool parse_operation(const struct json_node *node, enum operation *operation, struct failure *failure)
{
    *operation = node->type == JSON_STRING ? operation_from_name(node->text) : (enum operation)0;
    return *operation != 0 ||
           fail(failure, FAILURE_USAGE, "operation: there is no operation '%.40s'",
                node->type == JSON_STRING ? node->text : "");
}

/* Values that are one number, wherever they are kept. */
static bool parse_scalar(const struct field *field, const struct json_node *node, struct request *request,
                         struct failure *failure)
{
    char *member = (char *)request + field->offset;
    uint64_t number;
    uint32_t number32;
    uint8_t number8;

    if (field->kind == FIELD_CORE && node->type == JSON_NULL)
        return true;
    if (!parse_number(field, node, &number, failure))
        return false;
    number32 = (uint32_t)number;
    number8 = (uint8_t)number;
    if (field->kind == FIELD_UINT64) {
        memcpy(member, &number, sizeof number);
    } else if (field->kind == FIELD_UINT32) {
        memcpy(member, &number32, sizeof number32);
    } else if (field->kind == FIELD_UINT8) {
        memcpy(member, &number8, sizeof number8);
    } else {
        request->has_core = true;
        request->core = number32;
    }
    return true;
}

static bool parse_field(const struct field *field, char *base, const struct json_node *nodes, uint32_t index,
                        struct request *request, struct failure *failure)
{
    const struct json_node *node = &nodes[index];
    char *member = (char *)request + field->offset;

    switch ((enum field_kind)field->kind) {
    case FIELD_NAME:
        return parse_name(field, node, member, failure);
    case FIELD_OPERATION:
        return parse_operation(node, &request->order.operation, failure);
    case FIELD_MIX:
        return parse_mix(node, &request->order.mix, failure);
    case FIELD_BOOLEAN:
        if (node->type != JSON_TRUE && node->type != JSON_FALSE)
            return fail(failure, FAILURE_USAGE, "%s: must be true or false", field->name);
        request->order.esn = node->type == JSON_TRUE;
        return true;
    case FIELD_OCTETS:
        if (node->type != JSON_STRING)
            return fail(failure, FAILURE_USAGE, "%s: must be a string of hexadecimal digits", field->name);
        return parse_octets(field, base + (node->text - base), node, (struct bytes *)(void *)member, failure);
    case FIELD_CORES:
        return parse_numbers(field, nodes, index, CORES_MAXIMUM, &request->order, store_core, failure);
    case FIELD_REPLAY:
        return parse_numbers(field, nodes, index, REPLAY_NUMBERS_MAXIMUM, &request->order, store_replay_number,
                             failure);
    case FIELD_UINT8:
    case FIELD_UINT32:
    case FIELD_UINT64:
    case FIELD_CORE:
        return parse_scalar(field, node, request, failure);
    }
    return false;
}

static bool parse_identifier(struct request *request, const struct json_node *node, struct failure *failure)
{
    if (node->type != JSON_NUMBER && node->type != JSON_STRING)
        return fail(failure, FAILURE_USAGE, "id: must be a number or a string");
    if (node->length > sizeof request->identifier)
        return fail(failure, FAILURE_USAGE, "id: longer than %d characters", IDENTIFIER_BYTES_MAXIMUM);
    memcpy(request->identifier, node->text, node->length);
    request->identifier_length = node->length;
    request->identifier_is_string = node->type == JSON_STRING;
    return true;
}

/* The value of a member of the outermost object; 0 when it has none (the object itself is number 0). */
static uint32_t find_member(const struct json_node *nodes, const char *name)
{
    for (uint32_t key = 1; key < nodes[0].end; key = nodes[key + 1].end) {
        if (strcmp(nodes[key].text, name) == 0)
            return key + 1;
    }
    return 0;
}

bool request_parse_command(struct request *request, struct json_document *document, char *text, size_t length,
                           const char **command, struct failure *failure)
{
    uint32_t identifier, named;

    if (!json_parse(document, text, length))
        return fail(failure, FAILURE_USAGE, "not JSON: %s at octet %zu", document->error, document->error_offset);
    if (document->nodes[0].type != JSON_OBJECT)
        return fail(failure, FAILURE_USAGE, "an order is a JSON object");
    identifier = find_member(document->nodes, "id");
    if (identifier == 0)
        return fail(failure, FAILURE_USAGE, "id: missing");
    if (!parse_identifier(request, &document->nodes[identifier], failure))
        return false;
    named = find_member(document->nodes, "command");
    if (named == 0)
        return fail(failure, FAILURE_USAGE, "command: missing");
    *command = document->nodes[named].type == JSON_STRING ? document->nodes[named].text : "";
    return true;
}

static bool find_command(struct request *request, const char *name, struct failure *failure)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            request->command = commands[i].command;
            return true;
        }
    }
    return fail(failure, FAILURE_USAGE, "command: there is no command '%.40s'", name);
}

static bool parse_members(struct request *request, char *base, const struct json_node *nodes, struct failure *failure)
{
    bool seen[FIELD_COUNT + 2] = {false};

    for (uint32_t key = 1; key < nodes[0].end; key = nodes[key + 1].end) {
        const char *name = nodes[key].text;
        size_t number = 0;

        while (number < FIELD_COUNT &&
               ((fields[number].commands & request->command) == 0 || strcmp(fields[number].name, name) != 0))
            number++;
        if (number == FIELD_COUNT && strcmp(name, "id") != 0) {
            if (strcmp(name, "command") != 0)
                return fail(failure, FAILURE_USAGE, "%.80s: this command has no such field", name);
            number++;
        }
        if (seen[number])
            return fail(failure, FAILURE_USAGE, "%s: given twice", name);
        seen[number] = true;
        if (number < FIELD_COUNT && !parse_field(&fields[number], base, nodes, key + 1, request, failure))
            return false;
    }
    return true;
}

static bool check_order(const struct request *request, struct failure *failure)
{
    const struct order *order = &request->order;

    if ((request->command & RUNS) == 0)
        return true;
    if (order->provider[0] == '\0')
        return fail(failure, FAILURE_USAGE, "provider: missing");
    if (order->tier[0] == '\0')
        return fail(failure, FAILURE_USAGE, "tier: missing");
    if (order->operation == 0)
        return fail(failure, FAILURE_USAGE, "operation: missing");
    if (order->algorithm[0] == '\0')
        return fail(failure, FAILURE_USAGE, "algorithm: missing");
    if (request->command == COMMAND_SPEED && order->iterations == 0)
        return fail(failure, FAILURE_USAGE, "iterations: missing");
    if (order->size_bytes != 0 && order->mix != MIX_NONE)
        return fail(failure, FAILURE_USAGE, "mix: give either size_bytes or a mix");
    return true;
}

static void set_defaults(struct request *request)
{
    static const uint8_t nothing[1];
    struct order *order = &request->order;
    struct bytes *const octets[] = {&order->key,           &order->iv,          &order->aad,
                                    &order->input,         &order->encryption_key, &order->integrity_key,
                                    &order->private_key,   &order->peer_public, &order->public_key,
                                    &order->signature};

    memset(request, 0, sizeof *request);
    request->milliseconds = 20;
    order->replay_window_packets = 64;
    order->next_header = 4;
    for (size_t i = 0; i < sizeof octets / sizeof octets[0]; i++)
        octets[i]->data = nothing;
}

/* A sample of a mix is made of whole cycles, so that two samples hold the same packets. */
static void round_to_cycles(struct order *order)
{
    uint64_t cycle = order->mix == MIX_IMIX_SIMPLE ? 12 : order->mix == MIX_IMIX_CSIT ? 48 : 1;

    order->iterations = (order->iterations + cycle - 1) / cycle * cycle;
    order->warmup = (order->warmup + cycle - 1) / cycle * cycle;
}

bool request_parse(struct request *request, char *text, size_t length, struct failure *failure)
{
    static struct json_document document;
    const struct json_node *nodes = document.nodes;
    const char *command;

    set_defaults(request);
    if (!request_parse_command(request, &document, text, length, &command, failure) ||
        !find_command(request, command, failure) ||
        !parse_members(request, text, nodes, failure) || !check_order(request, failure))
        return false;
    request->order.has_spi = find_member(nodes, "spi") != 0;
    request->order.has_sequence_high = find_member(nodes, "sequence_high") != 0;
    round_to_cycles(&request->order);
    return true;
}
