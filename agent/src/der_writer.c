/* SPDX-License-Identifier: Apache-2.0 */
#include "der_writer.h"

#include <string.h>

void der_put(struct der_writer *writer, const void *octets, size_t length)
{
    writer->at -= length;
    memcpy(writer->octets + writer->at, octets, length);
}

void der_wrap(struct der_writer *writer, uint8_t tag, size_t end)
{
    size_t length = end - writer->at;
    uint8_t header[] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};

    if (length > 0xFF) {
        der_put(writer, header, sizeof header);
        return;
    }
    der_put(writer, header + 3, 1);
    header[1] = 0x81;
    der_put(writer, header, length > 0x7F ? 2 : 1);
}

void der_put_integer(struct der_writer *writer, const uint8_t *number, size_t length)
{
    size_t end = writer->at;

    while (length > 1 && number[0] == 0) {
        number++;
        length--;
    }
    der_put(writer, number, length);
    if (number[0] > 0x7F)
        der_put(writer, "", 1); /* a zero: the highest bit would read as a sign */
    der_wrap(writer, DER_INTEGER, end);
}
