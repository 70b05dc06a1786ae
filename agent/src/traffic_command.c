/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "esp_plane.h"
#include "esp_plane_fields.h"
#include "parent.h"
#include "traffic.h"
#include "traffic_end.h"

enum { ENDS_MAXIMUM = 64 };

#define WAIT_STEP_NS UINT64_C(5000000)

static struct {
    struct traffic_end *ends[ENDS_MAXIMUM];
    size_t count;
} traffic;

/* One order: carries it out and answers; or fails, and has answered nothing. */
typedef bool (*order_function)(const struct request *request, const struct json_document *document,
                               struct failure *failure);

static struct traffic_end *find_end(const char *name, struct failure *failure)
{
    for (size_t i = 0; name != NULL && i < traffic.count; i++) {
        if (strcmp(traffic.ends[i]->name, name) == 0)
            return traffic.ends[i];
    }
    (void)fail(failure, FAILURE_USAGE, "name: there is no '%.40s'", name != NULL ? name : "");
    return NULL;
}

static void answer_done(const struct request *request)
{
    answer_begin(stdout, request, "done");
    answer_end(stdout);
}

static void destroy_end(struct traffic_end *end)
{
    traffic_end_stop(end);
    end->kind->destroy(end->state);
    (void)pthread_mutex_destroy(&end->mutex);
    free(end);
}

static bool open_end(const struct request *request, const struct json_document *document,
                     const struct traffic_settings *settings, const struct traffic_kind *kind, struct failure *failure)
{
    struct failure ignored;
    struct traffic_end *end;

    if (find_end(settings->name, &ignored) != NULL)
        return fail(failure, FAILURE_USAGE, "name: there is a '%s' already", settings->name);
    if (traffic.count == ENDS_MAXIMUM)
        return fail(failure, FAILURE_USAGE, "name: there are %d sources and sinks already", ENDS_MAXIMUM);
    end = calloc(1, sizeof *end);
    if (end == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for '%s'", settings->name);
    end->state = kind->open(settings, document, failure);
    if (end->state == NULL) {
        free(end);
        return false;
    }
    copy_text(end->name, sizeof end->name, settings->name);
    end->kind = kind;
    end->core = settings->core;
    (void)pthread_mutex_init(&end->mutex, NULL);
    traffic.ends[traffic.count++] = end;
    answer_done(request);
    return true;
}

static bool order_open_source(const struct request *request, const struct json_document *document,
                              struct failure *failure)
{
    static const struct traffic_kind *const kinds[] = {
        [SOURCE_UDP] = &traffic_source_udp,
        [SOURCE_DEVICE] = &traffic_source_device,
        [SOURCE_ESP] = &traffic_source_esp,
        [SOURCE_TCP] = &traffic_source_tcp,
    };
    struct traffic_settings settings;

    return traffic_read_source(document, &settings, failure) &&
           open_end(request, document, &settings, kinds[settings.kind], failure);
}

static bool order_open_sink(const struct request *request, const struct json_document *document,
                            struct failure *failure)
{
    static const struct traffic_kind *const kinds[] = {
        [SINK_UDP] = &traffic_sink_udp,
        [SINK_DEVICE] = &traffic_sink_device,
        [SINK_TCP] = &traffic_sink_tcp,
    };
    struct traffic_settings settings;

    return traffic_read_sink(document, &settings, failure) &&
           open_end(request, document, &settings, kinds[settings.kind], failure);
}

static bool order_drop_privileges(const struct request *request, const struct json_document *document,
                                  struct failure *failure)
{
    struct traffic_identity identity;

    if (!traffic_read_identity(document, &identity, failure))
        return false;
    for (size_t i = 0; i < traffic.count; i++) {
        /* Some privileges belong to a thread, and could not be taken from one that runs. */
        if (traffic.ends[i]->has_thread)
            return fail(failure, FAILURE_USAGE, "'%s' was started already: drop the privileges before",
                        traffic.ends[i]->name);
    }
    if (!drop_privileges(identity.uid != IDENTITY_KEPT, identity.uid, identity.gid != IDENTITY_KEPT, identity.gid,
                         failure))
        return false;
    answer_done(request);
    return true;
}

static bool order_start(const struct request *request, const struct json_document *document, struct failure *failure)
{
    struct traffic_plan plan;
    struct traffic_end *end;

    if (!traffic_read_plan(document, &plan, failure))
        return false;
    end = find_end(plan.name, failure);
    if (end == NULL)
        return false;
    if (end->kind->is_source && plan.count == 0 && plan.milliseconds == 0)
        return fail(failure, FAILURE_USAGE, "milliseconds: give a time or a count");
    if (atomic_load(&end->running))
        return fail(failure, FAILURE_USAGE, "name: '%s' is running", end->name);
    traffic_end_stop(end);
    end->plan = plan;
    end->plan.name = end->name;
    if (end->kind->is_source)
        memset(&end->progress, 0, sizeof end->progress);
    if (!traffic_end_start(end, failure))
        return false;
    answer_done(request);
    return true;
}

static void write_progress(const struct traffic_progress *progress)
{
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        {"packets", progress->packets},       {"bytes", progress->bytes},         {"refused", progress->refused},
        {"dropped", progress->dropped},       {"calls", progress->calls},         {"behind_ns", progress->behind_ns},
        {"started_ns", progress->started_ns}, {"ended_ns", progress->ended_ns},   {"cpu_ns", progress->cpu_ns},
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        printf(", \"%s\": %" PRIu64, members[i].name, members[i].value);
}

static void answer_statistics(const struct request *request, struct traffic_end *end, bool histogram)
{
    bool running = atomic_load(&end->running);
    const char *reason = NULL;

    (void)pthread_mutex_lock(&end->mutex);
    if (end->failure.code != FAILURE_NONE)
        reason = end->failure.message;
    else if (end->progress.last_error != 0)
        reason = strerror(end->progress.last_error);
    answer_begin(stdout, request, "statistics");
    fputs(", \"name\": ", stdout);
    json_write_string(stdout, end->name, strlen(end->name));
    printf(", \"kind\": \"%s\", \"running\": %s, \"failed\": %s, \"reason\": ", end->kind->name,
           running ? "true" : "false", end->failure.code != FAILURE_NONE ? "true" : "false");
    json_write_text_or_null(stdout, reason);
    write_progress(&end->progress);
    if (end->kind->write != NULL)
        end->kind->write(stdout, end, histogram);
    answer_end(stdout);
    (void)pthread_mutex_unlock(&end->mutex);
}

/* Reads which end is meant. */
static struct traffic_end *asked(const struct json_document *document, struct traffic_question *question,
                                 struct failure *failure)
{
    if (!traffic_read_question(document, question, failure))
        return NULL;
    return find_end(question->name, failure);
}

static bool order_statistics(const struct request *request, const struct json_document *document,
                             struct failure *failure)
{
    struct traffic_question question;
    struct traffic_end *end = asked(document, &question, failure);

    if (end == NULL)
        return false;
    answer_statistics(request, end, question.histogram);
    return true;
}

/* Waits until a source has ended by itself, but not longer than was said. */
static bool order_wait(const struct request *request, const struct json_document *document, struct failure *failure)
{
    struct traffic_question question;
    struct traffic_end *end = asked(document, &question, failure);
    uint64_t latest;

    if (end == NULL)
        return false;
    latest = traffic_now_ns() + question.timeout_ms * UINT64_C(1000000);
    while (atomic_load(&end->running) && traffic_now_ns() < latest)
        traffic_sleep_until(traffic_now_ns() + WAIT_STEP_NS);
    answer_statistics(request, end, question.histogram);
    return true;
}

static bool order_stop(const struct request *request, const struct json_document *document, struct failure *failure)
{
    struct traffic_question question;
    struct traffic_end *end = asked(document, &question, failure);

    if (end == NULL)
        return false;
    traffic_end_stop(end);
    answer_statistics(request, end, question.histogram);
    return true;
}

static bool order_reset(const struct request *request, const struct json_document *document, struct failure *failure)
{
    struct traffic_question question;
    struct traffic_end *end = asked(document, &question, failure);

    if (end == NULL)
        return false;
    if (end->kind->is_source)
        return fail(failure, FAILURE_USAGE, "name: '%s' is a source, which begins anew with every start", end->name);
    (void)pthread_mutex_lock(&end->mutex);
    memset(&end->progress, 0, sizeof end->progress);
    if (end->kind->reset != NULL)
        end->kind->reset(end, question.stream);
    (void)pthread_mutex_unlock(&end->mutex);
    answer_done(request);
    return true;
}

static bool order_close(const struct request *request, const struct json_document *document, struct failure *failure)
{
    struct traffic_question question;
    struct traffic_end *end = asked(document, &question, failure);

    if (end == NULL)
        return false;
    for (size_t i = 0; i < traffic.count; i++) {
        if (traffic.ends[i] == end) {
            traffic.ends[i] = traffic.ends[--traffic.count];
            break;
        }
    }
    destroy_end(end);
    answer_done(request);
    return true;
}

static const struct {
    const char *name;
    order_function function;
} orders[] = {
    {"open-source", order_open_source}, {"open-sink", order_open_sink}, {"drop-privileges", order_drop_privileges},
    {"start", order_start},             {"wait", order_wait},           {"statistics", order_statistics},
    {"stop", order_stop},               {"reset", order_reset},         {"close", order_close},
};

static bool carry_out(struct request *request, char *text, size_t length, struct failure *failure)
{
    static struct json_document document;
    const char *name;

    if (!request_parse_command(request, &document, text, length, &name, failure))
        return false;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i].name, name) == 0)
            return orders[i].function(request, &document, failure);
    }
    return fail(failure, FAILURE_USAGE, "command: there is no command '%.40s'", name);
}

void traffic_begin(void)
{
    live_with_parent();
}

void traffic_answer_line(char *line, size_t length)
{
    static struct request request;
    struct failure failure = {FAILURE_NONE, ""};

    memset(&request, 0, sizeof request);
    if (!carry_out(&request, line, length, &failure))
        answer_failure(stdout, &request, &failure);
    memset(line, 0, length); /* keys; the buffer is used again, so that this is no dead store */
}

void traffic_end_all(void)
{
    for (size_t i = 0; i < traffic.count; i++)
        atomic_store(&traffic.ends[i]->stop, true);
    while (traffic.count > 0)
        destroy_end(traffic.ends[--traffic.count]);
}
