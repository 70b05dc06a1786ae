/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IPSECBENCH_HEX_H
#define IPSECBENCH_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of a hexadecimal digit of either case; -1 when it is none. */
int hex_digit(char character);

/*
 * Decodes `length` hexadecimal digits; false when their number is odd, one is no digit, or `capacity` is too small.
 * `destination` may be the text itself.
 */
bool hex_decode(const char *text, size_t length, uint8_t *destination, size_t capacity);

#endif
