/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_orders.h"

#include <string.h>

#include "answers.h"
#include "esp_plane_jobs.h"

/* One order: carries it out and answers; or fails, and has answered nothing. */
typedef bool (*order_function)(struct plane *plane, FILE *stream, const struct request *request,
                               const struct json_document *document, struct failure *failure);

static void answer_done(FILE *stream, const struct request *request)
{
    answer_begin(stream, request, "done");
    answer_end(stream);
}

static bool order_open(struct plane *plane, FILE *stream, const struct request *request,
                       const struct json_document *document, struct failure *failure)
{
    static struct plane_settings settings;

    if (!settings_read_open(document, &settings, failure) || !plane_open(plane, &settings, failure))
        return false;
    answer_begin(stream, request, "open");
    fprintf(stream, ", \"queues\": %u, \"vnet_header_bytes\": %u", plane->worker_count, plane->vnet_header_bytes);
    answer_end(stream);
    return true;
}

static bool must_be_open(const struct plane *plane, struct failure *failure)
{
    return plane->opened || fail(failure, FAILURE_USAGE, "the data plane is not open: the first order is 'open'");
}

static bool order_add_sa(struct plane *plane, FILE *stream, const struct request *request,
                         const struct json_document *document, struct failure *failure)
{
    struct sa_settings settings;
    struct sa *sa;
    bool made;

    if (!must_be_open(plane, failure) || !settings_read_sa(document, plane->provider, &settings, failure))
        return false;
    if (sa_find(&plane->sas, settings.outbound, settings.spi) != NULL)
        return fail(failure, FAILURE_USAGE, "spi: %08x is in use", settings.spi);
    sa = sa_create(&settings, plane->worker_count, plane_now_ms(), failure);
    if (sa == NULL)
        return false;
    plane_pause(plane);
    /* What the first thread needs is made here, while its engine is at rest: what fails shows at once. */
    made = sa_make_context(sa, &settings, jobs_engine(plane->workers[0]), &plane->workers[0]->iv_source, failure);
    if (made) {
        sa_insert(&plane->sas, sa);
        plane->generation++;
    }
    plane_resume(plane);
    if (!made) {
        sa_destroy(sa);
        return false;
    }
    answer_begin(stream, request, "done");
    fprintf(stream, ", \"provider\": \"%s\"", settings.provider->name);
    answer_end(stream);
    return true;
}

static bool order_remove_sa(struct plane *plane, FILE *stream, const struct request *request,
                            const struct json_document *document, struct failure *failure)
{
    struct sa_name name;
    struct sa *sa;

    if (!must_be_open(plane, failure) || !settings_read_name(document, &name, failure))
        return false;
    sa = sa_find(&plane->sas, name.outbound, name.spi);
    if (sa != NULL) {
        plane_pause(plane);
        sa_remove(&plane->sas, sa);
        plane->generation++;
        plane_resume(plane);
        sa_destroy(sa);
    }
    answer_done(stream, request);
    return true;
}

static struct sa *find_named(struct plane *plane, const struct sa_name *name, struct failure *failure)
{
    struct sa *sa = sa_find(&plane->sas, name->outbound, name->spi);

    if (sa == NULL)
        (void)fail(failure, FAILURE_USAGE, "spi: there is no %s SA %08x", name->outbound ? "outbound" : "inbound",
                   name->spi);
    return sa;
}

static bool order_move_sa(struct plane *plane, FILE *stream, const struct request *request,
                          const struct json_document *document, struct failure *failure)
{
    struct move_settings settings;
    struct sa *sa;

    if (!must_be_open(plane, failure) || !settings_read_move(document, &settings, failure))
        return false;
    sa = find_named(plane, &settings.name, failure);
    if (sa == NULL)
        return false;
    plane_pause(plane);
    sa_move(sa, settings.version, settings.source, settings.destination, settings.encapsulated, settings.source_port,
            settings.destination_port);
    plane->generation++;
    plane_resume(plane);
    answer_done(stream, request);
    return true;
}

static bool order_add_policy(struct plane *plane, FILE *stream, const struct request *request,
                             const struct json_document *document, struct failure *failure)
{
    struct policy_settings settings;
    bool added;

    if (!must_be_open(plane, failure) || !settings_read_policy(document, &settings, failure))
        return false;
    plane_pause(plane);
    added = policy_add(&plane->policies[settings.outbound], settings.action, settings.reqid, settings.priority,
                       settings.selectors, settings.selector_count, failure);
    plane->generation++;
    plane_resume(plane);
    if (added)
        answer_done(stream, request);
    return added;
}

static bool order_remove_policy(struct plane *plane, FILE *stream, const struct request *request,
                                const struct json_document *document, struct failure *failure)
{
    struct policy_settings settings;

    if (!must_be_open(plane, failure) || !settings_read_policy(document, &settings, failure))
        return false;
    plane_pause(plane);
    (void)policy_remove(&plane->policies[settings.outbound], settings.action, settings.reqid, settings.priority,
                        settings.selectors, settings.selector_count);
    plane->generation++;
    plane_resume(plane);
    answer_done(stream, request);
    return true;
}

static bool order_sa_statistics(struct plane *plane, FILE *stream, const struct request *request,
                                const struct json_document *document, struct failure *failure)
{
    struct sa_name name;
    const struct sa *sa;

    if (!must_be_open(plane, failure) || !settings_read_name(document, &name, failure))
        return false;
    sa = find_named(plane, &name, failure);
    if (sa != NULL)
        answer_sa_statistics(stream, request, plane, sa);
    return sa != NULL;
}

static bool order_statistics(struct plane *plane, FILE *stream, const struct request *request,
                             const struct json_document *document, struct failure *failure)
{
    if (!must_be_open(plane, failure) || !settings_read_nothing(document, failure))
        return false;
    answer_plane_statistics(stream, request, plane);
    return true;
}

static bool order_events(struct plane *plane, FILE *stream, const struct request *request,
                         const struct json_document *document, struct failure *failure)
{
    if (!must_be_open(plane, failure) || !settings_read_nothing(document, failure))
        return false;
    answer_plane_events(stream, request, plane);
    return true;
}

static const struct {
    const char *name;
    order_function function;
} orders[] = {
    {"open", order_open},
    {"add-sa", order_add_sa},
    {"remove-sa", order_remove_sa},
    {"move-sa", order_move_sa},
    {"add-policy", order_add_policy},
    {"remove-policy", order_remove_policy},
    {"sa-statistics", order_sa_statistics},
    {"statistics", order_statistics},
    {"events", order_events},
};

static bool carry_out(struct plane *plane, FILE *stream, struct request *request, char *text, size_t length,
                      struct failure *failure)
{
    static struct json_document document;
    const char *name;

    if (!request_parse_command(request, &document, text, length, &name, failure))
        return false;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i].name, name) == 0)
            return orders[i].function(plane, stream, request, &document, failure);
    }
    return fail(failure, FAILURE_USAGE, "command: there is no command '%.40s'", name);
}

void plane_answer_line(struct plane *plane, FILE *stream, char *text, size_t length)
{
    static struct request request;
    struct failure failure = {FAILURE_NONE, ""};

    memset(&request, 0, sizeof request);
    if (!carry_out(plane, stream, &request, text, length, &failure))
        answer_failure(stream, &request, &failure);
    memset(text, 0, length); /* keys; the caller's buffer is used again, so that this is no dead store */
}

static void report(struct plane *plane, struct sa *sa, enum event_kind kind)
{
    struct plane_event event = {.kind = kind, .outbound = sa->outbound, .spi = sa->spi};
    uint8_t bit = (uint8_t)(1U << kind);

    if ((atomic_fetch_or(&sa->events_sent, bit) & bit) == 0)
        plane_report(&plane->events, &event);
}

void plane_expire(struct plane *plane)
{
    uint64_t now = plane_now_ms();

    /* Only this thread changes the database, and what workers must see of this is atomic: nothing needs to pause. */
    for (int outbound = 0; plane->sas.timed_count > 0 && outbound < 2; outbound++) {
        for (size_t i = 0; i < SA_BUCKETS; i++) {
            for (struct sa *sa = plane->sas.by_spi[outbound][i]; sa != NULL; sa = sa->next_by_spi) {
                if (sa->limits == NULL)
                    continue;
                if (now - sa->added_ms >= sa->limits->soft_ms)
                    report(plane, sa, EVENT_SOFT_LIMIT);
                if (now - sa->added_ms >= sa->limits->hard_ms) {
                    atomic_store(&sa->expired, true);
                    report(plane, sa, EVENT_HARD_LIMIT);
                }
            }
        }
    }
}
