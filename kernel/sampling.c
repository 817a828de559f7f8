/* Samples from random bytes that the caller drew; what has to be drawn again is left out. */
#include "kernel.h"

static uint32_t word_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Kept without a branch on the value: the place moves on only where the word is small enough. */
size_t vf_uniform(const uint8_t *random, size_t words, uint32_t mask, uint32_t prime, uint32_t *out) {
    size_t kept = 0;
    for (size_t i = 0; i < words; i++) {
        const uint32_t word = word_at(random + 4 * i) & mask;
        out[kept] = word;
        kept += word < prime;
    }
    return kept;
}

size_t vf_ternary(const uint8_t *random, size_t bytes, int8_t *out) {
    size_t kept = 0;
    for (size_t digit = 0; digit < 4 * bytes; digit++) {
        const int value = random[digit / 4] >> (digit % 4 * 2) & 3;
        out[kept] = (int8_t)(value == 2 ? -1 : value);
        kept += value != 3;
    }
    return kept;
}

static int ones(uint32_t bits) {
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    return (int)(((bits + (bits >> 4)) & 0x0F0F0F0F) * 0x01010101 >> 24);
}

void vf_binomial(const uint8_t *random, size_t count, int8_t *out) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = word_at(random + 6 * i) | (uint64_t)word_at(random + 6 * i + 2) >> 16 << 32;
        out[i] = (int8_t)(ones(bits & 0x1FFFFF) - ones(bits >> 21 & 0x1FFFFF));
    }
}
