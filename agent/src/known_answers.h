/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of known answers: one string per table. Every field is an octet that says its length, then its octets; the
 * first field of an entry is the name of the algorithm. A string holds no pointers, each of which would take 32 octets
 * in a program that can be loaded anywhere.
 */
#ifndef IPSECBENCH_KNOWN_ANSWERS_H
#define IPSECBENCH_KNOWN_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "operation.h"

struct octets {
    const uint8_t *data;
    size_t length;
};

/*
 * Reads the entry at *cursor, of a name and `field_count` fields, and moves the cursor to the next. False at the end of
 * the table, which is the NUL that ends the string.
 */
bool next_answer(const char **cursor, char algorithm[NAME_BYTES], struct octets *fields, size_t field_count);

#endif
