/* SPDX-License-Identifier: Apache-2.0 */
/* Every library and family that the agent was built with. */
#ifndef IPSECBENCH_REGISTRY_H
#define IPSECBENCH_REGISTRY_H

#include "operation.h"

/* NULL-terminated. */
extern const struct family *const registered_families[];

typedef const struct library *(*library_function)(void);

/* NULL-terminated. */
extern const library_function registered_libraries[];

#endif
