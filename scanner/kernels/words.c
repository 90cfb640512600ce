/* Which of many 64-bit words stand anywhere in some bytes, at any offset.

   A table of open addressing holds the words, each once; a sieve of bits before it says of nearly
   every offset that none stands there. Words are spread by a multiplier that the caller drew, so
   that no dump can choose words that share a slot. */
#include "kernels.h"

typedef uint64_t limb;

#define NOBODY UINT32_MAX
#define SIEVE 4 /* bits by which the sieve's index is longer than the table's */

static inline limb load(const uint8_t *at) {
    limb word;
    memcpy(&word, at, 8);
    return word;
}

/* slots[2^bits] and which[2^bits] take the words and their indices; sieve[2^bits / 4] 64-bit words
 * of which each bit stands for 2^-(bits + 4) of all spread words. bits is 6 to 27, and count at
 * most half of 2^bits; -1 where it is not. */
KERNEL int words_index(const limb *words, size_t count, limb spread, int bits, limb *slots,
                       uint32_t *which, limb *sieve);
int words_index(const limb *words, size_t count, limb spread, int bits, limb *slots,
                       uint32_t *which, limb *sieve) {
    if (bits < 6 || bits > 27 || count > (size_t)1 << (bits - 1))
        return -1;
    size_t mask = ((size_t)1 << bits) - 1;
    memset(which, 0xff, (mask + 1) * sizeof *which);
    memset(sieve, 0, ((mask + 1) >> (6 - SIEVE)) * sizeof *sieve);
    for (size_t i = 0; i < count; i++) {
        limb mixed = words[i] * spread;
        size_t slot = (size_t)(mixed >> (64 - bits)), bit = (size_t)(mixed >> (64 - bits - SIEVE));
        while (which[slot] != NOBODY)
            slot = (slot + 1) & mask;
        slots[slot] = words[i];
        which[slot] = (uint32_t)i;
        sieve[bit >> 6] |= (limb)1 << (bit & 63);
    }
    return 0;
}

/* Write to at[most] and index[most] the first offsets in data[size] at which a little-endian word
 * of the table stands, and which; return how many there are in all. */
KERNEL size_t words_find(const uint8_t *data, size_t size, limb spread, int bits,
                         const limb *slots, const uint32_t *which, const limb *sieve, int64_t *at,
                         uint32_t *index, size_t most);
size_t words_find(const uint8_t *data, size_t size, limb spread, int bits,
                         const limb *slots, const uint32_t *which, const limb *sieve, int64_t *at,
                         uint32_t *index, size_t most) {
    size_t mask = ((size_t)1 << bits) - 1, found = 0;
    for (size_t i = 0; i + 8 <= size; i++) {
        limb word = load(data + i), mixed = word * spread;
        size_t bit = (size_t)(mixed >> (64 - bits - SIEVE));
        if (!(sieve[bit >> 6] >> (bit & 63) & 1))
            continue;
        size_t slot = (size_t)(mixed >> (64 - bits));
        while (which[slot] != NOBODY && slots[slot] != word)
            slot = (slot + 1) & mask;
        if (which[slot] == NOBODY)
            continue;
        if (found < most) {
            at[found] = (int64_t)i;
            index[found] = which[slot];
        }
        found++;
    }
    return found;
}
