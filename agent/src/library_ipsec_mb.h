/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intel-ipsec-mb (libIPSec_MB), the multi-buffer library under VPP and DPDK, loaded at run time on x86-64: the ceiling
 * of what the box's instructions can do.
 *
 * Tier "primitive" hands it one buffer at a time and waits, so that its figures can stand beside those of other
 * libraries. Tier "packet-loop" keeps as many packets in flight as the library likes, as VPP and DPDK do.
 *
 * IPSECBENCH_MASK, a list such as "vaes,sha", says which instructions the library must not use. Where it cannot be kept
 * from them it offers nothing: its figures would be of something else.
 */
#ifndef IPSECBENCH_LIBRARY_IPSEC_MB_H
#define IPSECBENCH_LIBRARY_IPSEC_MB_H

#include "library_ipsec_mb_abi.h"
#include "operation.h"
#include "symmetric.h"

/* Loads the library at the first call (main thread only) and says what was found. Never NULL. */
const struct library *ipsec_mb_library(void);

/* True when the library is usable; FAILURE_UNSUPPORTED when a mask prevents it, FAILURE_LIBRARY otherwise. */
bool ipsec_mb_ready(struct failure *failure);

/* "libipsec-mb 1.3.0", for messages. */
const char *ipsec_mb_short_version(void);

/* A manager for one thread, initialised as the mask allows. NULL with a failure. */
struct mb_manager *ipsec_mb_new_manager(struct failure *failure);
void ipsec_mb_free_manager(struct mb_manager *manager);

/* Fails with the words of the library for the last error of a manager. Always false. */
bool ipsec_mb_fail(struct mb_manager *manager, const char *what, struct failure *failure);

/* One buffer at a time, behind the interface of symmetric.h. */
extern const struct symmetric_provider symmetric_ipsec_mb;

/* XCBC comes with 12 octets only; the rest is as in the tables of algorithms.h. */
const struct mac_algorithm *ipsec_mb_mac_algorithm(const struct mac_algorithm *algorithm);

extern const struct family ipsec_mb_primitives;
extern const struct family ipsec_mb_packet_loops;

#endif
