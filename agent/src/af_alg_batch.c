/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider "kernel-batched": the kernel's ciphers with several requests in flight, by the kernel's asynchronous
 * I/O. Each request has an operation socket of its own; all results are asked for by one io_submit(). It is worth
 * something where an engine beside the processor does the work, and else saves a few system calls.
 */
#define _GNU_SOURCE /* syscall() */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include "af_alg.h"
#include "primitive_compute.h"
#include "test_octets.h"

enum { IN_FLIGHT = 16, KEPT_CONTEXTS = 16, ASSOCIATED_BYTES = 8, RESULT_BYTES = SIZE_MAXIMUM_BYTES + 64 };

struct batch {
    struct cipher cipher;
    bool encrypt;
    int operations[IN_FLIGHT];
    aio_context_t context;
    bool lost; /* requests are on their way that could not be waited for */
    struct iocb orders[IN_FLIGHT];
    struct iocb *ordered[IN_FLIGHT];
    uint8_t *results[IN_FLIGHT]; /* associated data, data and ICV, in this order */
};

struct batch_loop {
    struct batch *batch;
    uint8_t *input;
    struct af_alg_request request;
    size_t result_bytes;
    uint64_t counter;
    bool renews_iv;
    uint8_t iv[IV_BYTES_MAXIMUM];
    uint8_t associated[ASSOCIATED_BYTES];
    uint8_t icv[ICV_BYTES_MAXIMUM];
};

/*
 * The kernel takes a tenth of a second to end a context, and little to make one. So they are kept: as many as there
 * were at the same time.
 */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static aio_context_t kept[KEPT_CONTEXTS];
static size_t kept_count;

static bool take_context(aio_context_t *context)
{
    bool found;

    (void)pthread_mutex_lock(&kept_lock);
    found = kept_count > 0;
    if (found)
        *context = kept[--kept_count];
    (void)pthread_mutex_unlock(&kept_lock);
#if defined(SYS_io_setup) && defined(SYS_io_getevents)
    return found || syscall(SYS_io_setup, (long)IN_FLIGHT, context) == 0;
#else
    return found;
#endif
}

static void keep_context(aio_context_t context, bool lost)
{
    bool keeps;

    (void)pthread_mutex_lock(&kept_lock);
    keeps = !lost && kept_count < KEPT_CONTEXTS;
    if (keeps)
        kept[kept_count++] = context;
    (void)pthread_mutex_unlock(&kept_lock);
#if defined(SYS_io_destroy)
    if (!keeps)
        (void)syscall(SYS_io_destroy, context); /* waits for what is on its way */
#endif
}

static struct batch *batch_of(struct cipher *cipher)
{
    return (struct batch *)(void *)cipher;
}

/* How many of the first `count` requests, sent already, came to a result of the right length. */
static size_t collect(struct batch *batch, size_t count, size_t result_bytes)
{
#if defined(SYS_io_getevents)
    struct io_event events[IN_FLIGHT];
    bool good[IN_FLIGHT] = {false};
    size_t right = 0;
    long submitted, done = 0;

    for (size_t i = 0; i < count; i++)
        batch->orders[i].aio_nbytes = result_bytes;
    submitted = syscall(SYS_io_submit, batch->context, (long)count, batch->ordered);
    /* What was submitted is waited for in any case: the kernel writes into our buffers until then. */
    while (done < submitted) {
        long more = syscall(SYS_io_getevents, batch->context, submitted - done, (long)IN_FLIGHT, events, NULL);

        if (more <= 0) {
            batch->lost = true;
            break;
        }
        for (long i = 0; i < more; i++)
            good[events[i].data] = events[i].res == (int64_t)result_bytes;
        done += more;
    }
    while (right < count && good[right])
        right++;
    return right;
#else
    (void)batch;
    (void)count;
    (void)result_bytes;
    return 0;
#endif
}

/* One request for compute() and the known answers: made IN_FLIGHT times at once, with the same result each time. */
static bool all_the_same(struct batch *batch, struct af_alg_request *request, size_t result_bytes)
{
    if (request->associated > RESULT_BYTES || result_bytes > RESULT_BYTES)
        return false;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        if (!af_alg_send(batch->operations[i], request))
            return false;
    }
    if (collect(batch, IN_FLIGHT, result_bytes) != IN_FLIGHT)
        return false;
    for (size_t i = 1; i < IN_FLIGHT; i++) {
        if (memcmp(batch->results[i], batch->results[0], result_bytes) != 0)
            return false;
    }
    return true;
}

static bool crypt_all(struct cipher *cipher, const uint8_t *iv, const uint8_t *input, size_t length, uint8_t *output)
{
    struct batch *batch = batch_of(cipher);
    struct af_alg_request request = {.algorithm = cipher->algorithm,
                                     .iv = iv,
                                     .encrypt = batch->encrypt,
                                     .data = {af_alg_part(input, length)},
                                     .parts = 1};

    if (!all_the_same(batch, &request, length))
        return false;
    memcpy(output, batch->results[0], length);
    return true;
}

static bool seal(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                 const uint8_t *input, size_t length, uint8_t *output, uint8_t *icv)
{
    struct batch *batch = batch_of(cipher);
    struct af_alg_request request = {.algorithm = cipher->algorithm,
                                     .iv = nonce,
                                     .encrypt = true,
                                     .associated = aad_length,
                                     .data = {af_alg_part(aad, aad_length), af_alg_part(input, length)},
                                     .parts = 2};

    if (!all_the_same(batch, &request, aad_length + length + cipher->algorithm->icv_bytes))
        return false;
    memcpy(output, batch->results[0] + aad_length, length);
    memcpy(icv, batch->results[0] + aad_length + length, cipher->algorithm->icv_bytes);
    return true;
}

static bool open_sealed(struct cipher *cipher, const uint8_t *nonce, const uint8_t *aad, size_t aad_length,
                        const uint8_t *input, size_t length, uint8_t *output, const uint8_t *icv)
{
    struct batch *batch = batch_of(cipher);
    struct af_alg_request request = {.algorithm = cipher->algorithm,
                                     .iv = nonce,
                                     .encrypt = false,
                                     .associated = aad_length,
                                     .data = {af_alg_part(aad, aad_length), af_alg_part(input, length),
                                              af_alg_part(icv, cipher->algorithm->icv_bytes)},
                                     .parts = 3};

    if (!all_the_same(batch, &request, aad_length + length))
        return false;
    memcpy(output, batch->results[0] + aad_length, length);
    return true;
}

static void destroy_batch(struct cipher *cipher)
{
    struct batch *batch = batch_of(cipher);

    if (batch->context != 0)
        keep_context(batch->context, batch->lost);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        if (batch->operations[i] >= 0)
            (void)close(batch->operations[i]);
    }
    free(batch->results[0]);
    free(batch);
}

static bool open_operations(struct batch *batch, int transform, struct failure *failure)
{
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct iocb *order = &batch->orders[i];

        batch->operations[i] = af_alg_operation(transform, batch->cipher.algorithm->name, failure);
        if (batch->operations[i] < 0)
            return false;
        batch->results[i] = batch->results[0] + i * RESULT_BYTES;
        order->aio_data = i;
        order->aio_lio_opcode = IOCB_CMD_PREAD;
        order->aio_fildes = (uint32_t)batch->operations[i];
        order->aio_buf = (uint64_t)(uintptr_t)batch->results[i];
        batch->ordered[i] = order;
    }
    return take_context(&batch->context) ||
           fail(failure, FAILURE_UNSUPPORTED, "the kernel has no asynchronous I/O (CONFIG_AIO)");
}

static struct cipher *new_cipher(const struct cipher_algorithm *algorithm, const uint8_t *key, bool encrypt,
                                 struct failure *failure)
{
    struct batch *batch = calloc(1, sizeof *batch);
    int transform;
    bool opened;

    if (batch != NULL)
        batch->results[0] = calloc(IN_FLIGHT, RESULT_BYTES);
    if (batch == NULL || batch->results[0] == NULL) {
        free(batch);
        (void)fail(failure, FAILURE_MEMORY, "no memory for a cipher");
        return NULL;
    }
    for (size_t i = 0; i < IN_FLIGHT; i++)
        batch->operations[i] = -1;
    batch->cipher = (struct cipher){.algorithm = algorithm, .destroy = destroy_batch};
    batch->encrypt = encrypt;
    if (!cipher_is_combined(algorithm))
        batch->cipher.crypt = crypt_all;
    else if (encrypt)
        batch->cipher.seal = seal;
    else
        batch->cipher.open = open_sealed;
    transform = af_alg_cipher(algorithm, key, failure);
    opened = transform >= 0 && open_operations(batch, transform, failure);
    if (transform >= 0)
        (void)close(transform);
    if (!opened) {
        destroy_batch(&batch->cipher);
        return NULL;
    }
    return &batch->cipher;
}

static bool offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure)
{
    static const uint8_t key[KEY_BYTES_MAXIMUM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    struct cipher *trial;

    if (algorithm->kind == CIPHER_GMAC)
        return fail(failure, FAILURE_UNSUPPORTED, "AF_ALG gives all associated data back: GMAC one by one only");
    trial = new_cipher(algorithm, key, true, failure);
    destroy_cipher(trial);
    return trial != NULL;
}

static const struct symmetric_provider symmetric_kernel_batched = {
    .name = "kernel-batched",
    .ready = kernel_ready,
    .offers_cipher = offers_cipher,
    .new_cipher = new_cipher,
};

static size_t rows(void)
{
    return cipher_algorithm_count;
}

static bool offered(size_t index, struct failure *failure)
{
    return kernel_ready(failure) && offers_cipher(&cipher_algorithms[index], failure);
}

static void describe(size_t index, struct row *row)
{
    struct failure failure;

    memset(row, 0, sizeof *row);
    copy_text(row->algorithm, sizeof row->algorithm, cipher_algorithms[index].name);
    if (offered(index, &failure))
        row->operations = OPERATION_ENCRYPT | OPERATION_DECRYPT;
    else
        copy_text(row->reason, sizeof row->reason, failure.message);
}

static bool check(size_t index, struct failure *failure)
{
    return offered(index, failure) && known_answers_cipher(&symmetric_kernel_batched, &cipher_algorithms[index], failure);
}

static bool compute(size_t index, const struct order *order, struct output *output, struct failure *failure)
{
    return primitive_compute(&symmetric_kernel_batched, &cipher_algorithms[index], NULL, order, output, failure);
}

static uint64_t run(void *state, uint64_t iterations)
{
    struct batch_loop *loop = state;
    struct batch *batch = loop->batch;

    for (uint64_t done = 0; done < iterations;) {
        size_t count = iterations - done < IN_FLIGHT ? (size_t)(iterations - done) : IN_FLIGHT;
        size_t sent = 0, right;

        while (sent < count) {
            if (loop->renews_iv) {
                loop->counter++;
                memcpy(loop->iv, &loop->counter, sizeof loop->counter);
            }
            if (!af_alg_send(batch->operations[sent], &loop->request))
                break;
            sent++;
        }
        right = collect(batch, sent, loop->result_bytes);
        if (right < count)
            return done + right;
        done += count;
    }
    return iterations;
}

static void destroy_loop(void *state)
{
    struct batch_loop *loop = state;

    if (loop->batch != NULL)
        destroy_batch(&loop->batch->cipher);
    free(loop->input);
    free(loop);
}

/* Keys the batch, and seals the message that an opening is measured with. */
static bool prepare_loop(struct batch_loop *loop, const struct cipher_algorithm *algorithm, const struct order *order,
                         struct failure *failure)
{
    bool encrypt = order->operation == OPERATION_ENCRYPT, combined = cipher_is_combined(algorithm);
    size_t length = order->size_bytes;
    uint8_t key[KEY_BYTES_MAXIMUM];
    struct cipher *cipher;

    fill_test_octets(key, sizeof key, 0x6b6579);
    if (combined && !encrypt) {
        struct cipher *sealer = new_cipher(algorithm, key, true, failure);
        bool sealed = sealer != NULL && seal(sealer, loop->iv, loop->associated, ASSOCIATED_BYTES, loop->input, length,
                                             loop->input, loop->icv);

        destroy_cipher(sealer);
        if (!sealed)
            return sealer != NULL && fail(failure, FAILURE_FAILED, "%s: nothing could be sealed", algorithm->name);
    }
    cipher = new_cipher(algorithm, key, encrypt, failure);
    if (cipher == NULL)
        return false;
    loop->batch = batch_of(cipher);
    loop->renews_iv = encrypt || !combined; /* an ICV is right for one nonce only */
    loop->request = (struct af_alg_request){.algorithm = algorithm, .iv = loop->iv, .encrypt = encrypt};
    if (combined) {
        loop->request.associated = ASSOCIATED_BYTES;
        loop->request.data[loop->request.parts++] = af_alg_part(loop->associated, ASSOCIATED_BYTES);
    }
    loop->request.data[loop->request.parts++] = af_alg_part(loop->input, length);
    if (combined && !encrypt)
        loop->request.data[loop->request.parts++] = af_alg_part(loop->icv, algorithm->icv_bytes);
    loop->result_bytes = length + (combined ? ASSOCIATED_BYTES : 0) + (combined && encrypt ? algorithm->icv_bytes : 0);
    return true;
}

static bool prepare(size_t index, const struct order *order, struct measurement *measurement, struct failure *failure)
{
    const struct cipher_algorithm *algorithm = &cipher_algorithms[index];
    struct batch_loop *loop;

    if (order->mix != MIX_NONE || order->size_bytes == 0 || order->size_bytes % algorithm->block_bytes != 0)
        return fail(failure, FAILURE_USAGE, "size_bytes: %s without a packet needs a multiple of %u octets",
                    algorithm->name, algorithm->block_bytes);
    loop = calloc(1, sizeof *loop);
    if (loop != NULL)
        loop->input = malloc(order->size_bytes);
    if (loop == NULL || loop->input == NULL) {
        free(loop);
        return fail(failure, FAILURE_MEMORY, "no memory for a measurement");
    }
    fill_test_octets(loop->input, order->size_bytes, 0x696e);
    fill_test_octets(loop->associated, sizeof loop->associated, 0x616164);
    if (!prepare_loop(loop, algorithm, order, failure)) {
        destroy_loop(loop);
        return false;
    }
    measurement->state = loop;
    measurement->run = run;
    measurement->destroy = destroy_loop;
    detail_add(&measurement->detail, "requests_in_flight", IN_FLIGHT);
    return true;
}

extern const struct family primitives_kernel_batched;
const struct family primitives_kernel_batched = {
    "kernel-batched", "primitive", rows, describe, check, prepare, compute,
};
