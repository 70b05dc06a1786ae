/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* cpu_set_t */
#include "processors.h"

#include <sched.h>
#include <string.h>

/* cpu_set_t holds 1024 processors; the kernel takes any multiple of it. */
enum { SETS = PROCESSORS_MAXIMUM / CPU_SETSIZE };

size_t processors_allowed(uint32_t *numbers, size_t capacity)
{
    cpu_set_t sets[SETS];
    size_t count = 0;

    memset(sets, 0, sizeof sets);
    if (sched_getaffinity(0, sizeof sets, sets) != 0)
        return 0;
    for (uint32_t number = 0; number < PROCESSORS_MAXIMUM && count < capacity; number++) {
        if (CPU_ISSET(number % CPU_SETSIZE, &sets[number / CPU_SETSIZE]))
            numbers[count++] = number;
    }
    return count;
}

bool processor_pin(uint32_t number)
{
    cpu_set_t sets[SETS];

    if (number >= PROCESSORS_MAXIMUM)
        return false;
    memset(sets, 0, sizeof sets);
    CPU_SET(number % CPU_SETSIZE, &sets[number / CPU_SETSIZE]);
    /* On Linux process number 0 is the calling thread, not its whole process. */
    return sched_setaffinity(0, sizeof sets, sets) == 0;
}
