/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink finds out about the packets of one stream: how many, which of them twice, late, damaged, and how old. */
#ifndef IPSECBENCH_TRAFFIC_ACCOUNT_H
#define IPSECBENCH_TRAFFIC_ACCOUNT_H

#include <stdio.h>

#include "replay_window.h"
#include "traffic_latency.h"
#include "traffic_payload.h"

/* Numbers are remembered so far back; a packet that comes later than that is counted as late and not looked up. */
enum { ACCOUNT_WINDOW_PACKETS = 1 << 20 };

struct traffic_account {
    uint8_t stream;
    uint64_t received;        /* different packets of the stream */
    uint64_t received_bytes;  /* their IP packets */
    uint64_t duplicated, late, reordered, corrupted;
    uint64_t foreign;         /* not of this stream, or not ours */
    uint64_t first_ns, last_ns; /* when the first and the last were received */
    struct latency latency;
    struct replay_window *window;
    uint64_t *highest;        /* of each flow, plus 1; FLOWS_MAXIMUM of them */
};

/* False when there is no memory. */
bool account_create(struct traffic_account *account);
void account_destroy(struct traffic_account *account);

/* Forgets everything; packets of another stream are foreign from now on. */
void account_reset(struct traffic_account *account, uint8_t stream);

/* One UDP payload; `header_bytes` are those in front of it in the IP packet. */
void account_packet(struct traffic_account *account, const uint8_t *payload, size_t length, size_t header_bytes,
                    uint64_t now_ns);

/* Writes members of a JSON object, each with a comma in front. */
void account_write(FILE *stream, const struct traffic_account *account, bool with_buckets);

#endif
