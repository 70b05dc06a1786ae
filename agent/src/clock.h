/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, the cycle counter, and the rate at which a core really runs. */
#ifndef IPSECBENCH_CLOCK_H
#define IPSECBENCH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC_RAW where it exists: no adjustment by NTP changes the length of a second within a sample. */
uint64_t monotonic_ns(void);

/* CPU time of the calling thread. */
uint64_t thread_cpu_ns(void);

enum cycle_counter_kind { CYCLE_COUNTER_NONE, CYCLE_COUNTER_REFERENCE, CYCLE_COUNTER_CORE };

struct cycle_counter {
    const char *name; /* "cpu-cycles", "tsc", "cntvct"; NULL when there is none */
    enum cycle_counter_kind kind;
    uint64_t hz; /* of a reference counter; 0: unknown */
};

/* Chooses the counter at the first call (main thread): the core's own cycles when the kernel permits, else a reference. */
const struct cycle_counter *cycle_counter(void);

/* A thread's own counter. cycle_counter() must have been called before. */
struct cycle_counter_reader {
    int descriptor; /* -1: none is needed */
    bool usable;
};

void cycle_counter_open(struct cycle_counter_reader *reader);
uint64_t cycle_counter_read(const struct cycle_counter_reader *reader);
void cycle_counter_close(struct cycle_counter_reader *reader);

/* Runs dependent additions on this thread for about this long: additions, and therefore cycles, per second. */
uint64_t measure_core_hz(unsigned milliseconds, uint64_t *counter_hz);

#endif
