/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* syscall() */
#include "random_octets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Kernels before 3.17, which routers still run, have the device only. */
static bool read_device(uint8_t *octets, size_t count)
{
    int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool complete;

    if (descriptor < 0)
        return false;
    complete = read(descriptor, octets, count) == (ssize_t)count;
    (void)close(descriptor);
    return complete;
}

/* The system call itself: the function getrandom() is in glibc since 2.25 only, and older ones are to be had too. */
bool random_octets(uint8_t *octets, size_t count, struct failure *failure)
{
    long filled = syscall(SYS_getrandom, octets, count, 0);

    if (filled == (long)count || (filled < 0 && errno == ENOSYS && read_device(octets, count)))
        return true;
    return fail(failure, FAILURE_FAILED, "no random octets: %s", strerror(errno));
}
