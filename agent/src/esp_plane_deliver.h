/* SPDX-License-Identifier: Apache-2.0 */
/* Inner packets of one worker on their way to the TUN device, joined to larger ones where it takes them. */
#ifndef IPSECBENCH_ESP_PLANE_DELIVER_H
#define IPSECBENCH_ESP_PLANE_DELIVER_H

#include "esp_plane.h"

bool deliver_create(struct worker *worker, struct failure *failure);
void deliver_destroy(struct worker *worker);

/* Memory for a packet of at most `bytes`, until the end of the burst; NULL when there is none left. */
uint8_t *deliver_room(struct worker *worker, size_t bytes);

/* Takes an inner packet, which stays where it is until the end of the burst. */
void deliver_packet(struct worker *worker, uint8_t *packet, size_t length);

/* Ends a burst: writes everything that waits. */
void deliver_end_burst(struct worker *worker);

/* Writes one packet at once: an ICMP error. */
void deliver_now(struct worker *worker, uint8_t *packet, size_t length);

#endif
