/* SPDX-License-Identifier: Apache-2.0 */
/* A source or a sink of test traffic: one thread each, what it has done so far, and what every kind of them offers. */
#ifndef IPSECBENCH_TRAFFIC_END_H
#define IPSECBENCH_TRAFFIC_END_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "traffic_settings.h"

/* What a source has done in its present or last run, or a sink since it was reset. Guarded by the end's mutex. */
struct traffic_progress {
    uint64_t packets;      /* offered; sinks: received, where they merely count */
    uint64_t bytes;        /* of their IP packets; TCP: of the stream */
    uint64_t refused;      /* of those offered: the kernel would not take them */
    uint64_t dropped;      /* sinks: lost in front of the sink, which was too slow */
    uint64_t calls;
    uint64_t behind_ns;    /* the most that a source was late */
    uint64_t started_ns, ended_ns;
    uint64_t cpu_ns;
    int last_error;        /* errno of the last packet that was refused */
};

struct traffic_end {
    char name[TRAFFIC_NAME_BYTES];
    const struct traffic_kind *kind;
    void *state;
    uint32_t core;
    struct traffic_plan plan;
    pthread_t thread;
    bool has_thread;       /* to be joined */
    atomic_bool stop;
    atomic_bool running;
    pthread_mutex_t mutex;
    struct traffic_progress progress; /* guarded, as is the next */
    struct failure failure;           /* why it ended early */
};

struct traffic_kind {
    const char *name;
    bool is_source;
    /* Opens sockets and allocates everything. NULL with a failure. */
    void *(*open)(const struct traffic_settings *settings, const struct json_document *document,
                  struct failure *failure);
    /* The body of the thread; ends when `stop` is set, at the latest a tenth of a second later. */
    void (*run)(struct traffic_end *end);
    /* Writes members of a JSON object, each with a comma in front; the mutex is held. NULL: nothing of its own. */
    void (*write)(FILE *stream, struct traffic_end *end, bool histogram);
    /* Sinks: forgets what was counted; the mutex is held. NULL: nothing of its own. */
    void (*reset)(struct traffic_end *end, uint32_t stream);
    void (*destroy)(void *state);
};

extern const struct traffic_kind traffic_source_udp, traffic_source_device, traffic_source_esp, traffic_source_tcp;
extern const struct traffic_kind traffic_sink_udp, traffic_sink_device, traffic_sink_tcp;

/* CLOCK_MONOTONIC: the same in every namespace, and one that a thread can sleep by. */
static inline uint64_t traffic_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Sleeps until then, or for so long that `stop` is still looked at often. */
void traffic_sleep_until(uint64_t then_ns);

/* Sends up to `limit` packets, at least one unit; returns how many were offered. 0 with a failure: it cannot go on. */
typedef uint32_t (*traffic_send)(struct traffic_end *end, uint32_t limit, struct traffic_progress *progress,
                                 struct failure *failure);

/* Runs a source of packets by its plan; `unit` packets are sent at a time. */
void traffic_run_paced(struct traffic_end *end, traffic_send send, uint32_t unit);

/* Starts the thread of an end that has none. */
bool traffic_end_start(struct traffic_end *end, struct failure *failure);

/* Ends and joins the thread, if there is one. */
void traffic_end_stop(struct traffic_end *end);

/* Sets why an end stopped early. */
void traffic_end_fail(struct traffic_end *end, const struct failure *failure);

#endif
