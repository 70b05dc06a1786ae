/* SPDX-License-Identifier: Apache-2.0 */
/* Random octets from the kernel. */
#ifndef IPSECBENCH_RANDOM_OCTETS_H
#define IPSECBENCH_RANDOM_OCTETS_H

#include <stddef.h>
#include <stdint.h>

#include "operation.h"

/* Fill octets[0..count), at most 256 of them; false, with the reason, when the kernel gives none. */
bool random_octets(uint8_t *octets, size_t count, struct failure *failure);

#endif
