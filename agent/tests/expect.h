/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest of test harnesses: EXPECT counts, the summary goes to standard output, a failure ends in exit code 1. */
#ifndef IPSECBENCH_EXPECT_H
#define IPSECBENCH_EXPECT_H

#include <stdio.h>

static unsigned expectations, disappointments;

#define EXPECT(condition)                                                        \
    do {                                                                         \
        expectations++;                                                          \
        if (!(condition)) {                                                      \
            disappointments++;                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                        \
    } while (0)

static int expect_summary(const char *name)
{
    printf("%s: %u checks, %u failed\n", name, expectations, disappointments);
    return disappointments != 0;
}

#endif
