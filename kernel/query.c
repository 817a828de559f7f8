/* The matcher's two legs of a gallery query (docs/adr/0009-galleries.md), each one pass over memory.
 * veilface/match/legs.py is the door. Rotations, factors and masks are secrets: nothing branches on them. */
#include "query.h"

#include "modular.h"
#include "parallel.h"

enum { N = VF_RESULT_DEGREE, ROTATION_BITS = 12, LAYERS = 11, POLYNOMIAL = VF_RESULT_POLYNOMIAL };

/* --- leg 1: X^rotation * d + P, in the shuffled order ----------------------------------------------------- */

VF_BODY uint32_t times(uint32_t left, uint32_t right) { return vf_scan_word((uint64_t)left * right); }

/* The NTT of factor * X^rotation: word i is factor * base^(2·r(i) + 1), base = psi^rotation, where r reverses 11 bits.
 * Bit 10 - j of r(i) is bit j of i, so every layer doubles what there is by one more square of the base. */
VF_BODY void monomial(uint32_t factor, uint64_t rotation, const uint32_t *roots, uint32_t *words) {
    uint32_t squares[ROTATION_BITS], base = 1;
    for (size_t bit = 0; bit < ROTATION_BITS; bit++) {
        /* psi^(2^bit), for the roots are in bit-reversed order; psi^2048 is -1. */
        const uint32_t root = bit < LAYERS ? roots[VF_DEGREE / 2 >> bit] : VF_PRIME - 1;
        const uint32_t chosen = -(uint32_t)(rotation >> bit & 1);
        base = times(base, (root & chosen) | (1 & ~chosen));
    }
    squares[0] = base;
    for (size_t k = 1; k < ROTATION_BITS; k++) squares[k] = times(squares[k - 1], squares[k - 1]);
    words[0] = times(factor, base);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        const uint32_t step = squares[ROTATION_BITS - 1 - layer];
        const size_t half = (size_t)1 << layer;
#pragma GCC ivdep
        for (size_t i = 0; i < half; i++) words[half + i] = times(words[i], step);
    }
}

VF_BODY void hide(const uint32_t *scores, uint32_t factor, uint64_t rotation, const uint32_t *roots, const uint32_t *masks,
                  uint32_t *out) {
    uint32_t turn[VF_DEGREE];
    monomial(factor, rotation, roots, turn);
    for (size_t component = 0; component < 3; component++)
        for (size_t i = 0; i < VF_DEGREE; i++) {
            const size_t word = component * VF_DEGREE + i;
            out[word] = vf_scan_word((uint64_t)scores[word] * turn[i] + masks[word]);
        }
}

VF_VERSIONS(void, hide,
            (const uint32_t *scores, uint32_t factor, uint64_t rotation, const uint32_t *roots, const uint32_t *masks,
             uint32_t *out),
            (scores, factor, rotation, roots, masks, out))

typedef struct {
    const uint32_t *scores, *roots, *masks;
    const int64_t *order, *rotations;
    uint32_t *out;
    size_t blocks;
    vf_level level;
} hiding;

/* A place beyond the last block takes block 0 times zero. */
static void hide_place(const void *context, size_t place) {
    const hiding *job = context;
    const uint64_t block = (uint64_t)job->order[place], filled = block < job->blocks, words = 3 * VF_DEGREE;
    hide_at(job->level)(job->scores + (block & -filled) * words, (uint32_t)filled, (uint64_t)job->rotations[place], job->roots,
                        job->masks + place * words, job->out + place * words);
}

void vf_hide(const uint32_t *scores, size_t blocks, const int64_t *order, const int64_t *rotations, const uint32_t *roots,
             const uint32_t *masks, uint32_t *out, size_t places, size_t threads, vf_level level) {
    const hiding job = {scores, roots, masks, order, rotations, out, blocks, level};
    vf_parallel(hide_place, &job, places, threads);
}

/* --- leg 2: a·U + a'·K + b·conj(U) + b'·conj(K) + G under (1, s, conj(s)) ------------------------------------ */

/* One prime of one pair; the conjugate's word i is the polynomial's word n - 1 - i. */
VF_BODY void blind(const uint32_t *first, const uint32_t *second, const uint32_t *factors, const uint32_t *sums, uint32_t *out,
                   uint32_t prime) {
    const uint32_t *u = first, *k = first + POLYNOMIAL, *v = second, *w = second + N;
#pragma GCC ivdep
    for (size_t i = 0; i < N; i++) {
        const size_t mirrored = N - 1 - i;
        const uint64_t a = factors[i], b = factors[POLYNOMIAL + i];
        const uint64_t c = factors[2 * POLYNOMIAL + i], d = factors[3 * POLYNOMIAL + i];
        const uint64_t whole = a * u[i] + c * k[i] + b * u[mirrored] + d * k[mirrored] + sums[i];
        out[i] = vf_result_word(whole, prime);
        out[POLYNOMIAL + i] = vf_result_word(a * v[i] + c * w[i] + sums[POLYNOMIAL + i], prime);
        out[2 * POLYNOMIAL + i] = vf_result_word(b * v[mirrored] + d * w[mirrored] + sums[2 * POLYNOMIAL + i], prime);
    }
}

VF_BODY void blind_row(size_t row, const uint32_t *first, const uint32_t *second, const uint32_t *factors, const uint32_t *sums,
                       uint32_t *out) {
    if (row == 0) blind(first, second, factors, sums, out, VF_RESULT_0);
    else if (row == 1) blind(first, second, factors, sums, out, VF_RESULT_1);
    else blind(first, second, factors, sums, out, VF_RESULT_2);
}

VF_VERSIONS(void, blind_row,
            (size_t row, const uint32_t *first, const uint32_t *second, const uint32_t *factors, const uint32_t *sums,
             uint32_t *out),
            (row, first, second, factors, sums, out))

typedef struct {
    const uint32_t *first, *second, *factors, *sums;
    uint32_t *out;
    size_t pairs;
    vf_level level;
} blinding;

static void blind_item(const void *context, size_t item) {
    const blinding *job = context;
    const size_t pair = item / VF_RESULT_PRIMES, row = item % VF_RESULT_PRIMES, start = pair * POLYNOMIAL;
    blind_row_at(job->level)(row, job->first + 2 * start + row * N, job->second + (row * job->pairs + pair) * 2 * N,
                             job->factors + 4 * start + row * N, job->sums + 3 * start + row * N,
                             job->out + 3 * start + row * N);
}

void vf_blind(const uint32_t *first, const uint32_t *second, const uint32_t *factors, const uint32_t *sums, uint32_t *out,
              size_t pairs, size_t threads, vf_level level) {
    const blinding job = {first, second, factors, sums, out, pairs, level};
    vf_parallel(blind_item, &job, VF_RESULT_PRIMES * pairs, threads);
}
