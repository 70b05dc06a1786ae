/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <stdbool.h>

static bool is_continuation(unsigned char octet)
{
    return (octet & 0xC0) == 0x80;
}

size_t utf8_sequence_length(const char *text, size_t available)
{
    unsigned char octets[4] = {0};

    for (size_t i = 0; i < 4 && i < available; i++)
        octets[i] = (unsigned char)text[i];
    if (available == 0)
        return 0;
    if (octets[0] < 0x80)
        return 1;
    /* 0xC0 and 0xC1 would be over-long. */
    if (octets[0] >= 0xC2 && octets[0] <= 0xDF)
        return is_continuation(octets[1]) ? 2 : 0;
    if ((octets[0] & 0xF0) == 0xE0) {
        if (!is_continuation(octets[1]) || !is_continuation(octets[2]))
            return 0;
        if (octets[0] == 0xE0 && octets[1] < 0xA0) /* over-long */
            return 0;
        if (octets[0] == 0xED && octets[1] > 0x9F) /* surrogates */
            return 0;
        return 3;
    }
    if (octets[0] >= 0xF0 && octets[0] <= 0xF4) {
        if (!is_continuation(octets[1]) || !is_continuation(octets[2]) || !is_continuation(octets[3]))
            return 0;
        if (octets[0] == 0xF0 && octets[1] < 0x90) /* over-long */
            return 0;
        if (octets[0] == 0xF4 && octets[1] > 0x8F) /* above U+10FFFF */
            return 0;
        return 4;
    }
    return 0;
}

size_t utf8_encode(unsigned long code_point, char *destination)
{
    if (code_point < 0x80) {
        destination[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        destination[0] = (char)(0xC0 | code_point >> 6);
        destination[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        destination[0] = (char)(0xE0 | code_point >> 12);
        destination[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        destination[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    destination[0] = (char)(0xF0 | code_point >> 18);
    destination[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    destination[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    destination[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}
