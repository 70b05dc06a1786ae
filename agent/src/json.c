/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

#include "hex.h"
#include "utf8.h"

struct reader {
    struct json_document *document;
    char *text;
    size_t length;
    size_t position;
    unsigned depth;
};

static bool parse_value(struct reader *reader);

static bool refuse(struct reader *reader, const char *error)
{
    reader->document->error = error;
    reader->document->error_offset = reader->position;
    return false;
}

static void skip_space(struct reader *reader)
{
    while (reader->position < reader->length && strchr(" \t\r\n", reader->text[reader->position]) != NULL &&
           reader->text[reader->position] != '\0')
        reader->position++;
}

/* The next character, or NUL at the end: a NUL in the text is no valid character anywhere either. */
static char peek(const struct reader *reader)
{
    return reader->position < reader->length ? reader->text[reader->position] : '\0';
}

static struct json_node *add_node(struct reader *reader, enum json_type type)
{
    struct json_document *document = reader->document;
    struct json_node *node;

    if (document->count == JSON_NODES_MAXIMUM) {
        (void)refuse(reader, "too many values");
        return NULL;
    }
    node = &document->nodes[document->count++];
    node->type = type;
    node->end = document->count;
    node->text = NULL;
    node->length = 0;
    return node;
}

static bool parse_hex4(struct reader *reader, unsigned long *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(reader));

        if (digit < 0)
            return refuse(reader, "bad \\u escape");
        *value = *value << 4 | (unsigned long)digit;
        reader->position++;
    }
    return true;
}

/* Decodes \uXXXX, or a pair of them for a code point above U+FFFF; the position is after the 'u'. */
static bool parse_code_point(struct reader *reader, unsigned long *code_point)
{
    unsigned long low;

    if (!parse_hex4(reader, code_point))
        return false;
    if (*code_point == 0)
        return refuse(reader, "NUL in a string");
    if (*code_point >= 0xDC00 && *code_point <= 0xDFFF)
        return refuse(reader, "lone surrogate");
    if (*code_point < 0xD800 || *code_point > 0xDBFF)
        return true;
    if (peek(reader) != '\\')
        return refuse(reader, "lone surrogate");
    reader->position++;
    if (peek(reader) != 'u')
        return refuse(reader, "lone surrogate");
    reader->position++;
    if (!parse_hex4(reader, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(reader, "lone surrogate");
    *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool parse_escape(struct reader *reader, char *destination, size_t *written)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *found;
    unsigned long code_point;
    char character = peek(reader);

    if (character == 'u') {
        reader->position++;
        if (!parse_code_point(reader, &code_point))
            return false;
        *written = utf8_encode(code_point, destination);
        return true;
    }
    found = character != '\0' ? strchr(names, character) : NULL;
    if (found == NULL)
        return refuse(reader, "bad escape");
    destination[0] = values[found - names];
    *written = 1;
    reader->position++;
    return true;
}

/* The position is at the opening quote. A decoded string is never longer than it was, so it is decoded in place. */
static bool parse_string(struct reader *reader)
{
    struct json_node *node = add_node(reader, JSON_STRING);
    char *start, *out;

    if (node == NULL)
        return false;
    reader->position++;
    start = out = reader->text + reader->position;
    for (;;) {
        char decoded[4];
        size_t taken;

        if (reader->position >= reader->length)
            return refuse(reader, "string without end");
        if (peek(reader) == '"')
            break;
        if (peek(reader) == '\\') {
            reader->position++;
            if (!parse_escape(reader, decoded, &taken))
                return false;
            memcpy(out, decoded, taken);
        } else {
            if ((unsigned char)peek(reader) < 0x20)
                return refuse(reader, "control character in a string");
            taken = utf8_sequence_length(reader->text + reader->position, reader->length - reader->position);
            if (taken == 0)
                return refuse(reader, "not UTF-8");
            memmove(out, reader->text + reader->position, taken);
            reader->position += taken;
        }
        out += taken;
    }
    *out = '\0'; /* at the latest where the closing quote was */
    reader->position++;
    node->text = start;
    node->length = (size_t)(out - start);
    return true;
}

static bool parse_digits(struct reader *reader)
{
    size_t start = reader->position;

    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->position++;
    return reader->position > start || refuse(reader, "bad number");
}

static bool parse_number(struct reader *reader)
{
    struct json_node *node = add_node(reader, JSON_NUMBER);
    size_t start = reader->position;

    if (node == NULL)
        return false;
    if (peek(reader) == '-')
        reader->position++;
    if (peek(reader) == '0')
        reader->position++;
    else if (!parse_digits(reader))
        return false;
    if (peek(reader) == '.') {
        reader->position++;
        if (!parse_digits(reader))
            return false;
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->position++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->position++;
        if (!parse_digits(reader))
            return false;
    }
    node->text = reader->text + start;
    node->length = reader->position - start;
    return true;
}

static bool parse_literal(struct reader *reader, const char *literal, enum json_type type)
{
    size_t length = strlen(literal);

    if (reader->length - reader->position < length ||
        memcmp(reader->text + reader->position, literal, length) != 0)
        return refuse(reader, "not a JSON value");
    reader->position += length;
    return add_node(reader, type) != NULL;
}

static bool parse_key(struct reader *reader)
{
    if (peek(reader) != '"')
        return refuse(reader, "a member's name must be a string");
    if (!parse_string(reader))
        return false;
    skip_space(reader);
    if (peek(reader) != ':')
        return refuse(reader, "':' expected");
    reader->position++;
    skip_space(reader);
    return true;
}

/* An array or an object; the position is at its opening bracket. */
static bool parse_container(struct reader *reader, bool is_object)
{
    const char closing = is_object ? '}' : ']';
    struct json_node *node = add_node(reader, is_object ? JSON_OBJECT : JSON_ARRAY);

    if (node == NULL)
        return false;
    if (reader->depth == JSON_DEPTH_MAXIMUM)
        return refuse(reader, "nested too deep");
    reader->depth++;
    reader->position++;
    skip_space(reader);
    if (peek(reader) != closing) {
        for (;;) {
            if (is_object && !parse_key(reader))
                return false;
            if (!parse_value(reader))
                return false;
            skip_space(reader);
            if (peek(reader) == closing)
                break;
            if (peek(reader) != ',')
                return refuse(reader, is_object ? "',' or '}' expected" : "',' or ']' expected");
            reader->position++;
            skip_space(reader);
        }
    }
    reader->position++;
    reader->depth--;
    node->end = reader->document->count;
    return true;
}

static bool parse_value(struct reader *reader)
{
    switch (peek(reader)) {
    case '{':
        return parse_container(reader, true);
    case '[':
        return parse_container(reader, false);
    case '"':
        return parse_string(reader);
    case 'n':
        return parse_literal(reader, "null", JSON_NULL);
    case 't':
        return parse_literal(reader, "true", JSON_TRUE);
    case 'f':
        return parse_literal(reader, "false", JSON_FALSE);
    default:
        if (peek(reader) == '-' || (peek(reader) >= '0' && peek(reader) <= '9'))
            return parse_number(reader);
        return refuse(reader, "not a JSON value");
    }
}

bool json_parse(struct json_document *document, char *text, size_t length)
{
    struct reader reader = {.document = document, .text = text, .length = length};

    document->count = 0;
    document->error = NULL;
    document->error_offset = 0;
    skip_space(&reader);
    if (!parse_value(&reader))
        return false;
    skip_space(&reader);
    if (reader.position != length)
        return refuse(&reader, "text after the value");
    return true;
}

bool json_unsigned(const struct json_node *node, uint64_t maximum, uint64_t *value)
{
    uint64_t total = 0;

    if (node->type != JSON_NUMBER)
        return false;
    for (size_t i = 0; i < node->length; i++) {
        unsigned digit = (unsigned)(node->text[i] - '0');

        if (node->text[i] < '0' || node->text[i] > '9')
            return false;
        if (total > maximum / 10 || digit > maximum - total * 10)
            return false;
        total = total * 10 + digit;
    }
    *value = total;
    return true;
}

void json_write_string(FILE *stream, const char *text, size_t length)
{
    putc('"', stream);
    for (size_t i = 0; i < length;) {
        size_t taken = utf8_sequence_length(text + i, length - i);
        unsigned char octet = (unsigned char)text[i];

        if (taken == 0) {
            fputs("\\ufffd", stream);
            taken = 1;
        } else if (octet == '"' || octet == '\\') {
            fprintf(stream, "\\%c", octet);
        } else if (octet < 0x20 || octet == 0x7F) {
            fprintf(stream, "\\u%04x", octet);
        } else {
            fwrite(text + i, 1, taken, stream);
        }
        i += taken;
    }
    putc('"', stream);
}

void json_write_text_or_null(FILE *stream, const char *text)
{
    if (text == NULL || text[0] == '\0')
        fputs("null", stream);
    else
        json_write_string(stream, text, strlen(text));
}

void json_write_hex(FILE *stream, const uint8_t *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    putc('"', stream);
    for (size_t i = 0; i < length; i++) {
        putc(digits[data[i] >> 4], stream);
        putc(digits[data[i] & 0xF], stream);
    }
    putc('"', stream);
}
