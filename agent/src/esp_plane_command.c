/* SPDX-License-Identifier: Apache-2.0 */
/* The command itself: orders from standard input, for as long as the parent lives. */
#define _GNU_SOURCE /* poll */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "esp_plane_orders.h"
#include "parent.h"

enum { TICK_MS = 100 };

static struct {
    char bytes[REQUEST_BYTES_MAXIMUM + 1];
    size_t used;
    bool skipping; /* the rest of a line that is too long */
} input;

static void discard(size_t length)
{
    memmove(input.bytes, input.bytes + length, input.used - length);
    input.used -= length;
}

static void answer_long_line(void)
{
    static struct request nobody; /* no identifier */
    struct failure failure;

    (void)fail(&failure, FAILURE_USAGE, "an order is at most %d bytes", REQUEST_BYTES_MAXIMUM);
    answer_failure(stdout, &nobody, &failure);
}

/* Answers every whole line that is there. */
static void answer_lines(struct plane *plane)
{
    char *end;

    while ((end = memchr(input.bytes, '\n', input.used)) != NULL) {
        size_t length = (size_t)(end - input.bytes);

        if (!input.skipping)
            plane_answer_line(plane, stdout, input.bytes, length);
        input.skipping = false;
        discard(length + 1);
    }
    if (input.used > REQUEST_BYTES_MAXIMUM) {
        if (!input.skipping)
            answer_long_line();
        input.skipping = true;
        input.used = 0;
    }
}

/* Reads what is there; false at the end. */
static bool read_more(void)
{
    ssize_t count = read(STDIN_FILENO, input.bytes + input.used, sizeof input.bytes - input.used);

    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    input.used += (size_t)count;
    return count > 0;
}

static bool serve(struct plane *plane)
{
    for (;;) {
        struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
        int count = poll(&waiting, 1, plane->sas.timed_count > 0 ? TICK_MS : -1);

        if (count < 0 && errno != EINTR)
            return false;
        plane_expire(plane);
        if (count <= 0)
            continue;
        if (!read_more())
            return true;
        answer_lines(plane);
        if (fflush(stdout) != 0)
            return false;
    }
}

int esp_plane_run(void)
{
    static struct plane plane;
    bool served;

    live_with_parent();
    (void)pthread_mutex_init(&plane.gate, NULL);
    served = serve(&plane);
    plane_close(&plane);
    if (!served)
        fprintf(stderr, "ipsecbench-agent: the data plane cannot read orders or write answers: %s\n", strerror(errno));
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
