/* SPDX-License-Identifier: Apache-2.0 */
#include "internet_checksum.h"

#include <stdbool.h>

/*
 * Words of 32 bits are added into 64, so that no carry is lost and compilers can add many at a time. On x86-64 the
 * loops exist twice: for every processor, and for those with AVX2, which take half the time.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_WIDE 1
#define WIDE __attribute__((target("avx2"), noinline))
#else
#define HAVE_WIDE 0
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Below this the wide loop has nothing to gain. */
enum { WIDE_BYTES_MINIMUM = 128 };

ALWAYS_INLINE uint64_t sum_words(const uint8_t *data, size_t words)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < words; i++) {
        uint32_t word;

        memcpy(&word, data + 4 * i, sizeof word);
        sum += word;
    }
    return sum;
}

ALWAYS_INLINE uint64_t copy_words(uint8_t *restrict destination, const uint8_t *restrict source, size_t words)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < words; i++) {
        uint32_t word;

        memcpy(&word, source + 4 * i, sizeof word);
        memcpy(destination + 4 * i, &word, sizeof word);
        sum += word;
    }
    return sum;
}

/* The last three octets or fewer. */
static inline uint64_t sum_rest(const uint8_t *data, size_t length)
{
    uint64_t sum = 0;

    if (length & 2) {
        sum = checksum_load16(data);
        data += 2;
    }
    if (length & 1)
        sum += checksum_word((uint32_t)data[0] << 8);
    return sum;
}

#if HAVE_WIDE
WIDE static uint64_t sum_words_wide(const uint8_t *data, size_t words)
{
    return sum_words(data, words);
}

WIDE static uint64_t copy_words_wide(uint8_t *restrict destination, const uint8_t *restrict source, size_t words)
{
    return copy_words(destination, source, words);
}

static inline bool use_wide(size_t length)
{
    return length >= WIDE_BYTES_MINIMUM && __builtin_cpu_supports("avx2");
}
#endif

uint64_t checksum_of(const uint8_t *data, size_t length)
{
    size_t words = length / 4;
    uint64_t rest = sum_rest(data + 4 * words, length % 4);

#if HAVE_WIDE
    if (use_wide(length))
        return rest + sum_words_wide(data, words);
#endif
    return rest + sum_words(data, words);
}

uint64_t checksum_copy(uint8_t *destination, const uint8_t *source, size_t length)
{
    size_t words = length / 4;
    uint64_t rest;

    if (destination == source)
        return checksum_of(source, length);
    rest = sum_rest(source + 4 * words, length % 4);
    for (size_t i = 4 * words; i < length; i++)
        destination[i] = source[i];
#if HAVE_WIDE
    if (use_wide(length))
        return rest + copy_words_wide(destination, source, words);
#endif
    return rest + copy_words(destination, source, words);
}
