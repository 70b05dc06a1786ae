/* SPDX-License-Identifier: Apache-2.0 */
/* Octets of a TCP stream by intervals of equal length. */
#ifndef IPSECBENCH_TRAFFIC_INTERVALS_H
#define IPSECBENCH_TRAFFIC_INTERVALS_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

enum { INTERVALS_MAXIMUM = 3600 };

struct traffic_intervals {
    uint64_t interval_ns;
    uint64_t start_ns; /* 0: nothing has come yet */
    uint32_t count;
    uint64_t bytes[INTERVALS_MAXIMUM]; /* the last one also has what comes later */
};

static inline void intervals_add(struct traffic_intervals *intervals, uint64_t now_ns, uint64_t bytes)
{
    uint64_t number;

    if (intervals->start_ns == 0)
        intervals->start_ns = now_ns;
    number = (now_ns - intervals->start_ns) / intervals->interval_ns;
    if (number >= INTERVALS_MAXIMUM)
        number = INTERVALS_MAXIMUM - 1;
    while (intervals->count <= number)
        intervals->bytes[intervals->count++] = 0;
    intervals->bytes[number] += bytes;
}

static inline void intervals_write(FILE *stream, const struct traffic_intervals *intervals)
{
    fprintf(stream, ", \"interval_ms\": %" PRIu64 ", \"interval_bytes\": [", intervals->interval_ns / 1000000);
    for (uint32_t i = 0; i < intervals->count; i++)
        fprintf(stream, "%s%" PRIu64, i > 0 ? ", " : "", intervals->bytes[i]);
    fputc(']', stream);
}

#endif
