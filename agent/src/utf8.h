/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IPSECBENCH_UTF8_H
#define IPSECBENCH_UTF8_H

#include <stddef.h>

/* Length of the valid UTF-8 sequence (RFC 3629) at `text`, 1 to 4; 0 when there is none. */
size_t utf8_sequence_length(const char *text, size_t available);

/* Encodes a code point below 0x110000 that is not a surrogate; returns the number of octets written, 1 to 4. */
size_t utf8_encode(unsigned long code_point, char *destination);

#endif
