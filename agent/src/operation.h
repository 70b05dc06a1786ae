/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order is, and what every family of algorithms offers to the order loop.
 *
 * A family is one provider's implementation of one kind of algorithm in one tier: libcrypto's ciphers, libcrypto's
 * packet loop, libcrypto's key exchange methods, and so on. It says which rows it has, checks one against known
 * answers, prepares one to be measured, and computes one result for given inputs.
 *
 * Threads: rows(), describe(), check() and compute() are called on the main thread only. check() has passed before
 * prepare() is called, so whatever a family keeps for the life of the process (fetched algorithms, groups) is made
 * there or in describe(). prepare(), run() and destroy() are called on the worker's own thread, several workers at
 * the same time: they only read what the family keeps.
 */
#ifndef IPSECBENCH_OPERATION_H
#define IPSECBENCH_OPERATION_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PRINTF_LIKE(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#else
#define PRINTF_LIKE(format_index, first_index)
#endif

enum {
    NAME_BYTES = 64,           /* longest name in an order, with its NUL */
    MESSAGE_BYTES = 320,       /* longest message or reason, with its NUL */
    SIZE_MAXIMUM_BYTES = 65535,
    CORES_MAXIMUM = 1024,
    REPLAY_NUMBERS_MAXIMUM = 4096,
    REPLAY_WINDOW_MAXIMUM = 65536,
    DETAILS_MAXIMUM = 8
};

/* The codes of docs/agent-protocol.md. */
enum failure_code {
    FAILURE_NONE = 0,
    FAILURE_USAGE,
    FAILURE_UNSUPPORTED,
    FAILURE_LIBRARY,
    FAILURE_KNOWN_ANSWER,
    FAILURE_REJECTED,
    FAILURE_FAILED,
    FAILURE_MEMORY
};

struct failure {
    enum failure_code code;
    char message[MESSAGE_BYTES];
};

/* Fills a failure in; always returns false, so that a function can end with `return fail(...)`. */
bool fail(struct failure *failure, enum failure_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* One bit for each operation, because a row offers a set of them. Names: operation_name(). */
enum operation {
    OPERATION_ENCRYPT = 1U << 0,
    OPERATION_DECRYPT = 1U << 1,
    OPERATION_AUTHENTICATE = 1U << 2,
    OPERATION_VERIFY = 1U << 3, /* integrity and signatures */
    OPERATION_PRF = 1U << 4,
    OPERATION_PRF_PLUS = 1U << 5,
    OPERATION_GENERATE = 1U << 6,
    OPERATION_AGREE = 1U << 7,
    OPERATION_ENCAPSULATE = 1U << 8,
    OPERATION_DECAPSULATE = 1U << 9,
    OPERATION_SIGN = 1U << 10,
    OPERATION_OUTBOUND = 1U << 11,
    OPERATION_INBOUND = 1U << 12,
    OPERATION_KEY_SETUP = 1U << 13
};

enum mix { MIX_NONE = 0, MIX_IMIX_SIMPLE, MIX_IMIX_CSIT };

/* Octets of an order, already decoded from hexadecimal. data is never NULL when present. */
struct bytes {
    const uint8_t *data;
    size_t length;
    bool present;
};

/*
 * A parsed speed or compute order. Only the ranges of docs/agent-protocol.md have been checked; whether a field makes
 * sense for the algorithm (key length, missing input) is for prepare() and compute() to say, with FAILURE_USAGE.
 */
struct order {
    enum operation operation;
    uint32_t size_bytes; /* 0: absent */
    enum mix mix;
    bool esn;
    uint64_t iterations; /* already rounded up to whole cycles of the mix */
    uint64_t warmup;
    uint32_t replay_window_packets;
    uint32_t exponent_bits; /* 0: absent */
    size_t core_count;

    /* compute only */
    struct bytes key, iv, aad, input;
    struct bytes encryption_key, integrity_key;
    struct bytes private_key, peer_public, public_key, signature;
    uint64_t sequence;
    uint32_t spi;
    uint32_t sequence_high;
    bool has_spi;
    bool has_sequence_high;
    uint8_t next_header;
    size_t replay_count;

    /* What is large comes last: members near the start are reached with shorter instructions. */
    char provider[NAME_BYTES];
    char tier[NAME_BYTES];
    char algorithm[NAME_BYTES];
    uint32_t cores[CORES_MAXIMUM];
    uint64_t replay_numbers[REPLAY_NUMBERS_MAXIMUM];
};

/* Facts about what was run, for "detail" in the answer. name is a string constant. */
struct detail {
    struct {
        const char *name;
        uint64_t value;
    } facts[DETAILS_MAXIMUM];
    size_t count;
};

void detail_add(struct detail *detail, const char *name, uint64_t value);

/*
 * One prepared measurement of one worker. run() performs up to `iterations` operations in a tight loop and returns how
 * many succeeded; less than asked means that the operation with that number (from 0) failed. It allocates nothing,
 * makes no system call (but to the kernel's own ciphers), and may be called again: it then goes on from where it was (warm-up, then the sample).
 */
struct measurement {
    void *state;
    uint64_t (*run)(void *state, uint64_t iterations);
    void (*destroy)(void *state);
    struct detail detail;
};

/* Where compute() puts its result. capacity is at least 262,144. */
struct output {
    uint8_t *data;
    size_t capacity;
    size_t length;
};

/* One line of the answer to "list". operations 0 with a reason: the row exists in the protocol but cannot run here. */
struct row {
    char algorithm[NAME_BYTES];
    unsigned operations;
    char reason[MESSAGE_BYTES];
};

struct family {
    const char *provider; /* "libcrypto", "libgcrypt", "libipsec-mb", "kernel", "kernel-batched" */
    const char *tier;     /* "primitive" or "packet-loop" */

    /* Number of rows. The same for the life of the process, and the same whether or not the library is there. */
    size_t (*rows)(void);
    /* Fills one row in. When the library itself is missing, reason says so. */
    void (*describe)(size_t index, struct row *row);
    /* Runs the known answers of one row: FAILURE_KNOWN_ANSWER when one is wrong. Rows that can run have at least one. */
    bool (*check)(size_t index, struct failure *failure);
    /* Allocates everything for one worker. On failure nothing is left allocated. */
    bool (*prepare)(size_t index, const struct order *order, struct measurement *measurement, struct failure *failure);
    /* Computes once with the order's inputs; the same code path as run(). */
    bool (*compute)(size_t index, const struct order *order, struct output *output, struct failure *failure);
};

enum library_status { LIBRARY_LOADED, LIBRARY_MISSING, LIBRARY_UNUSABLE };

/* What "info" says about one library. Strings are empty when unknown. */
struct library {
    const char *provider;
    enum library_status status;
    char path[512];
    char version[128];
    const char *modules[4]; /* NULL-terminated */
    char cpu_settings[256];
    char note[MESSAGE_BYTES];
};

/* "encrypt" and so on; NULL for a value that is not one bit of enum operation. */
const char *operation_name(enum operation operation);
/* The other way; 0 when there is no such operation. */
enum operation operation_from_name(const char *name);

/* Copies a string into a fixed buffer, cutting it if it must be; always ends in NUL. */
void copy_text(char *destination, size_t capacity, const char *text);

#endif
