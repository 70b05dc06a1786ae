/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "coalescing.h"

enum { ARENA_BYTES = 4 << 20, ARENA_ALIGNMENT = 64 };

struct delivery {
    size_t arena_used;
    uint8_t *arena;
    struct coalescing coalescing;
    struct iovec pieces[COALESCING_PIECES_MAXIMUM + 1];
};

bool deliver_create(struct worker *worker, struct failure *failure)
{
    worker->delivery = calloc(1, sizeof *worker->delivery);
    if (worker->delivery != NULL)
        worker->delivery->arena = malloc(ARENA_BYTES); /* touched in transport mode only */
    if (worker->delivery == NULL || worker->delivery->arena == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for packets to deliver");
    /* What a device takes does not depend on what it was asked to give: segmentation on its way in is always understood. */
    coalescing_initialise(&worker->delivery->coalescing,
                          worker->plane->vnet_header_bytes > 0 ? COALESCE_TCP | COALESCE_UDP : COALESCE_NOTHING);
    return true;
}

void deliver_destroy(struct worker *worker)
{
    if (worker->delivery != NULL)
        free(worker->delivery->arena);
    free(worker->delivery);
    worker->delivery = NULL;
}

uint8_t *deliver_room(struct worker *worker, size_t bytes)
{
    struct delivery *delivery = worker->delivery;
    uint8_t *place;

    if (delivery->arena_used + bytes > ARENA_BYTES)
        return NULL;
    place = delivery->arena + delivery->arena_used;
    delivery->arena_used += (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    return place;
}

static void write_pieces(struct worker *worker, const struct iovec *pieces, size_t count)
{
    ssize_t written;

    do {
        written = writev(worker->queue.tun, pieces, (int)count);
    } while (written < 0 && errno == EINTR);
    worker->statistics.tun_writes++;
    if (written < 0)
        count_drop(worker, errno == EINVAL ? IN_HEADER_ERROR : IN_ERROR);
}

static void flush(struct worker *worker)
{
    static const uint8_t nothing[VNET_HEADER_BYTES_MAXIMUM];
    struct delivery *delivery = worker->delivery;
    uint32_t header_bytes = worker->plane->vnet_header_bytes;
    size_t count;

    end_part(worker, CPU_CRYPTO);
    while ((count = coalescing_take(&delivery->coalescing, delivery->pieces)) > 0) {
        if (header_bytes == 0) {
            write_pieces(worker, delivery->pieces + 1, count - 1);
        } else if (header_bytes == VNET_HEADER_BYTES) {
            write_pieces(worker, delivery->pieces, count);
        } else {
            /* A longer header: what follows the ten octets is not used here. */
            memmove(delivery->pieces + 2, delivery->pieces + 1, (count - 1) * sizeof delivery->pieces[0]);
            delivery->pieces[1] = (struct iovec){(void *)(uintptr_t)nothing, header_bytes - VNET_HEADER_BYTES};
            write_pieces(worker, delivery->pieces, count + 1);
        }
    }
    end_part(worker, CPU_TUN);
}

void deliver_end_burst(struct worker *worker)
{
    flush(worker);
    worker->delivery->arena_used = 0;
}

void deliver_packet(struct worker *worker, uint8_t *packet, size_t length)
{
    if (coalescing_add(&worker->delivery->coalescing, packet, length))
        return;
    flush(worker);
    (void)coalescing_add(&worker->delivery->coalescing, packet, length);
}

void deliver_now(struct worker *worker, uint8_t *packet, size_t length)
{
    static const uint8_t nothing[VNET_HEADER_BYTES_MAXIMUM];
    struct iovec pieces[2] = {{(void *)(uintptr_t)nothing, worker->plane->vnet_header_bytes}, {packet, length}};
    bool bare = worker->plane->vnet_header_bytes == 0;

    write_pieces(worker, pieces + bare, bare ? 1 : 2);
}
