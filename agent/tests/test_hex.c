/* SPDX-License-Identifier: Apache-2.0 */
#include "hex.h"

#include <string.h>

#include "expect.h"

int main(void)
{
    uint8_t octets[4];
    char in_place[] = "00ff7Fa0";

    EXPECT(hex_digit('0') == 0 && hex_digit('9') == 9 && hex_digit('a') == 10 && hex_digit('F') == 15);
    EXPECT(hex_digit('g') < 0 && hex_digit('/') < 0 && hex_digit(':') < 0 && hex_digit('@') < 0 && hex_digit('`') < 0);
    EXPECT(hex_digit('\0') < 0 && hex_digit('\xff') < 0);
    EXPECT(hex_decode("", 0, octets, 0));
    EXPECT(hex_decode("DEadbeef", 8, octets, 4) && memcmp(octets, "\xde\xad\xbe\xef", 4) == 0);
    EXPECT(!hex_decode("deadbeef", 8, octets, 3));
    EXPECT(!hex_decode("dea", 3, octets, 4));
    EXPECT(!hex_decode("dx", 2, octets, 4));
    EXPECT(!hex_decode("0x12", 4, octets, 4));
    EXPECT(!hex_decode(" 12 ", 4, octets, 4));
    EXPECT(hex_decode(in_place, 8, (uint8_t *)in_place, 8) && memcmp(in_place, "\x00\xff\x7f\xa0", 4) == 0);
    return expect_summary("hex");
}
