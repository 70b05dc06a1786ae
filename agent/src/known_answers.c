/* SPDX-License-Identifier: Apache-2.0 */
#include "known_answers.h"

#include <string.h>

static struct octets next_field(const char **cursor)
{
    const uint8_t *start = (const uint8_t *)*cursor;
    struct octets field = {start + 1, start[0]};

    *cursor += 1 + field.length;
    return field;
}

bool next_answer(const char **cursor, char algorithm[NAME_BYTES], struct octets *fields, size_t field_count)
{
    struct octets name = next_field(cursor);

    if (name.length == 0 || name.length >= NAME_BYTES)
        return false;
    memcpy(algorithm, name.data, name.length);
    algorithm[name.length] = '\0';
    for (size_t i = 0; i < field_count; i++)
        fields[i] = next_field(cursor);
    return true;
}
