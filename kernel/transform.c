/* Number-theoretic transforms modulo X^n + 1 in SEAL's word order, after Harvey, "Faster arithmetic for
 * number-theoretic transforms" (2014): words stay below 4·prime < 2^32 between layers and are reduced at the end. */
#include "kernel.h"
#include "transform_avx512.h"
#include "versions.h"

enum { LEAST_FOR_AVX512 = 64 };

/* word * root mod prime, below 2·prime, for any 32-bit word; quotient = floor(root * 2^32 / prime). */
VF_BODY uint32_t times(uint32_t word, uint32_t root, uint32_t quotient, uint32_t prime) {
    return word * root - (uint32_t)(((uint64_t)word * quotient) >> 32) * prime;
}

VF_BODY uint32_t less(uint32_t word, uint32_t bound) { return word >= bound ? word - bound : word; }

VF_BODY void split(uint32_t *low, uint32_t *high, uint32_t root, uint32_t quotient, uint32_t prime) {
    const uint32_t u = less(*low, 2 * prime), v = times(*high, root, quotient, prime);
    *low = u + v;
    *high = u - v + 2 * prime;
}

VF_BODY void join(uint32_t *low, uint32_t *high, uint32_t root, uint32_t quotient, uint32_t prime) {
    const uint32_t u = *low, v = *high;
    *low = less(u + v, 2 * prime);
    *high = times(u - v + 2 * prime, root, quotient, prime);
}

/* One layer: m butterflies side by side, `span` words wide. A constant span lets compilers vectorise narrow ones. */
VF_BODY void split_layer(uint32_t *words, size_t m, size_t span, const uint32_t *roots, const uint32_t *quotients,
                        uint32_t prime) {
#pragma GCC ivdep
    for (size_t i = 0; i < m; i++)
#pragma GCC ivdep
        for (size_t j = 2 * i * span; j < (2 * i + 1) * span; j++)
            split(words + j, words + j + span, roots[m + i], quotients[m + i], prime);
}

VF_BODY void join_layer(uint32_t *words, size_t m, size_t span, const uint32_t *roots, const uint32_t *quotients,
                        uint32_t prime) {
#pragma GCC ivdep
    for (size_t i = 0; i < m; i++)
#pragma GCC ivdep
        for (size_t j = 2 * i * span; j < (2 * i + 1) * span; j++)
            join(words + j, words + j + span, roots[m + i], quotients[m + i], prime);
}

VF_BODY void forward(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    size_t m = 1;
    for (; 8 * m < n; m *= 2) split_layer(words, m, n / m / 2, roots, quotients, prime);
    for (; m < n; m *= 2) {
        if (n / m == 8) split_layer(words, m, 4, roots, quotients, prime);
        else if (n / m == 4) split_layer(words, m, 2, roots, quotients, prime);
        else split_layer(words, m, 1, roots, quotients, prime);
    }
    for (size_t i = 0; i < n; i++) words[i] = less(less(words[i], 2 * prime), prime);
}

VF_BODY void inverse(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    size_t m = n / 2;
    for (; m && 8 * m >= n; m /= 2) {
        if (n / m == 2) join_layer(words, m, 1, roots, quotients, prime);
        else if (n / m == 4) join_layer(words, m, 2, roots, quotients, prime);
        else join_layer(words, m, 4, roots, quotients, prime);
    }
    for (; m; m /= 2) join_layer(words, m, n / m / 2, roots, quotients, prime);
    for (size_t i = 0; i < n; i++) words[i] = less(times(words[i], roots[0], quotients[0], prime), prime);
}

/* Of the wide layers only sums reach the lowest words. */
VF_BODY void inverse_low(uint32_t *words, size_t n, size_t count, const uint32_t *roots, const uint32_t *quotients,
                         uint32_t prime) {
    for (size_t span = 1; span < count; span *= 2) {
        if (span == 1) join_layer(words, n / 2, 1, roots, quotients, prime);
        else if (span == 2) join_layer(words, n / 4, 2, roots, quotients, prime);
        else if (span == 4) join_layer(words, n / 8, 4, roots, quotients, prime);
        else join_layer(words, n / span / 2, span, roots, quotients, prime);
    }
    for (size_t start = count; start < n; start += count)
        for (size_t i = 0; i < count; i++) words[i] = less(words[i] + words[start + i], 2 * prime);
    for (size_t i = 0; i < count; i++) words[i] = less(times(words[i], roots[0], quotients[0], prime), prime);
}

#define PARAMETERS (uint32_t * words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime)
#define ARGUMENTS (words, n, roots, quotients, prime)
VF_VERSIONS(void, forward, PARAMETERS, ARGUMENTS)
VF_VERSIONS(void, inverse, PARAMETERS, ARGUMENTS)
VF_VERSIONS(void, inverse_low,
            (uint32_t * words, size_t n, size_t count, const uint32_t *roots, const uint32_t *quotients, uint32_t prime),
            (words, n, count, roots, quotients, prime))

typedef void(*transform) PARAMETERS;

static transform forward_for(size_t n, vf_level level) {
#ifdef VF_TRANSFORM_AVX512
    if (level == VF_AVX512 && n >= LEAST_FOR_AVX512) return forward_512;
#endif
    (void)n;
    return forward_at(level);
}

static transform inverse_for(size_t n, vf_level level) {
#ifdef VF_TRANSFORM_AVX512
    if (level == VF_AVX512 && n >= LEAST_FOR_AVX512) return inverse_512;
#endif
    (void)n;
    return inverse_at(level);
}

void vf_forward(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level) {
    const transform transformed = forward_for(n, level);
    for (size_t row = 0; row < rows; row++) transformed(words + row * n, n, roots, quotients, prime);
}

void vf_inverse(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level) {
    const transform transformed = inverse_for(n, level);
    for (size_t row = 0; row < rows; row++) transformed(words + row * n, n, roots, quotients, prime);
}

void vf_inverse_low(uint32_t *words, size_t n, size_t count, const uint32_t *roots, const uint32_t *quotients,
                    uint32_t prime, vf_level level) {
#ifdef VF_TRANSFORM_AVX512
    if (level == VF_AVX512 && n >= LEAST_FOR_AVX512 && count >= WORDS) {
        inverse_low_512(words, n, count, roots, quotients, prime);
        return;
    }
#endif
    inverse_low_at(level)(words, n, count, roots, quotients, prime);
}

/* The quotient is right but for one, for 2^62 / prime is far below 2^53; cut off towards zero it may be one more off. */
VF_BODY void reduce(int64_t *values, size_t count, int64_t prime) {
    const double inverse = 1.0 / (double)prime;
    for (size_t i = 0; i < count; i++) {
        int64_t rest = values[i] - (int64_t)((double)values[i] * inverse) * prime;
        rest += rest < 0 ? prime : 0;
        rest += rest < 0 ? prime : 0;
        values[i] = rest >= prime ? rest - prime : rest;
    }
}

VF_VERSIONS(void, reduce, (int64_t * values, size_t count, int64_t prime), (values, count, prime))

void vf_reduce(int64_t *values, size_t count, uint32_t prime, vf_level level) {
    reduce_at(level)(values, count, prime);
}
