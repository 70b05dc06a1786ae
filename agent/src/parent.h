/* SPDX-License-Identifier: Apache-2.0 */
/* A parent that is killed takes the agent with it, even when others still hold its end of the pipe. */
#ifndef IPSECBENCH_PARENT_H
#define IPSECBENCH_PARENT_H

/* To be called at the start, and again whenever the user changes: the kernel then forgets what it was asked for. */
void live_with_parent(void);

#endif
