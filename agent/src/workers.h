/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one prepared measurement on one or more threads at once. */
#ifndef IPSECBENCH_WORKERS_H
#define IPSECBENCH_WORKERS_H

#include "operation.h"

struct sample {
    bool pinned;
    uint32_t core;
    uint64_t iterations;
    uint64_t wall_ns;
    uint64_t cpu_ns;
    bool has_cycles;
    uint64_t cycles;
    uint64_t involuntary_switches;
    uint64_t minor_faults;
};

/*
 * One worker per entry of order->cores, or one unpinned. Each prepares its own contexts and buffers on its own
 * processor; all are released at once. `samples` has room for max(1, order->core_count). False when any worker failed:
 * then no sample means anything.
 */
bool workers_run(const struct family *family, size_t row, const struct order *order, struct sample *samples,
                 struct detail *detail, struct failure *failure);

#endif
