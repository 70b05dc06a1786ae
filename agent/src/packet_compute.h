/* SPDX-License-Identifier: Apache-2.0 */
/* "compute" of the packet loop: the ESP transform once, with given inputs; and its known answers. */
#ifndef IPSECBENCH_PACKET_COMPUTE_H
#define IPSECBENCH_PACKET_COMPUTE_H

#include "esp_transform.h"

bool packet_compute(const struct symmetric_provider *provider, const struct esp_suite *suite,
                    const struct order *order, struct output *output, struct failure *failure);

/*
 * Packets of others where there are some for the suite; for every suite a packet that goes there and back, and that is
 * refused when it is changed or replayed. Defined in known_answers_esp.c.
 */
bool known_answers_suite(const struct symmetric_provider *provider, const struct esp_suite *suite,
                         struct failure *failure);

#endif
