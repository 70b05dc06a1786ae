/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* syscall() */
#include "clock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/perf_event.h>)
#define HAVE_PERF_EVENT 1
#include <linux/perf_event.h>
#include <sys/syscall.h>
#endif
#endif

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t monotonic_ns(void)
{
#ifdef CLOCK_MONOTONIC_RAW
    return read_clock(CLOCK_MONOTONIC_RAW);
#else
    return read_clock(CLOCK_MONOTONIC);
#endif
}

uint64_t thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* The counters that a program may read without asking the kernel. */
#if defined(__x86_64__) || defined(__i386__)
#define REFERENCE_NAME "tsc"
static uint64_t read_reference(void)
{
    uint32_t low, high;

    /* The fence keeps the reading from being taken before what is measured has been done. */
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
#elif defined(__aarch64__)
#define REFERENCE_NAME "cntvct"
static uint64_t read_reference(void)
{
    uint64_t value;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
    return value;
}
#else
#define REFERENCE_NAME NULL
static uint64_t read_reference(void)
{
    return 0;
}
#endif

static uint64_t reference_hz(void)
{
#if defined(__aarch64__)
    uint64_t value;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
    return value;
#else
    uint64_t start_ns = monotonic_ns(), start = read_reference(), now_ns;

    do {
        now_ns = monotonic_ns();
    } while (now_ns - start_ns < 20000000U);
    return (uint64_t)((double)(read_reference() - start) * 1e9 / (double)(now_ns - start_ns));
#endif
}

static int open_core_counter(void)
{
#ifdef HAVE_PERF_EVENT
    struct perf_event_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_CPU_CYCLES;
    attributes.exclude_kernel = 1; /* what an unprivileged process may count */
    attributes.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
#else
    return -1;
#endif
}

static uint64_t read_core_counter(int descriptor)
{
    uint64_t value = 0;

    if (read(descriptor, &value, sizeof value) != (ssize_t)sizeof value)
        return 0;
    return value;
}

/* A virtual machine may let the counter be opened and never count. */
static bool core_counter_counts(void)
{
    int descriptor = open_core_counter();
    uint64_t start, end;

    if (descriptor < 0)
        return false;
    start = read_core_counter(descriptor);
    for (volatile unsigned i = 0; i < 10000; i++)
        continue;
    end = read_core_counter(descriptor);
    (void)close(descriptor);
    return end > start && end - start > 10000;
}

const struct cycle_counter *cycle_counter(void)
{
    static struct cycle_counter chosen;
    static bool done;

    if (done)
        return &chosen;
    done = true;
    if (core_counter_counts()) {
        chosen.name = "cpu-cycles";
        chosen.kind = CYCLE_COUNTER_CORE;
    } else if (REFERENCE_NAME != NULL) {
        chosen.name = REFERENCE_NAME;
        chosen.kind = CYCLE_COUNTER_REFERENCE;
        chosen.hz = reference_hz();
    }
    return &chosen;
}

void cycle_counter_open(struct cycle_counter_reader *reader)
{
    const struct cycle_counter *counter = cycle_counter();

    reader->descriptor = -1;
    reader->usable = counter->kind != CYCLE_COUNTER_NONE;
    if (counter->kind == CYCLE_COUNTER_CORE) {
        reader->descriptor = open_core_counter();
        reader->usable = reader->descriptor >= 0;
    }
}

uint64_t cycle_counter_read(const struct cycle_counter_reader *reader)
{
    if (reader->descriptor >= 0)
        return read_core_counter(reader->descriptor);
    return reader->usable ? read_reference() : 0;
}

void cycle_counter_close(struct cycle_counter_reader *reader)
{
    if (reader->descriptor >= 0)
        (void)close(reader->descriptor);
    reader->descriptor = -1;
}

/*
 * The addend is a register that the compiler knows nothing about: recent cores do additions of constants while they
 * rename registers, which would take no cycle at all.
 */
#define ADD_1 __asm__ volatile("" : "+r"(sum) : "r"(addend)); sum += addend;
#define ADD_4 ADD_1 ADD_1 ADD_1 ADD_1
#define ADD_16 ADD_4 ADD_4 ADD_4 ADD_4
#define ADD_64 ADD_16 ADD_16 ADD_16 ADD_16
#define ADD_256 ADD_64 ADD_64 ADD_64 ADD_64

enum { ADDITIONS_PER_TURN = 256 };

static uintptr_t add(unsigned turns, uintptr_t addend)
{
    uintptr_t sum = addend;

    while (turns-- > 0) {
        ADD_256
    }
    return sum;
}

uint64_t measure_core_hz(unsigned milliseconds, uint64_t *counter_hz)
{
    enum { TURNS = 64 };
    const uint64_t wanted_ns = (uint64_t)milliseconds * 1000000U;
    volatile uintptr_t addend = 3, result = 0;
    struct cycle_counter_reader reader;
    uint64_t start_ns, start_cycles, end_cycles, elapsed_ns, additions = 0;

    cycle_counter_open(&reader);
    result += add(TURNS, addend); /* the code is in the cache, the core out of its sleep */
    start_cycles = cycle_counter_read(&reader);
    start_ns = monotonic_ns();
    do {
        result += add(TURNS, addend);
        additions += (uint64_t)TURNS * ADDITIONS_PER_TURN;
        elapsed_ns = monotonic_ns() - start_ns;
    } while (elapsed_ns < wanted_ns);
    end_cycles = cycle_counter_read(&reader);
    (void)result;
    *counter_hz = reader.usable ? (uint64_t)((double)(end_cycles - start_cycles) * 1e9 / (double)elapsed_ns) : 0;
    cycle_counter_close(&reader);
    return (uint64_t)((double)additions * 1e9 / (double)elapsed_ns);
}
