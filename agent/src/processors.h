/* SPDX-License-Identifier: Apache-2.0 */
/* The processors that this process may run on. */
#ifndef IPSECBENCH_PROCESSORS_H
#define IPSECBENCH_PROCESSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESSORS_MAXIMUM = 8192 };

/* Writes their numbers in ascending order; returns how many there are (0: unknown). */
size_t processors_allowed(uint32_t *numbers, size_t capacity);

/* Pins the calling thread. False when the processor does not exist or is not allowed. */
bool processor_pin(uint32_t number);

#endif
