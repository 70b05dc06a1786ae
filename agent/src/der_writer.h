/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes DER (X.690) from the end to the start, so that a length is known when its header is written. What is put last
 * comes first.
 */
#ifndef IPSECBENCH_DER_WRITER_H
#define IPSECBENCH_DER_WRITER_H

#include <stddef.h>
#include <stdint.h>

enum { DER_CAPACITY_BYTES = 4096, DER_INTEGER = 0x02, DER_OCTET_STRING = 0x04, DER_SEQUENCE = 0x30 };

struct der_writer {
    size_t at; /* index of the first octet written; DER_CAPACITY_BYTES at the beginning */
    uint8_t octets[DER_CAPACITY_BYTES];
};

/* Puts octets as they are. */
void der_put(struct der_writer *writer, const void *octets, size_t length);
/* Puts a header before everything from the current position to `end`, an earlier value of `at`. */
void der_wrap(struct der_writer *writer, uint8_t tag, size_t end);
/* Puts a whole INTEGER of a big-endian number, which is not negative. */
void der_put_integer(struct der_writer *writer, const uint8_t *number, size_t length);

#endif
