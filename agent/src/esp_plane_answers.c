/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pthread_getcpuclockid */
#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

#include "answers.h"
#include "esp_plane_orders.h"

const char *const plane_counter_names[COUNTER_COUNT] = {
    [IN_ERROR] = "XfrmInError",
    [IN_BUFFER_ERROR] = "XfrmInBufferError",
    [IN_HEADER_ERROR] = "XfrmInHdrError",
    [IN_NO_STATES] = "XfrmInNoStates",
    [IN_STATE_PROTO_ERROR] = "XfrmInStateProtoError",
    [IN_STATE_MODE_ERROR] = "XfrmInStateModeError",
    [IN_STATE_SEQ_ERROR] = "XfrmInStateSeqError",
    [IN_STATE_EXPIRED] = "XfrmInStateExpired",
    [IN_STATE_MISMATCH] = "XfrmInStateMismatch",
    [IN_STATE_INVALID] = "XfrmInStateInvalid",
    [IN_TEMPLATE_MISMATCH] = "XfrmInTmplMismatch",
    [IN_NO_POLICIES] = "XfrmInNoPols",
    [IN_POLICY_BLOCK] = "XfrmInPolBlock",
    [IN_POLICY_ERROR] = "XfrmInPolError",
    [OUT_ERROR] = "XfrmOutError",
    [OUT_BUNDLE_GENERATION_ERROR] = "XfrmOutBundleGenError",
    [OUT_NO_STATES] = "XfrmOutNoStates",
    [OUT_STATE_PROTO_ERROR] = "XfrmOutStateProtoError",
    [OUT_STATE_MODE_ERROR] = "XfrmOutStateModeError",
    [OUT_STATE_SEQ_ERROR] = "XfrmOutStateSeqError",
    [OUT_STATE_EXPIRED] = "XfrmOutStateExpired",
    [OUT_POLICY_BLOCK] = "XfrmOutPolBlock",
    [OUT_POLICY_ERROR] = "XfrmOutPolError",
    [OUT_STATE_INVALID] = "XfrmOutStateInvalid",
};

static const char *const event_names[] = {
    [EVENT_SOFT_LIMIT] = "soft-limit",
    [EVENT_HARD_LIMIT] = "hard-limit",
    [EVENT_SEQUENCE_EXHAUSTED] = "sequence-exhausted",
    [EVENT_PATH_CHANGED] = "path-changed",
};

/* Processor time of another thread. */
static uint64_t cpu_ns(const struct worker *worker)
{
    clockid_t clock;
    struct timespec time;

    if (pthread_getcpuclockid(worker->thread, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void add(struct worker_statistics *sum, const struct worker_statistics *more)
{
    sum->outbound_packets += more->outbound_packets;
    sum->outbound_bytes += more->outbound_bytes;
    sum->inbound_packets += more->inbound_packets;
    sum->inbound_bytes += more->inbound_bytes;
    sum->dummies += more->dummies;
    sum->keepalives += more->keepalives;
    sum->tun_reads += more->tun_reads;
    sum->tun_writes += more->tun_writes;
    sum->sends += more->sends;
    sum->receptions += more->receptions;
    sum->cpu_ns += more->cpu_ns;
    for (int i = 0; i < COUNTER_COUNT; i++)
        sum->dropped[i] += more->dropped[i];
    for (int i = 0; i < CPU_PARTS; i++)
        sum->part_ns[i] += more->part_ns[i];
}

/*
 * Processor time by part. What was measured of the parts is time on the wall, which is longer where the thread lost its
 * processor: their proportions are applied to the processor time.
 */
static void write_cpu(FILE *stream, const struct worker_statistics *statistics, bool split)
{
    static const char *const names[CPU_PARTS] = {[CPU_TUN] = "tun", [CPU_CRYPTO] = "crypto", [CPU_SOCKET] = "socket"};
    uint64_t sum = 0;

    fprintf(stream, "\"cpu_ns\": {\"total\": %" PRIu64, statistics->cpu_ns);
    for (int i = 0; i < CPU_PARTS; i++)
        sum += statistics->part_ns[i];
    for (int i = 0; split && sum > 0 && i < CPU_PARTS; i++)
        fprintf(stream, ", \"%s\": %" PRIu64, names[i],
                (uint64_t)((double)statistics->cpu_ns * ((double)statistics->part_ns[i] / (double)sum)));
    fputc('}', stream);
}

static void write_counts(FILE *stream, const struct worker_statistics *statistics, bool split)
{
    fprintf(stream,
            "\"outbound_packets\": %" PRIu64 ", \"outbound_bytes\": %" PRIu64 ", \"inbound_packets\": %" PRIu64
            ", \"inbound_bytes\": %" PRIu64 ", ",
            statistics->outbound_packets, statistics->outbound_bytes, statistics->inbound_packets,
            statistics->inbound_bytes);
    fprintf(stream,
            "\"dummies\": %" PRIu64 ", \"keepalives\": %" PRIu64 ", \"calls\": {\"tun_reads\": %" PRIu64
            ", \"tun_writes\": %" PRIu64 ", \"sends\": %" PRIu64 ", \"receptions\": %" PRIu64 "}, ",
            statistics->dummies, statistics->keepalives, statistics->tun_reads, statistics->tun_writes,
            statistics->sends, statistics->receptions);
    write_cpu(stream, statistics, split);
}

void answer_plane_statistics(FILE *stream, const struct request *request, struct plane *plane)
{
    static struct worker_statistics each[QUEUES_MAXIMUM];
    struct worker_statistics sum = {.cpu_ns = 0};
    bool first = true;

    plane_pause(plane);
    for (unsigned i = 0; i < plane->worker_count; i++) {
        plane->workers[i]->statistics.cpu_ns = cpu_ns(plane->workers[i]);
        each[i] = plane->workers[i]->statistics;
    }
    plane_resume(plane);
    for (unsigned i = 0; i < plane->worker_count; i++)
        add(&sum, &each[i]);
    answer_begin(stream, request, "statistics");
    fputs(", ", stream);
    write_counts(stream, &sum, plane->split_cpu);
    fprintf(stream, ", \"sas\": %zu, \"dropped\": {", plane->sas.count);
    for (int i = 0; i < COUNTER_COUNT; i++) {
        if (sum.dropped[i] == 0)
            continue;
        fprintf(stream, "%s\"%s\": %" PRIu64, first ? "" : ", ", plane_counter_names[i], sum.dropped[i]);
        first = false;
    }
    fputs("}, \"threads\": [", stream);
    for (unsigned i = 0; i < plane->worker_count; i++) {
        fputs(i > 0 ? ", {" : "{", stream);
        write_counts(stream, &each[i], plane->split_cpu);
        fputc('}', stream);
    }
    fputc(']', stream);
    answer_end(stream);
}

void answer_sa_statistics(FILE *stream, const struct request *request, struct plane *plane, const struct sa *sa)
{
    uint64_t packets, bytes, replayed, forged, sequence, last_ms, now = plane_now_ms();

    plane_pause(plane);
    packets = atomic_load(&sa->packets);
    bytes = atomic_load(&sa->bytes);
    replayed = atomic_load(&sa->replayed);
    forged = atomic_load(&sa->forged);
    sequence = sa->outbound ? atomic_load(&sa->sequence) : sa->window != NULL ? sa->window->top : 0;
    last_ms = atomic_load(&sa->last_ms);
    plane_resume(plane);
    answer_begin(stream, request, "sa-statistics");
    fprintf(stream,
            ", \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"replayed\": %" PRIu64 ", \"forged\": %" PRIu64
            ", \"sequence\": %" PRIu64 ", \"idle_ms\": %" PRIu64 ", \"provider\": \"%s\"",
            packets, bytes, replayed, forged, sequence, now > last_ms ? now - last_ms : 0, sa->provider->name);
    answer_end(stream);
}

static void write_event(FILE *stream, const struct plane_event *event)
{
    uint8_t octets[16];
    char text[INET6_ADDRSTRLEN] = "";

    fprintf(stream, "{\"kind\": \"%s\", \"direction\": \"%s\", \"spi\": %" PRIu32, event_names[event->kind],
            event->outbound ? "outbound" : "inbound", event->spi);
    if (event->kind == EVENT_PATH_CHANGED) {
        address_write(event->source, event->version, octets);
        (void)inet_ntop(event->version == 4 ? AF_INET : AF_INET6, octets, text, sizeof text);
        fprintf(stream, ", \"source\": \"%s\", \"source_port\": %u", text, event->port);
    }
    fputc('}', stream);
}

static void take_list(FILE *stream, struct event_list *list, bool *first, uint64_t *lost)
{
    for (size_t i = 0; i < list->count; i++) {
        fputs(*first ? "" : ", ", stream);
        write_event(stream, &list->events[i]);
        *first = false;
    }
    *lost += list->lost;
    list->count = 0;
    list->lost = 0;
}

void answer_plane_events(FILE *stream, const struct request *request, struct plane *plane)
{
    bool first = true;
    uint64_t lost = 0;

    answer_begin(stream, request, "events");
    fputs(", \"events\": [", stream);
    /* Written to memory or to a pipe that the parent reads: it takes no longer than a burst. */
    plane_pause(plane);
    take_list(stream, &plane->events, &first, &lost);
    for (unsigned i = 0; i < plane->worker_count; i++)
        take_list(stream, &plane->workers[i]->events, &first, &lost);
    plane_resume(plane);
    fprintf(stream, "], \"lost\": %" PRIu64, lost);
    answer_end(stream);
}
