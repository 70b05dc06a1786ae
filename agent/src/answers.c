/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

#include "catalogue.h"
#include "clock.h"
#include "processors.h"
#include "workers.h"

enum { PROTOCOL_VERSION = 1 };

#define TEXT_OF(token) #token
#define NUMBER_TEXT(macro) TEXT_OF(macro)
#if defined(__clang__)
#define COMPILER \
    "clang " NUMBER_TEXT(__clang_major__) "." NUMBER_TEXT(__clang_minor__) "." NUMBER_TEXT(__clang_patchlevel__)
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static const char *const code_names[] = {
    [FAILURE_NONE] = "failed",           [FAILURE_USAGE] = "usage",       [FAILURE_UNSUPPORTED] = "unsupported",
    [FAILURE_LIBRARY] = "library",       [FAILURE_KNOWN_ANSWER] = "known-answer",
    [FAILURE_REJECTED] = "rejected",     [FAILURE_FAILED] = "failed",     [FAILURE_MEMORY] = "memory",
};

/* {"id": …, "type": "…" */
void answer_begin(FILE *stream, const struct request *request, const char *type)
{
    fputs("{\"id\": ", stream);
    if (request->identifier_length == 0 && !request->identifier_is_string)
        fputs("null", stream);
    else if (request->identifier_is_string)
        json_write_string(stream, request->identifier, request->identifier_length);
    else
        fwrite(request->identifier, 1, request->identifier_length, stream);
    fprintf(stream, ", \"type\": \"%s\"", type);
}

void answer_end(FILE *stream)
{
    fputs("}\n", stream);
}

static void write_text(FILE *stream, const char *name, const char *text)
{
    fprintf(stream, "\"%s\": ", name);
    json_write_text_or_null(stream, text);
}

void answer_failure(FILE *stream, const struct request *request, const struct failure *failure)
{
    answer_begin(stream, request, "error");
    fprintf(stream, ", \"code\": \"%s\", ", code_names[failure->code]);
    write_text(stream, "message", failure->message[0] != '\0' ? failure->message : "no reason given");
    answer_end(stream);
}

static void write_library(FILE *stream, const struct library *library)
{
    static const char *const statuses[] = {
        [LIBRARY_LOADED] = "loaded", [LIBRARY_MISSING] = "missing", [LIBRARY_UNUSABLE] = "unusable"};

    fputc('{', stream);
    write_text(stream, "provider", library->provider);
    fprintf(stream, ", \"status\": \"%s\", ", statuses[library->status]);
    write_text(stream, "path", library->path);
    fputs(", ", stream);
    write_text(stream, "version", library->version);
    fputs(", \"modules\": [", stream);
    for (size_t i = 0; i < sizeof library->modules / sizeof library->modules[0] && library->modules[i] != NULL; i++) {
        fputs(i > 0 ? ", " : "", stream);
        json_write_text_or_null(stream, library->modules[i]);
    }
    fputs("], ", stream);
    write_text(stream, "cpu_settings", library->cpu_settings);
    fputs(", ", stream);
    write_text(stream, "note", library->note);
    fputc('}', stream);
}

static void write_cycle_counter(FILE *stream)
{
    static const char *const kinds[] = {
        [CYCLE_COUNTER_NONE] = "none", [CYCLE_COUNTER_REFERENCE] = "reference", [CYCLE_COUNTER_CORE] = "core"};
    const struct cycle_counter *counter = cycle_counter();

    fputs(", \"cycle_counter\": {", stream);
    write_text(stream, "name", counter->name);
    fprintf(stream, ", \"kind\": \"%s\", \"hz\": ", kinds[counter->kind]);
    if (counter->hz != 0)
        fprintf(stream, "%" PRIu64 "}", counter->hz);
    else
        fputs("null}", stream);
}

static void answer_info(FILE *stream, const struct request *request)
{
    static uint32_t numbers[PROCESSORS_MAXIMUM];
    size_t count = processors_allowed(numbers, PROCESSORS_MAXIMUM);
    struct utsname system;

    memset(&system, 0, sizeof system);
    (void)uname(&system);
    answer_begin(stream, request, "info");
    fprintf(stream, ", \"protocol\": %d, ", PROTOCOL_VERSION);
    write_text(stream, "version", AGENT_VERSION);
    fputs(", ", stream);
    write_text(stream, "compiler", COMPILER);
    fputs(", ", stream);
    write_text(stream, "machine", system.machine);
    fputs(", \"libraries\": [", stream);
    for (size_t i = 0; registered_libraries[i] != NULL; i++) {
        fputs(i > 0 ? ", " : "", stream);
        write_library(stream, registered_libraries[i]());
    }
    fputc(']', stream);
    write_cycle_counter(stream);
    fprintf(stream, ", \"hwcap\": \"0x%lx\", \"hwcap2\": \"0x%lx\", \"cores\": [", getauxval(AT_HWCAP),
            getauxval(AT_HWCAP2));
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s%" PRIu32, i > 0 ? ", " : "", numbers[i]);
    fputc(']', stream);
    answer_end(stream);
}

struct clock_run {
    const struct request *request;
    bool pinned;
    uint64_t hz, counter_hz;
};

/* On a thread of its own, so that pinning does not outlive the order. */
static void *run_clock(void *argument)
{
    struct clock_run *run = argument;

    run->pinned = !run->request->has_core || processor_pin(run->request->core);
    if (run->pinned)
        run->hz = measure_core_hz(run->request->milliseconds, &run->counter_hz);
    return NULL;
}

static bool answer_clock(FILE *stream, const struct request *request, struct failure *failure)
{
    struct clock_run run = {.request = request};
    pthread_t thread;

    (void)cycle_counter(); /* chosen here, on the main thread */
    if (pthread_create(&thread, NULL, run_clock, &run) != 0)
        return fail(failure, FAILURE_MEMORY, "no thread for the clock");
    (void)pthread_join(thread, NULL);
    if (!run.pinned)
        return fail(failure, FAILURE_USAGE, "core: the agent may not run on processor %" PRIu32, request->core);
    answer_begin(stream, request, "clock");
    if (request->has_core)
        fprintf(stream, ", \"core\": %" PRIu32, request->core);
    else
        fputs(", \"core\": null", stream);
    fprintf(stream, ", \"hz\": %" PRIu64 ", \"cycle_counter_hz\": ", run.hz);
    if (cycle_counter()->kind == CYCLE_COUNTER_NONE)
        fputs("null", stream);
    else
        fprintf(stream, "%" PRIu64, run.counter_hz);
    answer_end(stream);
    return true;
}

static void write_row(FILE *stream, const struct family *family, const struct row *row)
{
    bool first = true;

    fputc('{', stream);
    write_text(stream, "provider", family->provider);
    fputs(", ", stream);
    write_text(stream, "tier", family->tier);
    fputs(", ", stream);
    write_text(stream, "algorithm", row->algorithm);
    fputs(", \"operations\": [", stream);
    for (unsigned bit = 1; bit <= OPERATION_KEY_SETUP; bit <<= 1) {
        if ((row->operations & bit) == 0)
            continue;
        fputs(first ? "" : ", ", stream);
        json_write_text_or_null(stream, operation_name((enum operation)bit));
        first = false;
    }
    fputs("], ", stream);
    write_text(stream, "reason", row->reason);
    fputc('}', stream);
}

static void answer_list(FILE *stream, const struct request *request)
{
    struct row row;
    bool first = true;

    answer_begin(stream, request, "list");
    fputs(", \"rows\": [", stream);
    for (size_t i = 0; registered_families[i] != NULL; i++) {
        const struct family *family = registered_families[i];

        for (size_t index = 0; index < family->rows(); index++) {
            family->describe(index, &row);
            fputs(first ? "" : ", ", stream);
            write_row(stream, family, &row);
            first = false;
        }
    }
    fputc(']', stream);
    answer_end(stream);
}

static void answer_check(FILE *stream, const struct request *request)
{
    const struct order *order = &request->order;
    unsigned passed = 0, failed = 0;
    struct row row;

    answer_begin(stream, request, "check");
    fputs(", \"failures\": [", stream);
    for (size_t i = 0; registered_families[i] != NULL; i++) {
        const struct family *family = registered_families[i];

        if (order->provider[0] != '\0' && strcmp(order->provider, family->provider) != 0)
            continue;
        for (size_t index = 0; index < family->rows(); index++) {
            struct catalogue_entry entry = {family, i, index};
            struct failure failure = {FAILURE_NONE, ""};

            family->describe(index, &row);
            if (row.operations == 0 || (order->algorithm[0] != '\0' && strcmp(order->algorithm, row.algorithm) != 0))
                continue;
            if (catalogue_admit(&entry, &failure)) {
                passed++;
                continue;
            }
            fputs(failed++ > 0 ? ", {" : "{", stream);
            write_text(stream, "provider", family->provider);
            fputs(", ", stream);
            write_text(stream, "algorithm", row.algorithm);
            fputs(", ", stream);
            write_text(stream, "message", failure.message);
            fputc('}', stream);
        }
    }
    fprintf(stream, "], \"passed\": %u, \"failed\": %u", passed, failed);
    answer_end(stream);
}

static void write_worker(FILE *stream, const struct sample *sample)
{
    fputs("{\"core\": ", stream);
    if (sample->pinned)
        fprintf(stream, "%" PRIu32, sample->core);
    else
        fputs("null", stream);
    fprintf(stream, ", \"iterations\": %" PRIu64 ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 ", \"cycles\": ",
            sample->iterations, sample->wall_ns, sample->cpu_ns);
    if (sample->has_cycles)
        fprintf(stream, "%" PRIu64, sample->cycles);
    else
        fputs("null", stream);
    fprintf(stream, ", \"involuntary_switches\": %" PRIu64 ", \"minor_faults\": %" PRIu64 "}",
            sample->involuntary_switches, sample->minor_faults);
}

static bool answer_speed(FILE *stream, const struct request *request, struct failure *failure)
{
    const struct order *order = &request->order;
    size_t count = order->core_count > 0 ? order->core_count : 1;
    struct catalogue_entry entry;
    struct detail detail;
    struct sample *samples;

    if (!catalogue_find(order, &entry, failure) || !catalogue_admit(&entry, failure))
        return false;
    samples = calloc(count, sizeof *samples);
    if (samples == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for %zu samples", count);
    if (!workers_run(entry.family, entry.row, order, samples, &detail, failure)) {
        free(samples);
        return false;
    }
    answer_begin(stream, request, "sample");
    fputs(", \"workers\": [", stream);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : "", stream);
        write_worker(stream, &samples[i]);
    }
    fputs("], \"detail\": {", stream);
    for (size_t i = 0; i < detail.count; i++)
        fprintf(stream, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", detail.facts[i].name, detail.facts[i].value);
    fputc('}', stream);
    answer_end(stream);
    free(samples);
    return true;
}

static bool answer_compute(FILE *stream, const struct request *request, struct failure *failure)
{
    static uint8_t buffer[2 * REQUEST_BYTES_MAXIMUM];
    struct output output = {.data = buffer, .capacity = sizeof buffer};
    struct catalogue_entry entry;

    if (!catalogue_find(&request->order, &entry, failure) || !catalogue_admit(&entry, failure) ||
        !entry.family->compute(entry.row, &request->order, &output, failure))
        return false;
    answer_begin(stream, request, "result");
    fputs(", \"output\": ", stream);
    json_write_hex(stream, output.data, output.length);
    answer_end(stream);
    return true;
}

void answer_request(FILE *stream, const struct request *request)
{
    struct failure failure = {FAILURE_NONE, ""};
    bool answered = true;

    switch (request->command) {
    case COMMAND_INFO:
        answer_info(stream, request);
        break;
    case COMMAND_CLOCK:
        answered = answer_clock(stream, request, &failure);
        break;
    case COMMAND_LIST:
        answer_list(stream, request);
        break;
    case COMMAND_CHECK:
        answer_check(stream, request);
        break;
    case COMMAND_SPEED:
        answered = answer_speed(stream, request, &failure);
        break;
    case COMMAND_COMPUTE:
        answered = answer_compute(stream, request, &failure);
        break;
    }
    if (!answered)
        answer_failure(stream, request, &failure);
}
