/* SPDX-License-Identifier: Apache-2.0 */
/* The command `traffic`: sources and sinks of test packets, by orders (docs/agent-traffic.md). */
#ifndef IPSECBENCH_TRAFFIC_H
#define IPSECBENCH_TRAFFIC_H

#include <stddef.h>

void traffic_begin(void);

/* Carries out one order and answers on standard output. `line` is changed, and keys in it are overwritten. */
void traffic_answer_line(char *line, size_t length);

/* Ends every source and sink. */
void traffic_end_all(void);

#endif
