/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_window.h"

#include <string.h>

/* One word more than the window covers, because the window's two ends may share a word. */
static uint32_t word_count(uint32_t size_packets)
{
    uint32_t needed = (size_packets + 63) / 64 + 1;
    uint32_t count = 1;

    while (count < needed)
        count *= 2;
    return count;
}

size_t replay_window_bytes(uint32_t size_packets)
{
    return sizeof(struct replay_window) + (size_t)word_count(size_packets) * sizeof(uint64_t);
}

void replay_window_initialise(struct replay_window *window, uint32_t size_packets)
{
    window->size_packets = size_packets;
    window->word_mask = word_count(size_packets) - 1;
    replay_window_reset(window, 0);
}

void replay_window_reset(struct replay_window *window, uint64_t top)
{
    window->top = top;
    /* Numbers at or below the edge count as received. */
    memset(window->words, 0xFF, ((size_t)window->word_mask + 1) * sizeof window->words[0]);
    /* The bits of the edge's own word that lie above the edge belong to numbers still to come. */
    if (top % 64 != 63)
        window->words[top / 64 & window->word_mask] &= ((uint64_t)1 << (top % 64 + 1)) - 1;
}

uint32_t replay_window_infer_high(const struct replay_window *window, uint32_t low)
{
    uint32_t top_low = (uint32_t)window->top;
    uint32_t top_high = (uint32_t)(window->top >> 32);
    uint32_t bottom = top_low - (window->size_packets - 1); /* may wrap: case B of the appendix */

    if (top_low >= window->size_packets - 1) {
        /* Case A: the window lies within one subspace. */
        if (low >= bottom)
            return top_high;
        return top_high + 1;
    }
    /* Case B: the window spans two subspaces. */
    if (low >= bottom)
        return top_high - 1; /* in the first subspace this wraps; the number then fails the check or the ICV */
    return top_high;
}
