/* SPDX-License-Identifier: Apache-2.0 */
/* The command `esp`: one data plane, for as long as orders may come. */
#include <stdio.h>

#include "esp_plane_orders.h"
#include "parent.h"

enum { TICK_MS = 100 };

static struct plane plane;

void esp_plane_begin(void)
{
    live_with_parent();
    (void)pthread_mutex_init(&plane.gate, NULL);
}

void esp_plane_answer_line(char *line, size_t length)
{
    plane_answer_line(&plane, stdout, line, length);
}

int esp_plane_tick(void)
{
    plane_expire(&plane);
    return plane.sas.timed_count > 0 ? TICK_MS : -1;
}

void esp_plane_end(void)
{
    plane_close(&plane);
}
