/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESP data plane: what the files esp_plane_*.c share.
 *
 * The main thread owns the databases: it alone changes them, and only between plane_pause() and plane_resume(), when no
 * worker is inside a burst. A worker reads them without a lock. It holds its own mutex for as long as a burst of packets
 * takes, never for one packet, and never while it waits.
 */
#ifndef IPSECBENCH_ESP_PLANE_H
#define IPSECBENCH_ESP_PLANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_plane_packet.h"
#include "esp_plane_policy.h"
#include "esp_plane_sa.h"

enum {
    QUEUES_MAXIMUM = 64,
    EVENTS_MAXIMUM = 1024,        /* of one worker that were not fetched yet; more are dropped and counted */
    PACKET_BYTES_MAXIMUM = 65535, /* of an IP packet */
    VNET_HEADER_BYTES_MAXIMUM = 64,
    TUN_BUFFER_BYTES = 65536 + VNET_HEADER_BYTES_MAXIMUM
};

/* Linux's names: Documentation/networking/xfrm_proc.rst. */
enum plane_counter {
    IN_ERROR,
    IN_BUFFER_ERROR,
    IN_HEADER_ERROR,
    IN_NO_STATES,
    IN_STATE_PROTO_ERROR,
    IN_STATE_MODE_ERROR,
    IN_STATE_SEQ_ERROR,
    IN_STATE_EXPIRED,
    IN_STATE_MISMATCH,
    IN_STATE_INVALID,
    IN_TEMPLATE_MISMATCH,
    IN_NO_POLICIES,
    IN_POLICY_BLOCK,
    IN_POLICY_ERROR,
    OUT_ERROR,
    OUT_BUNDLE_GENERATION_ERROR,
    OUT_NO_STATES,
    OUT_STATE_PROTO_ERROR,
    OUT_STATE_MODE_ERROR,
    OUT_STATE_SEQ_ERROR,
    OUT_STATE_EXPIRED,
    OUT_POLICY_BLOCK,
    OUT_POLICY_ERROR,
    OUT_STATE_INVALID,
    COUNTER_COUNT
};

extern const char *const plane_counter_names[COUNTER_COUNT];

enum event_kind { EVENT_SOFT_LIMIT, EVENT_HARD_LIMIT, EVENT_SEQUENCE_EXHAUSTED, EVENT_PATH_CHANGED };

struct plane_event {
    enum event_kind kind;
    bool outbound;
    uint32_t spi;
    uint8_t version; /* PATH_CHANGED: of the address */
    uint16_t port;
    struct address source;
};

struct event_list {
    struct plane_event events[EVENTS_MAXIMUM];
    size_t count;
    uint64_t lost;
};

enum socket_kind { SOCKET_UDP4, SOCKET_UDP6, SOCKET_RAW4, SOCKET_RAW6, SOCKET_KINDS };

/* Descriptors of one worker; -1: absent. */
struct queue {
    int tun;
    int sockets[SOCKET_KINDS];
    bool has_core;
    uint32_t core;
};

enum cpu_part { CPU_TUN, CPU_CRYPTO, CPU_SOCKET, CPU_PARTS };

/* Only its own worker writes it; the main thread reads it while everything is paused. */
struct worker_statistics {
    uint64_t outbound_packets, outbound_bytes;
    uint64_t inbound_packets, inbound_bytes;
    uint64_t dummies, keepalives;
    uint64_t tun_reads, tun_writes, sends, receptions;
    uint64_t dropped[COUNTER_COUNT];
    uint64_t part_ns[CPU_PARTS]; /* wall-clock time, where it was asked for */
    uint64_t cpu_ns;
};

struct send_queue;
struct reception;
struct delivery;
struct jobs;

struct worker {
    struct plane *plane;
    unsigned number;
    struct queue queue;
    int send_sockets[SOCKET_KINDS]; /* its own, or those of another queue */
    int wake;                       /* eventfd */
    pthread_t thread;
    bool started;
    pthread_mutex_t busy;           /* held during a burst */
    uint64_t now_ms;                /* at the beginning of the burst */
    uint64_t mark_ns;               /* the end of the last part that was timed */
    struct worker_statistics statistics;
    struct event_list events;
    struct iv_source iv_source;
    struct flow_cache *outbound_flows, *inbound_flows;
    struct send_queue *send_queue;
    struct reception *reception;
    struct delivery *delivery;
    struct jobs *jobs; /* NULL: without intel-ipsec-mb */
    uint8_t *tun_buffer, *segment_buffer, *fragment_buffer;
};

struct plane {
    bool opened;
    bool split_cpu;
    char provider[NAME_BYTES]; /* the library to use; empty: the best for each suite */
    uint32_t vnet_header_bytes; /* 0: none */
    unsigned worker_count;
    struct worker *workers[QUEUES_MAXIMUM];
    atomic_bool pausing, stopping;
    pthread_mutex_t gate; /* held while paused */
    struct sa_database sas;
    struct policy_database policies[2]; /* [outbound] */
    uint64_t generation; /* changes with the databases: what a flow cache knows of an older one is void */
    struct event_list events; /* the main thread's own */
};

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t plane_now_ms(void);

/* No worker is inside a burst from here until plane_resume(). Main thread only. */
void plane_pause(struct plane *plane);
void plane_resume(struct plane *plane);

/* Puts an event on a list; a full one counts it as lost. */
void plane_report(struct event_list *list, const struct plane_event *event);

/* Opens descriptors, makes workers and drops privileges. On failure nothing runs. */
struct plane_settings {
    struct queue queues[QUEUES_MAXIMUM];
    unsigned queue_count;
    const char *provider; /* NULL: the best for each suite */
    bool vnet_header, split_cpu;
    bool has_uid, has_gid;
    uint32_t uid, gid;
    uint32_t socket_buffer_bytes;
};

bool plane_open(struct plane *plane, const struct plane_settings *settings, struct failure *failure);
void plane_close(struct plane *plane);

/* Gives up every privilege (privileges.c). */
bool drop_privileges(bool has_uid, uint32_t uid, bool has_gid, uint32_t gid, struct failure *failure);

/* The command: what main() calls around and for each order, and between orders (esp_plane_tick). */
void esp_plane_begin(void);
void esp_plane_answer_line(char *line, size_t length);
int esp_plane_tick(void);
void esp_plane_end(void);

static inline void count_drop(struct worker *worker, enum plane_counter counter)
{
    worker->statistics.dropped[counter]++;
}

/* Ends a part whose time is taken: what passed since the last mark belongs to it. */
void worker_mark(struct worker *worker, enum cpu_part part);

static inline void end_part(struct worker *worker, enum cpu_part part)
{
    if (worker->plane->split_cpu)
        worker_mark(worker, part);
}

/* esp_plane_outbound.c: packets from the TUN device; returns how many were read. */
size_t outbound_burst(struct worker *worker);

/* esp_plane_inbound.c: packets from one socket; returns how many datagrams were read. */
size_t inbound_burst(struct worker *worker, enum socket_kind kind);

/* Counts a packet of an SA, and says whether its limits let it through; reports what must be reported. */
bool worker_admit(struct worker *worker, struct sa *sa, size_t inner_bytes);

/* Reports what is reported once for an SA. */
void worker_report_once(struct worker *worker, struct sa *sa, enum event_kind kind);

/* The context of this worker for an SA, made at its first packet; NULL with a drop counted by the caller. */
struct esp_sa *worker_transform(struct worker *worker, struct sa *sa);

#endif
