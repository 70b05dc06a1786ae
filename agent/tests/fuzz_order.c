/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: one line of input, understood and (when it is quick) carried out.
 *
 *     make -C agent fuzz CLANG=clang && agent/build/fuzz-order -max_len=4096
 */
#include <stdlib.h>
#include <string.h>

#include "answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request request;
    static FILE *nowhere;
    struct failure failure = {FAILURE_NONE, ""};
    char *line;

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL || size > REQUEST_BYTES_MAXIMUM)
        return 0;
    line = malloc(size + 1); /* its exact size, so that reading beyond the end is seen */
    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    if (!request_parse(&request, line, size, &failure))
        answer_failure(nowhere, &request, &failure);
    else if (request.command == COMMAND_COMPUTE ||
             (request.command == COMMAND_SPEED && request.order.iterations + request.order.warmup < 100 &&
              request.order.core_count == 0))
        answer_request(nowhere, &request);
    free(line);
    return 0;
}
