/* SPDX-License-Identifier: Apache-2.0 */
/* ipsecbench-agent: reads orders from standard input, one JSON object a line, and answers each with one. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "esp_plane.h"
#include "traffic.h"

static const char usage[] =
    "Usage: ipsecbench-agent [esp | traffic | --version | --help]\n"
    "Measures the crypto libraries of this box. Reads orders from standard input, one JSON object\n"
    "a line, and answers each with one line on standard output. To begin with:\n"
    "  {\"id\": 1, \"command\": \"list\"}\n"
    "IPSECBENCH_LIBCRYPTO and IPSECBENCH_LIBGCRYPT name other libraries to load.\n"
    "With 'esp' it is an ESP data plane: docs/agent-esp.md.\n"
    "With 'traffic' it sends and counts test packets: docs/agent-traffic.md.\n"
    "docs/agent-protocol.md of ipsecbench describes the rest.\n";

/* The bytes of standard input that have not been answered. One more than a line may have tells a line too long. */
static struct {
    char bytes[REQUEST_BYTES_MAXIMUM + 1];
    size_t used;
    bool ended;
} input;

/* Reads once; false at the end of the input or on an error. */
static bool read_more(void)
{
    ssize_t count;

    if (input.ended)
        return false;
    do {
        count = read(STDIN_FILENO, input.bytes + input.used, sizeof input.bytes - input.used);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        input.ended = true;
        return false;
    }
    input.used += (size_t)count;
    return true;
}

static void discard(size_t length)
{
    memmove(input.bytes, input.bytes + length, input.used - length);
    input.used -= length;
}

/* Skips what is left of a line that is too long. */
static void discard_line(void)
{
    char *end;

    for (;;) {
        end = memchr(input.bytes, '\n', input.used);
        if (end != NULL) {
            discard((size_t)(end - input.bytes) + 1);
            return;
        }
        input.used = 0;
        if (!read_more())
            return;
    }
}

static void answer_order(char *line, size_t length)
{
    static struct request request;
    struct failure failure = {FAILURE_NONE, ""};

    if (request_parse(&request, line, length, &failure))
        answer_request(stdout, &request);
    else
        answer_failure(stdout, &request, &failure);
}

static void answer_long_line(void)
{
    static struct request nobody; /* no identifier */
    struct failure failure;

    (void)fail(&failure, FAILURE_USAGE, "an order is at most %d bytes", REQUEST_BYTES_MAXIMUM);
    answer_failure(stdout, &nobody, &failure);
}

/* Answers line after line until the input ends; false when an answer could not be written. */
static bool serve(void (*answer_line)(char *line, size_t length))
{
    for (;;) {
        char *end = memchr(input.bytes, '\n', input.used);

        if (end != NULL) {
            size_t length = (size_t)(end - input.bytes);

            answer_line(input.bytes, length);
            discard(length + 1);
        } else if (input.used > REQUEST_BYTES_MAXIMUM) {
            answer_long_line();
            discard_line();
        } else if (read_more()) {
            continue;
        } else if (input.used > 0) {
            answer_line(input.bytes, input.used);
            input.used = 0;
        } else {
            return true;
        }
        if (fflush(stdout) != 0)
            return false;
    }
}

int main(int argc, char **argv)
{
    bool traffic, served;

    /* A closed pipe is then seen as an error of fflush(). */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("ipsecbench-agent " AGENT_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "esp") == 0)
        return esp_plane_run();
    traffic = argc == 2 && strcmp(argv[1], "traffic") == 0;
    if (argc != 1 && !traffic) {
        fputs(usage, stderr);
        return 2;
    }
    if (traffic)
        traffic_begin();
    served = serve(traffic ? traffic_answer_line : answer_order);
    if (traffic)
        traffic_end_all();
    if (!served) {
        fprintf(stderr, "ipsecbench-agent: cannot write an answer: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
