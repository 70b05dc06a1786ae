/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out a request and writes its answer: one JSON object, one line. */
#ifndef IPSECBENCH_ANSWERS_H
#define IPSECBENCH_ANSWERS_H

#include <stdio.h>

#include "request.h"

/* Carries the request out and writes the answer, which may be an error. */
void answer_request(FILE *stream, const struct request *request);

/* Writes an error. */
void answer_failure(FILE *stream, const struct request *request, const struct failure *failure);

/* The start of an answer, {"id": …, "type": "…", to which members are added with a comma before each; and its end. */
void answer_begin(FILE *stream, const struct request *request, const char *type);
void answer_end(FILE *stream);

#endif
