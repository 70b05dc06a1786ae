/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_latency.h"

#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "internet_packets.h"

static struct latency latency;

static int compare(const void *left, const void *right)
{
    uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;

    return (one > other) - (one < other);
}

/* Every bucket begins where the one before it ends, and its middle is no further from any of its values than 1.6%. */
static void buckets_are_narrow_and_complete(void)
{
    unsigned last = 0;
    bool steps = true, narrow = true;

    for (uint64_t ns = 0; ns < UINT64_C(1) << 41; ns += ns / 1000 + 1) {
        unsigned bucket = latency_bucket(ns);
        uint64_t middle = latency_bucket_ns(bucket);
        uint64_t distance = middle > ns ? middle - ns : ns - middle;

        steps = steps && bucket >= last && bucket <= last + 1 && bucket < LATENCY_BUCKETS;
        narrow = narrow && (distance * 1000 <= ns * 16 || ns >= UINT64_C(1) << 40);
        last = bucket;
    }
    EXPECT(steps);
    EXPECT(narrow);
    EXPECT(latency_bucket(UINT64_MAX) == LATENCY_BUCKETS - 1);
    EXPECT(latency_bucket(63) == 63 && latency_bucket(64) == 64 && latency_bucket(127) == 127);
    EXPECT(latency_bucket(128) == 128 && latency_bucket(129) == 128 && latency_bucket(130) == 129);
}

/* Against a sorted list. */
static void quantiles_are_those_of_a_list(void)
{
    enum { VALUES = 20000 };
    static uint64_t values[VALUES];
    static const uint32_t parts[] = {0, 1, 100000, 500000, 950000, 990000, 999000, 999999, 1000000};
    uint64_t random = 5;

    latency_reset(&latency);
    EXPECT(latency_quantile_ns(&latency, 500000) == 0);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)next_random(&random) >> next_random(&random) % 28;
        latency_add(&latency, values[i]);
    }
    qsort(values, VALUES, sizeof values[0], compare);
    EXPECT(latency.count == VALUES && latency.minimum_ns == values[0] && latency.maximum_ns == values[VALUES - 1]);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        uint64_t rank = ((uint64_t)parts[i] * VALUES + 999999) / 1000000;
        uint64_t exact = values[rank > 0 ? rank - 1 : 0];
        uint64_t told = latency_quantile_ns(&latency, parts[i]);
        uint64_t distance = told > exact ? told - exact : exact - told;

        EXPECT(distance * 1000 <= exact * 16);
    }
    EXPECT(latency_quantile_ns(&latency, 1000000) <= latency.maximum_ns);
}

static void one_value_is_all_quantiles(void)
{
    latency_reset(&latency);
    latency_add(&latency, 123456789);
    EXPECT(latency_quantile_ns(&latency, 1) == 123456789);
    EXPECT(latency_quantile_ns(&latency, 999999) == 123456789);
}

int main(void)
{
    buckets_are_narrow_and_complete();
    quantiles_are_those_of_a_list();
    one_value_is_all_quantiles();
    return expect_summary("latencies");
}
