/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader and a writer of JSON (RFC 8259), for orders of bounded size.
 *
 * The reader refuses everything that RFC 8259 refuses, and also: invalid UTF-8, a NUL inside a string, nesting deeper
 * than JSON_DEPTH_MAXIMUM, and more than JSON_NODES_MAXIMUM values. It works in place and allocates nothing.
 */
#ifndef IPSECBENCH_JSON_H
#define IPSECBENCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAXIMUM = 8, JSON_NODES_MAXIMUM = 8192 };

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/*
 * One value. Nodes lie in the order of the text: an array is followed by its elements, an object by its keys and values
 * in turn. `end` is the index of the first node after the value and everything in it.
 */
struct json_node {
    enum json_type type;
    uint32_t end;
    const char *text; /* strings: decoded, ends in NUL; numbers: as written, without NUL; others: unset */
    size_t length;
};

struct json_document {
    struct json_node nodes[JSON_NODES_MAXIMUM];
    uint32_t count;
    const char *error; /* what is wrong, when json_parse() returned false */
    size_t error_offset;
};

/* Parses exactly one value. `text` is changed: strings are decoded in it. It must stay as long as the document. */
bool json_parse(struct json_document *document, char *text, size_t length);

/* True when the node is a number written as digits only, and not above `maximum`. */
bool json_unsigned(const struct json_node *node, uint64_t maximum, uint64_t *value);

/* Writes a string with its quotes. Octets that are not UTF-8 become U+FFFD. */
void json_write_string(FILE *stream, const char *text, size_t length);

/* The same for a string that ends in NUL; NULL and "" are written as null. */
void json_write_text_or_null(FILE *stream, const char *text);

/* Writes octets as a string of lower-case hexadecimal digits. */
void json_write_hex(FILE *stream, const uint8_t *data, size_t length);

#endif
