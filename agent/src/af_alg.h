/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own ciphers and MACs, reached through sockets of the family AF_ALG (Linux Documentation/crypto/
 * userspace-if.rst): what a program pays for them, two system calls and two copies a request included.
 *
 * A transform socket names the algorithm and holds the key; each operation socket accepted from it takes one request at
 * a time: data with an IV by sendmsg(), the result by reading.
 */
#ifndef IPSECBENCH_AF_ALG_H
#define IPSECBENCH_AF_ALG_H

#include <string.h>
#include <sys/uio.h>

#include "algorithms.h"
#include "operation.h"
#include "symmetric.h"

enum { AF_ALG_PARTS_MAXIMUM = 3 };

/* One request of a cipher. `iv` is as struct cipher has it; the kernel's own form of it is made from that. */
struct af_alg_request {
    const struct cipher_algorithm *algorithm;
    const uint8_t *iv;
    bool encrypt;
    size_t associated; /* how many octets at the start of the data are not encrypted */
    struct iovec data[AF_ALG_PARTS_MAXIMUM];
    size_t parts;
};

/* What "info" says about the kernel. Never NULL. */
const struct library *kernel_library(void);
bool kernel_ready(struct failure *failure);

bool kernel_offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure);

/* A transform socket with its key, or -1 with a failure. The caller closes it. */
int af_alg_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, struct failure *failure);
int af_alg_mac(const struct mac_algorithm *algorithm, const uint8_t *key, size_t key_length, struct failure *failure);
/* An operation socket of a transform socket, or -1 with a failure. */
int af_alg_operation(int transform, const char *name, struct failure *failure);

/* Data to be sent. An iovec points to what may be written, and this never is. */
static inline struct iovec af_alg_part(const void *data, size_t length)
{
    struct iovec part = {.iov_len = length};

    memcpy(&part.iov_base, &data, sizeof data);
    return part;
}

/* Hands a request over. False when the kernel did not take all of it. */
bool af_alg_send(int operation, struct af_alg_request *request);

extern const struct symmetric_provider symmetric_kernel;

#endif
