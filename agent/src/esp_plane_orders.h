/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of the command `esp` (docs/agent-esp.md), understood and carried out. */
#ifndef IPSECBENCH_ESP_PLANE_ORDERS_H
#define IPSECBENCH_ESP_PLANE_ORDERS_H

#include <stdio.h>

#include "esp_plane.h"
#include "esp_plane_fields.h"
#include "json.h"
#include "request.h"

/* Carries out one order, and writes its answer. `text` is changed, and keys in it are overwritten. */
void plane_answer_line(struct plane *plane, FILE *stream, char *text, size_t length);

/* Members that mean settings of an SA (esp_plane_settings.c). `provider`: the only one to use; "": the best. */
bool settings_read_sa(const struct json_document *document, const char *provider, struct sa_settings *settings,
                      struct failure *failure);
bool settings_read_open(const struct json_document *document, struct plane_settings *settings,
                        struct failure *failure);

/*
 * Suite and provider by the suite's name: the best library that has it, or `only` that one, once it has passed its known
 * answers. settings->esn is set already (esp_plane_suite.c).
 */
bool settings_find_suite(const char *name, const char *only, struct sa_settings *settings, struct failure *failure);

struct policy_settings {
    bool outbound;
    enum policy_action action;
    uint32_t reqid, priority;
    uint32_t selector_count;
    const struct selector *selectors; /* until the next order */
};

bool settings_read_policy(const struct json_document *document, struct policy_settings *settings,
                          struct failure *failure);

/* Which SA an order means. */
struct sa_name {
    bool outbound;
    uint32_t spi;
};

bool settings_read_name(const struct json_document *document, struct sa_name *name, struct failure *failure);

struct move_settings {
    struct sa_name name;
    uint8_t version;
    bool encapsulated;
    struct address source, destination;
    uint16_t source_port, destination_port;
};

bool settings_read_move(const struct json_document *document, struct move_settings *settings,
                        struct failure *failure);
/* No members but those that every order has. */
bool settings_read_nothing(const struct json_document *document, struct failure *failure);

/* Answers that tell much (esp_plane_answers.c). */
void answer_plane_statistics(FILE *stream, const struct request *request, struct plane *plane);
void answer_sa_statistics(FILE *stream, const struct request *request, struct plane *plane, const struct sa *sa);
void answer_plane_events(FILE *stream, const struct request *request, struct plane *plane);

/* Limits in seconds; to be called a few times a second. */
void plane_expire(struct plane *plane);

#endif
