/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_account.h"

#include <inttypes.h>
#include <stdlib.h>

bool account_create(struct traffic_account *account)
{
    memset(account, 0, sizeof *account);
    account->window = malloc(replay_window_bytes(ACCOUNT_WINDOW_PACKETS));
    account->highest = calloc(FLOWS_MAXIMUM, sizeof *account->highest);
    if (account->window == NULL || account->highest == NULL) {
        account_destroy(account);
        return false;
    }
    replay_window_initialise(account->window, ACCOUNT_WINDOW_PACKETS);
    account_reset(account, 0);
    return true;
}

void account_destroy(struct traffic_account *account)
{
    free(account->window);
    free(account->highest);
    account->window = NULL;
    account->highest = NULL;
}

void account_reset(struct traffic_account *account, uint8_t stream)
{
    struct replay_window *window = account->window;
    uint64_t *highest = account->highest;

    memset(account, 0, sizeof *account);
    account->window = window;
    account->highest = highest;
    account->stream = stream;
    memset(highest, 0, FLOWS_MAXIMUM * sizeof *highest);
    replay_window_reset(window, 0);
    latency_reset(&account->latency);
}

void account_packet(struct traffic_account *account, const uint8_t *payload, size_t length, size_t header_bytes,
                    uint64_t now_ns)
{
    struct payload_header header;
    uint64_t number;

    if (!payload_read(payload, length, &header) || header.stream != account->stream || header.flow >= FLOWS_MAXIMUM) {
        account->foreign++;
        return;
    }
    if (!payload_is_intact(payload, length)) {
        account->corrupted++;
        return;
    }
    number = (uint64_t)header.sequence + 1; /* the window knows no number 0 */
    if (!replay_window_check(account->window, number)) {
        if (account->window->top - number >= ACCOUNT_WINDOW_PACKETS)
            account->late++;
        else
            account->duplicated++;
        return;
    }
    replay_window_update(account->window, number);
    if (number < account->highest[header.flow])
        account->reordered++;
    else
        account->highest[header.flow] = number;
    if (account->received == 0)
        account->first_ns = now_ns;
    account->last_ns = now_ns;
    account->received++;
    account->received_bytes += header_bytes + length;
    latency_add(&account->latency, now_ns > header.sent_ns ? now_ns - header.sent_ns : 0);
}

void account_write(FILE *stream, const struct traffic_account *account, bool with_buckets)
{
    fprintf(stream,
            ", \"stream\": %u, \"received\": %" PRIu64 ", \"received_bytes\": %" PRIu64 ", \"duplicated\": %" PRIu64
            ", \"late\": %" PRIu64 ", \"reordered\": %" PRIu64 ", \"corrupted\": %" PRIu64 ", \"foreign\": %" PRIu64
            ", \"first_ns\": %" PRIu64 ", \"last_ns\": %" PRIu64 ", \"latency\": ",
            account->stream, account->received, account->received_bytes, account->duplicated, account->late,
            account->reordered, account->corrupted, account->foreign, account->first_ns, account->last_ns);
    latency_write(stream, &account->latency, with_buckets);
}
