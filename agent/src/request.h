/* SPDX-License-Identifier: Apache-2.0 */
/* One line of input, understood: docs/agent-protocol.md. */
#ifndef IPSECBENCH_REQUEST_H
#define IPSECBENCH_REQUEST_H

#include "json.h"
#include "operation.h"

enum { REQUEST_BYTES_MAXIMUM = 262144, IDENTIFIER_BYTES_MAXIMUM = 128 };

enum command {
    COMMAND_INFO = 1U << 0,
    COMMAND_CLOCK = 1U << 1,
    COMMAND_LIST = 1U << 2,
    COMMAND_CHECK = 1U << 3,
    COMMAND_SPEED = 1U << 4,
    COMMAND_COMPUTE = 1U << 5
};

struct request {
    /* "id" as it is echoed: a number as it was written, a string decoded. length 0: none was understood. */
    char identifier[IDENTIFIER_BYTES_MAXIMUM];
    size_t identifier_length;
    bool identifier_is_string;

    enum command command;
    bool has_core; /* clock */
    uint32_t core;
    uint32_t milliseconds;
    struct order order; /* speed, compute; check uses provider and algorithm */
};

/*
 * Understands one line. `text` is changed, and must stay as long as the request: octets are decoded in place. On
 * failure the identifier is set when it could be read.
 */
bool request_parse(struct request *request, char *text, size_t length, struct failure *failure);

/*
 * What orders of every kind begin with: parses the line, takes "id", and gives the word of "command", which is empty
 * where it is no string.
 */
bool request_parse_command(struct request *request, struct json_document *document, char *text, size_t length,
                           const char **command, struct failure *failure);

#endif
