/* SPDX-License-Identifier: Apache-2.0 */
/* "compute" of ciphers and integrity algorithms: the calls of the timed loops, once, with given inputs. */
#ifndef IPSECBENCH_PRIMITIVE_COMPUTE_H
#define IPSECBENCH_PRIMITIVE_COMPUTE_H

#include "symmetric.h"

/*
 * Exactly one of the two algorithms is not NULL. `verify` takes the input with its ICV (in ESP's length) at the end and
 * has no output.
 */
bool primitive_compute(const struct symmetric_provider *provider, const struct cipher_algorithm *cipher_algorithm,
                       const struct mac_algorithm *mac_algorithm, const struct order *order, struct output *output,
                       struct failure *failure);

#endif
