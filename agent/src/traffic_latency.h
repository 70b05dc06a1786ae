/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A histogram of latencies in log-linear buckets, as HDR histograms have them: 64 to each power of two, so that no value
 * is told wrong by more than 1.6 per cent, from 0 ns to 18 minutes. One addition for each value, no allocation.
 */
#ifndef IPSECBENCH_TRAFFIC_LATENCY_H
#define IPSECBENCH_TRAFFIC_LATENCY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { LATENCY_SUB_BITS = 6, LATENCY_OCTAVES = 35, LATENCY_BUCKETS = LATENCY_OCTAVES << LATENCY_SUB_BITS };

struct latency {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t minimum_ns, maximum_ns;
    uint64_t buckets[LATENCY_BUCKETS];
};

void latency_reset(struct latency *latency);

/* The bucket of a value: below 64 one for each, then 64 for each power of two. */
static inline unsigned latency_bucket(uint64_t ns)
{
    unsigned octave, shift;

    if (ns < 1U << LATENCY_SUB_BITS)
        return (unsigned)ns;
    octave = 63U - (unsigned)__builtin_clzll(ns);
    shift = octave - LATENCY_SUB_BITS;
    if (shift + 1 >= LATENCY_OCTAVES)
        return LATENCY_BUCKETS - 1;
    return ((shift + 1) << LATENCY_SUB_BITS) + (unsigned)((ns >> shift) & ((1U << LATENCY_SUB_BITS) - 1));
}

static inline void latency_add(struct latency *latency, uint64_t ns)
{
    latency->count++;
    latency->sum_ns += ns;
    if (ns < latency->minimum_ns)
        latency->minimum_ns = ns;
    if (ns > latency->maximum_ns)
        latency->maximum_ns = ns;
    latency->buckets[latency_bucket(ns)]++;
}

/* The middle of a bucket. */
uint64_t latency_bucket_ns(unsigned bucket);

/* The value that this many of a million lie at or below; 0 when there are none. */
uint64_t latency_quantile_ns(const struct latency *latency, uint32_t parts_per_million);

/* Writes a JSON object; with every bucket that is not empty as [value, count] when asked for. */
void latency_write(FILE *stream, const struct latency *latency, bool with_buckets);

#endif
