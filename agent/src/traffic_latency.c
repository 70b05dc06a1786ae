/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_latency.h"

#include <inttypes.h>
#include <string.h>

void latency_reset(struct latency *latency)
{
    memset(latency, 0, sizeof *latency);
    latency->minimum_ns = UINT64_MAX;
}

uint64_t latency_bucket_ns(unsigned bucket)
{
    unsigned shift;
    uint64_t low;

    if (bucket < 1U << LATENCY_SUB_BITS)
        return bucket;
    shift = (bucket >> LATENCY_SUB_BITS) - 1;
    low = (uint64_t)((bucket & ((1U << LATENCY_SUB_BITS) - 1)) | 1U << LATENCY_SUB_BITS) << shift;
    return low + ((uint64_t)1 << shift) / 2;
}

uint64_t latency_quantile_ns(const struct latency *latency, uint32_t parts_per_million)
{
    /* The smallest value that has so many at or below it. */
    uint64_t needed = latency->count / 1000000 * parts_per_million +
                      (latency->count % 1000000 * parts_per_million + 999999) / 1000000;
    uint64_t seen = 0, value;

    if (latency->count == 0)
        return 0;
    for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        seen += latency->buckets[bucket];
        if (seen >= needed && seen > 0) {
            value = latency_bucket_ns(bucket);
            value = value < latency->minimum_ns ? latency->minimum_ns : value;
            return value > latency->maximum_ns ? latency->maximum_ns : value;
        }
    }
    return latency->maximum_ns;
}

void latency_write(FILE *stream, const struct latency *latency, bool with_buckets)
{
    static const struct {
        const char *name;
        uint32_t parts_per_million;
    } quantiles[] = {{"p50_ns", 500000}, {"p95_ns", 950000}, {"p99_ns", 990000}, {"p999_ns", 999000}};
    bool first = true;

    fprintf(stream, "{\"count\": %" PRIu64 ", \"minimum_ns\": %" PRIu64 ", \"mean_ns\": %" PRIu64, latency->count,
            latency->count > 0 ? latency->minimum_ns : 0, latency->count > 0 ? latency->sum_ns / latency->count : 0);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        fprintf(stream, ", \"%s\": %" PRIu64, quantiles[i].name,
                latency_quantile_ns(latency, quantiles[i].parts_per_million));
    fprintf(stream, ", \"maximum_ns\": %" PRIu64, latency->maximum_ns);
    if (with_buckets) {
        fputs(", \"buckets\": [", stream);
        for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
            if (latency->buckets[bucket] == 0)
                continue;
            fprintf(stream, "%s[%" PRIu64 ", %" PRIu64 "]", first ? "" : ", ", latency_bucket_ns(bucket),
                    latency->buckets[bucket]);
            first = false;
        }
        fputc(']', stream);
    }
    fputc('}', stream);
}
