/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anti-replay window of one inbound SA (RFC 4303 section 3.4.3), as a ring of words (the idea of RFC 6479): moving
 * the window clears whole words instead of shifting bits, so that the cost does not grow with the window.
 *
 * replay_window_check() before the ICV is verified, replay_window_update() after. Sequence numbers are 64 bits wide;
 * without ESN the upper half is zero.
 */
#ifndef IPSECBENCH_REPLAY_WINDOW_H
#define IPSECBENCH_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay_window {
    uint64_t top; /* the highest number received; 0: none yet */
    uint32_t size_packets;
    uint32_t word_mask; /* number of words - 1; the number is a power of two */
    uint64_t words[];
};

/* Octets to allocate for a window of this size; 1 to 2^20 packets. */
size_t replay_window_bytes(uint32_t size_packets);

/* Makes an empty window in memory of replay_window_bytes(). */
void replay_window_initialise(struct replay_window *window, uint32_t size_packets);

/* Empties the window and puts its right edge at `top`: every number above it is acceptable, none at or below. */
void replay_window_reset(struct replay_window *window, uint64_t top);

/* True when the number is neither a replay nor left of the window. Number 0 is never sent (RFC 4303 section 3.3.3). */
static inline bool replay_window_check(const struct replay_window *window, uint64_t sequence)
{
    if (sequence > window->top)
        return true;
    if (sequence == 0 || window->top - sequence >= window->size_packets)
        return false;
    return (window->words[sequence / 64 & window->word_mask] >> (sequence % 64) & 1) == 0;
}

/* Marks a number that was checked and whose packet was authentic; moves the window when it is the highest. */
static inline void replay_window_update(struct replay_window *window, uint64_t sequence)
{
    if (sequence > window->top) {
        uint64_t steps = sequence / 64 - window->top / 64;
        uint64_t word = window->top / 64;

        if (steps > (uint64_t)window->word_mask + 1)
            steps = (uint64_t)window->word_mask + 1;
        while (steps-- > 0)
            window->words[++word & window->word_mask] = 0;
        window->top = sequence;
    }
    window->words[sequence / 64 & window->word_mask] |= (uint64_t)1 << (sequence % 64);
}

/* The upper half of the sequence number, which an ESN packet does not carry (RFC 4303 appendix A2.2). */
uint32_t replay_window_infer_high(const struct replay_window *window, uint32_t low);

#endif
