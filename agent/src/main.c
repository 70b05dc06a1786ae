/* SPDX-License-Identifier: Apache-2.0 */
/* ipsecbench-agent: reads orders from standard input, one JSON object a line, and answers each with one. */
#include <errno.h>
#include <poll.h>
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

/* What the program does, by its argument. */
struct service {
    const char *name;
    void (*begin)(void);
    void (*answer_line)(char *line, size_t length);
    int (*tick)(void); /* does what is due; returns after how many milliseconds at most it wants to be called again, or -1 */
    void (*end)(void);
};

/* Waits for input, and lets the service do what is due meanwhile. */
static void wait_for_input(const struct service *service)
{
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};

    while (service->tick != NULL && poll(&waiting, 1, service->tick()) <= 0)
        ;
}

/* Reads once; false at the end of the input or on an error. */
static bool read_more(const struct service *service)
{
    ssize_t count;

    if (input.ended)
        return false;
    wait_for_input(service);
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
static void discard_line(const struct service *service)
{
    char *end;

    for (;;) {
        end = memchr(input.bytes, '\n', input.used);
        if (end != NULL) {
            discard((size_t)(end - input.bytes) + 1);
            return;
        }
        input.used = 0;
        if (!read_more(service))
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
static bool serve(const struct service *service)
{
    for (;;) {
        char *end = memchr(input.bytes, '\n', input.used);

        if (end != NULL) {
            size_t length = (size_t)(end - input.bytes);

            service->answer_line(input.bytes, length);
            discard(length + 1);
        } else if (input.used > REQUEST_BYTES_MAXIMUM) {
            answer_long_line();
            discard_line(service);
        } else if (read_more(service)) {
            continue;
        } else if (input.used > 0) {
            service->answer_line(input.bytes, input.used);
            input.used = 0;
        } else {
            return true;
        }
        if (fflush(stdout) != 0)
            return false;
    }
}

static const struct service services[] = {
    {"", NULL, answer_order, NULL, NULL},
    {"esp", esp_plane_begin, esp_plane_answer_line, esp_plane_tick, esp_plane_end},
    {"traffic", traffic_begin, traffic_answer_line, NULL, traffic_end_all},
};

/* NULL where there is none of that name. */
static const struct service *find_service(int argc, char **argv)
{
    const char *name = argc == 1 ? "" : argv[1];

    for (size_t i = 0; argc <= 2 && i < sizeof services / sizeof services[0]; i++) {
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct service *service = find_service(argc, argv);
    bool served;

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
    if (service == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    if (service->begin != NULL)
        service->begin();
    served = serve(service);
    if (service->end != NULL)
        service->end();
    if (!served) {
        fprintf(stderr, "ipsecbench-agent: cannot write an answer: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
