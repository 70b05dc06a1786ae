/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "library_ipsec_mb_packets.h"
#include "random_octets.h"

enum { ALIGNMENT = 64, SLOTS = 128 }; /* more slots than jobs in flight, a power of two */

struct job_slot {
    struct mb_packet packet; /* first: a job leads here by its packet */
    struct opening opening;
};

struct jobs {
    struct job_slot slots[SLOTS];
    struct mb_engine *engine;
    unsigned next;
    bool failed;
};

bool jobs_create(struct worker *worker, struct failure *failure)
{
    uint8_t key[16];
    struct failure missing;

    if (!ipsec_mb_ready(&missing))
        return true;
    if (!random_octets(key, sizeof key, failure))
        return false;
    worker->jobs = aligned_alloc(ALIGNMENT, (sizeof *worker->jobs + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (worker->jobs == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for packets in flight");
    memset(worker->jobs, 0, sizeof *worker->jobs);
    worker->jobs->engine = mb_engine_create(key, failure);
    return worker->jobs->engine != NULL;
}

void jobs_destroy(struct worker *worker)
{
    if (worker->jobs != NULL)
        mb_engine_destroy(worker->jobs->engine);
    free(worker->jobs);
    worker->jobs = NULL;
}

struct mb_engine *jobs_engine(const struct worker *worker)
{
    return worker->jobs != NULL ? worker->jobs->engine : NULL;
}

static struct job_slot *next_slot(struct jobs *jobs)
{
    return &jobs->slots[jobs->next++ % SLOTS];
}

bool jobs_seal(struct worker *worker, struct sa *sa, uint64_t sequence, uint8_t *packet, size_t payload_bytes,
               uint8_t next_header, size_t *packet_bytes)
{
    struct jobs *jobs = worker->jobs;
    struct job_slot *slot = next_slot(jobs);
    struct mb_job *job;
    bool accepted;

    slot->packet.data = packet;
    slot->packet.inner_bytes = payload_bytes;
    job = mb_submit_outbound(jobs->engine, sa->mb, &slot->packet, sequence, NULL, next_header, &accepted);
    if (!accepted)
        return false;
    *packet_bytes = sa->mb->payload_offset + slot->packet.body_bytes + sa->mb->icv_bytes;
    for (; job != NULL; job = mb_next_completed(jobs->engine))
        jobs->failed |= mb_finish(jobs->engine, job, NULL) != ESP_OK;
    return true;
}

bool jobs_finish_sealing(struct worker *worker)
{
    struct jobs *jobs = worker->jobs;
    struct mb_job *job;
    bool good;

    if (jobs == NULL)
        return true;
    while (jobs->engine->in_flight > 0 && (job = mb_flush(jobs->engine)) != NULL)
        jobs->failed |= mb_finish(jobs->engine, job, NULL) != ESP_OK;
    good = !jobs->failed && jobs->engine->in_flight == 0;
    jobs->failed = false;
    jobs->engine->in_flight = 0;
    return good;
}

static void opened(struct worker *worker, const struct mb_job *job)
{
    const struct job_slot *slot = job->user_data;
    struct esp_inner_packet inner;
    enum esp_result result = mb_finish(worker->jobs->engine, job, &inner);

    inbound_opened(worker, &slot->opening, result, &inner);
}

enum esp_result jobs_open(struct worker *worker, const struct opening *opening, uint8_t *packet, size_t packet_bytes,
                          uint8_t *output)
{
    struct jobs *jobs = worker->jobs;
    struct job_slot *slot = next_slot(jobs);
    enum esp_result result;
    struct mb_job *job;

    slot->packet.data = packet;
    slot->packet.output = output;
    slot->packet.window = NULL; /* that is for inbound_opened() to mark */
    slot->opening = *opening;
    job = mb_submit_inbound(jobs->engine, opening->sa->mb, &slot->packet, opening->sequence, packet_bytes, &result);
    for (; job != NULL; job = mb_next_completed(jobs->engine))
        opened(worker, job);
    return result;
}

void jobs_finish_opening(struct worker *worker)
{
    struct jobs *jobs = worker->jobs;
    struct mb_job *job;

    if (jobs == NULL)
        return;
    while (jobs->engine->in_flight > 0 && (job = mb_flush(jobs->engine)) != NULL)
        opened(worker, job);
    jobs->engine->in_flight = 0;
}
