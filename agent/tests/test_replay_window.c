/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_window.h"

#include <stdlib.h>
#include <string.h>

#include "expect.h"

static struct replay_window *make(uint32_t size_packets)
{
    struct replay_window *window = malloc(replay_window_bytes(size_packets));

    if (window == NULL)
        abort();
    replay_window_initialise(window, size_packets);
    return window;
}

/* What a receiver does with an authentic packet. */
static bool receive(struct replay_window *window, uint64_t sequence)
{
    if (!replay_window_check(window, sequence))
        return false;
    replay_window_update(window, sequence);
    return true;
}

static void follows_the_rfc(void)
{
    struct replay_window *window = make(64);

    EXPECT(!replay_window_check(window, 0));
    EXPECT(receive(window, 1));
    EXPECT(!receive(window, 1));
    EXPECT(!receive(window, 0));
    EXPECT(receive(window, 65));
    EXPECT(!receive(window, 1));  /* left of the window, and seen */
    EXPECT(receive(window, 2));   /* the left edge: 65 - 64 + 1 */
    EXPECT(!receive(window, 2));
    EXPECT(receive(window, 1000000));
    EXPECT(!receive(window, 65));
    EXPECT(!receive(window, 1000000 - 64));
    EXPECT(receive(window, 1000000 - 63));
    free(window);
}

/* Against the plainest window there is: a list of what has been received. */
static void agrees_with_a_plain_list(uint32_t size_packets, uint64_t start)
{
    enum { NUMBERS = 4096, STEPS = 20000 };
    static bool seen[NUMBERS];
    struct replay_window *window = make(size_packets);
    uint32_t random = 12345;
    uint64_t top = 0; /* relative to start */
    bool agreed = true;

    memset(seen, 0, sizeof seen);
    replay_window_reset(window, start);
    for (unsigned step = 0; step < STEPS && agreed; step++) {
        uint64_t relative, reach = top + 8 < NUMBERS - 1 ? top + 8 : NUMBERS - 1;
        bool expected;

        random = random * 1664525U + 1013904223U;
        /* mostly near the right edge, and a little beyond it */
        relative = 1 + (random >> 8) % reach;
        if ((random & 3) != 0 && reach > 2 * size_packets)
            relative = reach - (random >> 8) % (2 * size_packets);
        if (relative == 0)
            continue;
        expected = !seen[relative] && (relative > top || top - relative < size_packets);
        agreed = receive(window, start + relative) == expected;
        if (expected) {
            seen[relative] = true;
            if (relative > top)
                top = relative;
        }
    }
    EXPECT(agreed);
    EXPECT(top > 0);
    free(window);
}

static void resets(void)
{
    struct replay_window *window = make(64);

    for (uint64_t top = 0; top < 200; top++) {
        replay_window_reset(window, top);
        EXPECT(!replay_window_check(window, top));
        EXPECT(top == 0 || !replay_window_check(window, top - 1));
        for (uint64_t sequence = top + 1; sequence < top + 150; sequence++)
            EXPECT(receive(window, sequence));
        EXPECT(!receive(window, top + 149));
        EXPECT(!receive(window, top + 100));
    }
    free(window);
}

/* RFC 4303 appendix A2.2: case A (the window lies in one subspace) and case B (it spans two). */
static void infers_the_upper_half(void)
{
    struct replay_window *window = make(64);

    replay_window_reset(window, 0x500000100);
    EXPECT(replay_window_infer_high(window, 0x101) == 5);
    EXPECT(replay_window_infer_high(window, 0x100 - 63) == 5);
    EXPECT(replay_window_infer_high(window, 0x100 - 64) == 6);
    EXPECT(replay_window_infer_high(window, 0) == 6);
    EXPECT(replay_window_infer_high(window, 0xffffffff) == 5);
    replay_window_reset(window, 0x500000010);
    EXPECT(replay_window_infer_high(window, 0x11) == 5);
    EXPECT(replay_window_infer_high(window, 0) == 5);
    EXPECT(replay_window_infer_high(window, 0xffffffff) == 4);
    EXPECT(replay_window_infer_high(window, (uint32_t)0x10 - 63) == 4);
    EXPECT(replay_window_infer_high(window, (uint32_t)0x10 - 64) == 5);
    replay_window_reset(window, 0x4ffffffff);
    EXPECT(replay_window_infer_high(window, 0) == 5);
    EXPECT(replay_window_infer_high(window, 0xfffffffe) == 4);
    free(window);
}

int main(void)
{
    follows_the_rfc();
    agrees_with_a_plain_list(1, 0);
    agrees_with_a_plain_list(32, 0);
    agrees_with_a_plain_list(63, 7);
    agrees_with_a_plain_list(64, 0xfffffff0);
    agrees_with_a_plain_list(65, 0xfffffff0);
    agrees_with_a_plain_list(128, 0);
    agrees_with_a_plain_list(1000, 12345);
    resets();
    infers_the_upper_half();
    return expect_summary("replay window");
}
