/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the members of a JSON object into a structure, by a table that says what there may be. */
#ifndef IPSECBENCH_ESP_PLANE_FIELDS_H
#define IPSECBENCH_ESP_PLANE_FIELDS_H

#include "json.h"
#include "operation.h"

enum field_type {
    FIELD_TYPE_U8,
    FIELD_TYPE_U16,
    FIELD_TYPE_U32,
    FIELD_TYPE_U64,
    FIELD_TYPE_BOOL,
    FIELD_TYPE_CHOICE, /* enum, by the names in `choices` */
    FIELD_TYPE_TEXT,   /* const char *, ends in NUL; NULL for null */
    FIELD_TYPE_OCTETS, /* struct bytes, decoded in place; not there for null */
    FIELD_TYPE_LIMIT,  /* uint64_t: a whole number, 0 becomes UINT64_MAX: no limit */
    FIELD_TYPE_MS,     /* uint64_t: seconds with a fraction; 0 becomes UINT64_MAX */
    FIELD_TYPE_NODE    /* uint32_t: number of the node, for a closer look; 0: not there, or null */
};

struct object_field {
    const char *name;
    enum field_type type;
    bool required;
    size_t offset;
    uint64_t minimum, maximum;
    const char *const *choices; /* ends in NULL */
};

/*
 * Members that are not in the table are refused, unless `skipped` names them (it ends in NULL), and so are those that
 * come twice. What is not there keeps its value.
 */
bool object_read(const struct json_document *document, uint32_t object, const struct object_field *fields, size_t count,
                 const char *const *skipped, void *structure, struct failure *failure);

/* The node of a member's value; 0 when there is none. */
uint32_t object_member(const struct json_document *document, uint32_t object, const char *name);

#endif
