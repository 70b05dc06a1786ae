/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_fields.h"

#include <inttypes.h>
#include <string.h>

#include "hex.h"

enum { FIELDS_MAXIMUM = 32, MS_PER_SECOND = 1000 };

static bool store_number(const struct object_field *field, const struct json_node *node, char *place,
                         struct failure *failure)
{
    uint64_t number;
    uint32_t number32;
    uint16_t number16;

    if (!json_unsigned(node, field->maximum, &number) || number < field->minimum)
        return fail(failure, FAILURE_USAGE, "%s: must be a whole number from %" PRIu64 " to %" PRIu64, field->name,
                    field->minimum, field->maximum);
    if (field->type == FIELD_TYPE_LIMIT && number == 0)
        number = UINT64_MAX;
    number32 = (uint32_t)number;
    number16 = (uint16_t)number;
    if (field->type == FIELD_TYPE_U8)
        *place = (char)number;
    else if (field->type == FIELD_TYPE_U16)
        memcpy(place, &number16, sizeof number16);
    else if (field->type == FIELD_TYPE_U32)
        memcpy(place, &number32, sizeof number32);
    else
        memcpy(place, &number, sizeof number);
    return true;
}

static bool store_choice(const struct object_field *field, const struct json_node *node, char *place,
                         struct failure *failure)
{
    int choice = 0;

    while (node->type == JSON_STRING && field->choices[choice] != NULL) {
        if (strcmp(field->choices[choice], node->text) == 0) {
            memcpy(place, &choice, sizeof choice);
            return true;
        }
        choice++;
    }
    return fail(failure, FAILURE_USAGE, "%s: there is no '%.40s'", field->name,
                node->type == JSON_STRING ? node->text : "");
}

static bool store_octets(const struct object_field *field, const struct json_node *node, char *place,
                         struct failure *failure)
{
    struct bytes octets = {.present = false};
    uint8_t *text;

    if (node->type == JSON_NULL)
        return true;
    text = (uint8_t *)(uintptr_t)node->text; /* within the order, which is ours */
    if (node->type != JSON_STRING || !hex_decode(node->text, node->length, text, node->length))
        return fail(failure, FAILURE_USAGE, "%s: must be a string of hexadecimal digits, two for each octet",
                    field->name);
    octets.data = text;
    octets.length = node->length / 2;
    octets.present = true;
    memcpy(place, &octets, sizeof octets);
    return true;
}

/* Digits behind the third are ignored. Not strtod(), which asks the locale what a point is. */
static bool store_ms(const struct object_field *field, const struct json_node *node, char *place,
                     struct failure *failure)
{
    uint64_t total = 0, unit = 0;

    for (size_t i = 0; node->type == JSON_NUMBER && i < node->length; i++) {
        char digit = node->text[i];

        if (digit == '.' && unit == 0) {
            unit = MS_PER_SECOND;
        } else if (digit < '0' || digit > '9' || total > UINT64_MAX / 100000) {
            return fail(failure, FAILURE_USAGE, "%s: must be a number of seconds", field->name);
        } else if (unit == 0) {
            total = total * 10 + (uint64_t)(digit - '0') * MS_PER_SECOND;
        } else {
            unit /= 10;
            total += unit * (uint64_t)(digit - '0');
            unit += unit == 0; /* further digits count for nothing */
        }
    }
    if (node->type != JSON_NUMBER)
        return fail(failure, FAILURE_USAGE, "%s: must be a number of seconds", field->name);
    if (total == 0)
        total = UINT64_MAX;
    memcpy(place, &total, sizeof total);
    return true;
}

static bool store_text(const struct object_field *field, const struct json_node *node, char *place,
                       struct failure *failure)
{
    const char *text = node->text;

    if (node->type != JSON_STRING && node->type != JSON_NULL)
        return fail(failure, FAILURE_USAGE, "%s: must be a string", field->name);
    if (node->type == JSON_NULL)
        text = NULL;
    memcpy(place, &text, sizeof text);
    return true;
}

static bool store(const struct json_document *document, uint32_t index, const struct object_field *field, char *place,
                  struct failure *failure)
{
    const struct json_node *node = &document->nodes[index];
    bool truth;

    switch (field->type) {
    case FIELD_TYPE_U8:
    case FIELD_TYPE_U16:
    case FIELD_TYPE_U32:
    case FIELD_TYPE_U64:
    case FIELD_TYPE_LIMIT:
        return store_number(field, node, place, failure);
    case FIELD_TYPE_BOOL:
        if (node->type != JSON_TRUE && node->type != JSON_FALSE)
            return fail(failure, FAILURE_USAGE, "%s: must be true or false", field->name);
        truth = node->type == JSON_TRUE;
        memcpy(place, &truth, sizeof truth);
        return true;
    case FIELD_TYPE_CHOICE:
        return store_choice(field, node, place, failure);
    case FIELD_TYPE_TEXT:
        return store_text(field, node, place, failure);
    case FIELD_TYPE_OCTETS:
        return store_octets(field, node, place, failure);
    case FIELD_TYPE_MS:
        return store_ms(field, node, place, failure);
    case FIELD_TYPE_NODE:
        if (node->type == JSON_NULL)
            index = 0;
        memcpy(place, &index, sizeof index);
        return true;
    }
    return false;
}

static bool is_in(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

bool object_read(const struct json_document *document, uint32_t object, const struct object_field *fields, size_t count,
                 const char *const *skipped, void *structure, struct failure *failure)
{
    const struct json_node *nodes = document->nodes;
    bool seen[FIELDS_MAXIMUM] = {false};

    if (nodes[object].type != JSON_OBJECT)
        return fail(failure, FAILURE_USAGE, "an object is needed here");
    for (uint32_t key = object + 1; key < nodes[object].end; key = nodes[key + 1].end) {
        const char *name = nodes[key].text;
        size_t i = 0;

        while (i < count && strcmp(fields[i].name, name) != 0)
            i++;
        if (i == count && is_in(skipped, name))
            continue;
        if (i == count)
            return fail(failure, FAILURE_USAGE, "%.80s: there is no such field here", name);
        if (seen[i])
            return fail(failure, FAILURE_USAGE, "%s: given twice", name);
        seen[i] = true;
        if (!store(document, key + 1, &fields[i], (char *)structure + fields[i].offset, failure))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && !seen[i])
            return fail(failure, FAILURE_USAGE, "%s: missing", fields[i].name);
    }
    return true;
}

uint32_t object_member(const struct json_document *document, uint32_t object, const char *name)
{
    const struct json_node *nodes = document->nodes;

    for (uint32_t key = object + 1; key < nodes[object].end; key = nodes[key + 1].end) {
        if (strcmp(nodes[key].text, name) == 0)
            return key + 1;
    }
    return 0;
}
