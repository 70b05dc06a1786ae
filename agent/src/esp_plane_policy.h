/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SPD of one direction (RFC 4301 section 4.4.1), made so that many policies cost no more than one: entries lie in
 * hash tables by the lengths of their prefixes (tuple space search), and what was found for a flow is remembered by the
 * thread that asked.
 */
#ifndef IPSECBENCH_ESP_PLANE_POLICY_H
#define IPSECBENCH_ESP_PLANE_POLICY_H

#include "esp_plane_packet.h"
#include "operation.h"

enum policy_action { ACTION_PROTECT, ACTION_BYPASS, ACTION_DISCARD };

enum { SELECTORS_MAXIMUM = 256, TUPLES_MAXIMUM = 33 * 33 + 129 * 129, FLOW_CACHE_ENTRIES = 16384 };

/* Inclusive ranges. Protocol 0 is any; ports 65535 to 0 are OPAQUE: only packets without ports. */
struct selector {
    uint8_t version;
    uint8_t protocol;
    uint16_t source_start_port, source_end_port, destination_start_port, destination_end_port;
    struct address source_start, source_end, destination_start, destination_end;
};

bool selector_matches(const struct selector *selector, const struct flow *flow);

struct policy {
    enum policy_action action;
    uint32_t reqid;
    uint32_t priority;
    uint64_t number; /* of its addition: the earlier goes first among equals */
    uint32_t selector_count;
    struct policy *next, **place; /* in the list of all */
    struct policy_entry *entries;
};

/* One pair of selectors of a policy, in its place. */
struct policy_entry {
    struct selector selector;
    struct policy *policy;
    struct policy_entry *next; /* in its bucket, the best first */
};

struct policy_tuple {
    uint8_t version, source_bits, destination_bits;
    uint32_t entry_count, bucket_mask;
    struct policy_entry **buckets;
};

struct policy_database {
    struct policy *first;
    uint64_t additions;
    struct policy_tuple *tuples;
    uint32_t tuple_count;
};

/* What may be added; false with FAILURE_USAGE when the same is there already. Everything else is copied. */
bool policy_add(struct policy_database *database, enum policy_action action, uint32_t reqid, uint32_t priority,
                const struct selector *selectors, uint32_t selector_count, struct failure *failure);
/* False when there is none like it. */
bool policy_remove(struct policy_database *database, enum policy_action action, uint32_t reqid, uint32_t priority,
                   const struct selector *selectors, uint32_t selector_count);
void policy_clear(struct policy_database *database);

/* The policy that a packet falls under; NULL when there is none. */
const struct policy *policy_find(const struct policy_database *database, const struct flow *flow);

/* What one thread remembers of flows: the policy, and for whom (`sa`: outbound the SA to use, inbound the one it came by). */
struct sa;

struct flow_cache_entry {
    struct flow flow;
    uint64_t generation; /* 0: empty */
    const struct policy *policy;
    struct sa *sa;
};

struct flow_cache {
    struct flow_cache_entry entries[FLOW_CACHE_ENTRIES];
};

uint64_t flow_hash(const struct flow *flow);

#endif
