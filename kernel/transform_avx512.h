/* The transforms of transform.c with 16 words at a time. Compilers make of them what they can; the layers whose words lie
 * closer together than a register is wide take them three times as long. */
#ifndef VEILFACE_TRANSFORM_AVX512_H
#define VEILFACE_TRANSFORM_AVX512_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define VF_TRANSFORM_AVX512 1
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) static

enum { WORDS = 16 };

typedef struct {
    __m512i prime, twice;
} field16;

/* A root and its quotient, and the quotients of odd words where those of even ones are. */
typedef struct {
    __m512i root, quotient, odd;
} turn16;

AVX512 inline field16 field_of(uint32_t prime) { return (field16){_mm512_set1_epi32((int)prime), _mm512_set1_epi32((int)(2 * prime))}; }

AVX512 inline turn16 turn_of(__m512i root, __m512i quotient) { return (turn16){root, quotient, _mm512_srli_epi64(quotient, 32)}; }

AVX512 inline turn16 one_turn(const uint32_t *roots, const uint32_t *quotients, size_t i) {
    return turn_of(_mm512_set1_epi32((int)roots[i]), _mm512_set1_epi32((int)quotients[i]));
}

AVX512 inline __m512i less16(__m512i words, __m512i bound) { return _mm512_min_epu32(words, _mm512_sub_epi32(words, bound)); }

AVX512 inline __m512i times16(__m512i words, turn16 turn, __m512i prime) {
    const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(words, turn.quotient), 32);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(words, 32), turn.odd);
    const __m512i quotient = _mm512_mask_mov_epi32(even, 0xAAAA, odd);
    return _mm512_sub_epi32(_mm512_mullo_epi32(words, turn.root), _mm512_mullo_epi32(quotient, prime));
}

AVX512 inline void split16(__m512i *low, __m512i *high, turn16 turn, field16 field) {
    const __m512i u = less16(*low, field.twice), v = times16(*high, turn, field.prime);
    *low = _mm512_add_epi32(u, v);
    *high = _mm512_add_epi32(_mm512_sub_epi32(u, v), field.twice);
}

AVX512 inline void join16(__m512i *low, __m512i *high, turn16 turn, field16 field) {
    const __m512i u = *low, v = *high;
    *low = less16(_mm512_add_epi32(u, v), field.twice);
    *high = times16(_mm512_add_epi32(_mm512_sub_epi32(u, v), field.twice), turn, field.prime);
}

/* Spans of whole registers. */
#define WIDE_LAYER(name, butterfly)                                                                                     \
    AVX512 inline void name(uint32_t *words, size_t m, size_t span, const uint32_t *roots, const uint32_t *quotients, field16 field) { \
        for (size_t i = 0; i < m; i++, words += 2 * span) {                                                             \
            const turn16 turn = one_turn(roots, quotients, m + i);                                                      \
            for (size_t j = 0; j < span; j += WORDS) {                                                                  \
                __m512i low = _mm512_loadu_si512(words + j), high = _mm512_loadu_si512(words + span + j);               \
                butterfly(&low, &high, turn, field);                                                                    \
                _mm512_storeu_si512(words + j, low);                                                                    \
                _mm512_storeu_si512(words + span + j, high);                                                            \
            }                                                                                                           \
        }                                                                                                               \
    }
WIDE_LAYER(split_wide, split16)
WIDE_LAYER(join_wide, join16)

/* Which of 32 words are the low ones of spans of 1, 2, 4 or 8, whose turn each takes, and the way back for 16 of them;
 * high ones lie a span behind, and the other 16 come from 8 behind. */
typedef struct {
    __m512i low, turn, back;
} order16;

AVX512 inline order16 order_of(unsigned bits) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i block = _mm512_srli_epi32(lane, bits), inside = _mm512_and_si512(lane, _mm512_set1_epi32((1 << bits) - 1));
    const __m512i is_high = _mm512_and_si512(block, _mm512_set1_epi32(1));
    const __m512i whole = _mm512_slli_epi32(_mm512_srli_epi32(block, 1), bits);
    return (order16){_mm512_add_epi32(_mm512_slli_epi32(block, bits + 1), inside), block,
                     _mm512_add_epi32(_mm512_add_epi32(whole, inside), _mm512_slli_epi32(is_high, 4))};
}

#define NARROW_LAYER(name, butterfly)                                                                                   \
    AVX512 inline void name(uint32_t *words, size_t n, unsigned bits, const uint32_t *roots, const uint32_t *quotients, field16 field) { \
        const order16 order = order_of(bits);                                                                           \
        const __m512i high_order = _mm512_add_epi32(order.low, _mm512_set1_epi32(1 << bits));                           \
        const __m512i back_behind = _mm512_add_epi32(order.back, _mm512_set1_epi32(8));                                 \
        for (size_t i = 0, root = n >> (bits + 1); i < n; i += 2 * WORDS, root += WORDS >> bits) {                      \
            const __m512i first = _mm512_loadu_si512(words + i), second = _mm512_loadu_si512(words + i + WORDS);        \
            const turn16 turn = turn_of(_mm512_permutexvar_epi32(order.turn, _mm512_loadu_si512(roots + root)),         \
                                        _mm512_permutexvar_epi32(order.turn, _mm512_loadu_si512(quotients + root)));    \
            __m512i low = _mm512_permutex2var_epi32(first, order.low, second);                                          \
            __m512i high = _mm512_permutex2var_epi32(first, high_order, second);                                        \
            butterfly(&low, &high, turn, field);                                                                        \
            _mm512_storeu_si512(words + i, _mm512_permutex2var_epi32(low, order.back, high));                           \
            _mm512_storeu_si512(words + i + WORDS, _mm512_permutex2var_epi32(low, back_behind, high));                  \
        }                                                                                                               \
    }
NARROW_LAYER(split_narrow, split16)
NARROW_LAYER(join_narrow, join16)

/* For n from 64 up: a narrow layer reads 16 roots at once. */
AVX512 void forward_512(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    const field16 field = field_of(prime);
    size_t m = 1;
    for (; n / m / 2 >= WORDS; m *= 2) split_wide(words, m, n / m / 2, roots, quotients, field);
    for (unsigned bits = 4; bits--;) split_narrow(words, n, bits, roots, quotients, field);
    for (size_t i = 0; i < n; i += WORDS) {
        const __m512i word = _mm512_loadu_si512(words + i);
        _mm512_storeu_si512(words + i, less16(less16(word, field.twice), field.prime));
    }
}

AVX512 void inverse_low_512(uint32_t *words, size_t n, size_t count, const uint32_t *roots, const uint32_t *quotients,
                          uint32_t prime) {
    const field16 field = field_of(prime);
    const turn16 scale = one_turn(roots, quotients, 0);
    for (unsigned bits = 0; bits < 4; bits++) join_narrow(words, n, bits, roots, quotients, field);
    for (size_t span = WORDS; span < count; span *= 2) join_wide(words, n / span / 2, span, roots, quotients, field);
    for (size_t i = 0; i < count; i += WORDS) {
        __m512i sum = _mm512_loadu_si512(words + i);
        for (size_t start = count; start < n; start += count)
            sum = less16(_mm512_add_epi32(sum, _mm512_loadu_si512(words + start + i)), field.twice);
        _mm512_storeu_si512(words + i, less16(times16(sum, scale, field.prime), field.prime));
    }
}

AVX512 void inverse_512(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    inverse_low_512(words, n, n, roots, quotients, prime);
}
#undef AVX512
#endif
#endif
