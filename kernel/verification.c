/* 1:1 verification of suite 0x01 (protocol, section 6), word by word on NTT words. veilface/match/products.py is the
 * door. Every division is by a constant, for each row is compiled for its own prime. */
#include <string.h>

#include "kernel.h"
#include "versions.h"

enum { N = VF_VERIFICATION_DEGREE, Q1 = 16736257, Q2 = 16760833, Q3 = 974849, ROWS = 3, POLYNOMIAL = ROWS * N };

/* A residue's three bytes, little-endian. */
VF_BODY void put(uint8_t *out, size_t word, uint32_t residue) {
    out[3 * word] = (uint8_t)residue;
    out[3 * word + 1] = (uint8_t)(residue >> 8);
    out[3 * word + 2] = (uint8_t)(residue >> 16);
}

VF_BODY void refresh_row(const uint32_t *ciphertext, const uint32_t *zero, uint32_t *out, uint32_t prime) {
    for (size_t i = 0; i < N; i++) {
        const uint32_t sum = ciphertext[i] + zero[i];
        out[i] = sum >= prime ? sum - prime : sum;
    }
}

void vf_refresh(const uint32_t *ciphertext, const uint32_t *zero, uint32_t *out) {
    for (size_t component = 0; component < 2 * POLYNOMIAL; component += POLYNOMIAL) {
        refresh_row(ciphertext + component, zero + component, out + component, Q1);
        refresh_row(ciphertext + component + N, zero + component + N, out + component + N, Q2);
        refresh_row(ciphertext + component + 2 * N, zero + component + 2 * N, out + component + 2 * N, Q3);
    }
}

VF_BODY void score_row(size_t row, uint64_t prime, const uint32_t *stored, const uint32_t *probe, const uint32_t *limit,
                       uint64_t blinding, const uint32_t *mask, uint8_t *out) {
    for (size_t i = row * N; i < (row + 1) * N; i++) {
        const uint64_t t0 = stored[i], t1 = stored[POLYNOMIAL + i], p0 = probe[i], p1 = probe[POLYNOMIAL + i];
        const uint64_t first = t0 * p0 + prime - limit[i], middle = t0 * p1 + t1 * p0, last = t1 * p1;
        put(out, i, (uint32_t)((first % prime * blinding + mask[i]) % prime));
        put(out, POLYNOMIAL + i, (uint32_t)((middle % prime * blinding + mask[POLYNOMIAL + i]) % prime));
        put(out, 2 * POLYNOMIAL + i, (uint32_t)((last % prime * blinding + mask[2 * POLYNOMIAL + i]) % prime));
    }
}

void vf_score(const uint32_t *stored, const uint32_t *probe, const uint32_t *limit, const uint32_t blinding[3],
              const uint32_t *mask, uint8_t *out) {
    score_row(0, Q1, stored, probe, limit, blinding[0], mask, out);
    score_row(1, Q2, stored, probe, limit, blinding[1], mask, out);
    score_row(2, Q3, stored, probe, limit, blinding[2], mask, out);
}

/* The conjugate's word i is the polynomial's word n - 1 - i. */
VF_BODY void norm_row(size_t row, uint64_t prime, const uint32_t *probe, const uint32_t *mask, uint8_t *out) {
    for (size_t i = row * N, mirrored = (row + 1) * N - 1; i < (row + 1) * N; i++, mirrored--) {
        const uint64_t p0 = probe[i], p1 = probe[POLYNOMIAL + i];
        const uint64_t c0 = probe[mirrored], c1 = probe[POLYNOMIAL + mirrored];
        put(out, i, (uint32_t)((p0 * c0 + mask[i]) % prime));
        put(out, POLYNOMIAL + i, (uint32_t)((p1 * c0 + mask[POLYNOMIAL + i]) % prime));
        put(out, 2 * POLYNOMIAL + i, (uint32_t)((p0 * c1 + mask[2 * POLYNOMIAL + i]) % prime));
        put(out, 3 * POLYNOMIAL + i, (uint32_t)((p1 * c1 + mask[3 * POLYNOMIAL + i]) % prime));
    }
}

void vf_norm(const uint32_t *probe, const uint32_t *mask, uint8_t *out) {
    norm_row(0, Q1, probe, mask, out);
    norm_row(1, Q2, probe, mask, out);
    norm_row(2, Q3, probe, mask, out);
}

VF_BODY void lift_row(const uint32_t *remainder, uint32_t *out, uint32_t prime) {
    for (size_t i = 0; i < N; i++) out[i] = remainder[i] > Q3 / 2 ? prime - (Q3 - remainder[i]) : remainder[i];
}

/* (p - lifted) / q3, where q3 divides. */
VF_BODY void divide_row(const uint32_t *word, const uint32_t *lifted, uint64_t inverse, uint8_t *out, uint64_t prime) {
    for (size_t i = 0; i < N; i++) put(out, i, (uint32_t)((word[i] + prime - lifted[i]) * inverse % prime));
}

void vf_rounded(const uint32_t *probe, const vf_roots roots[3], const uint32_t inverses[2], uint32_t *scratch, uint8_t *out,
              vf_level level) {
    static const uint32_t primes[2] = {Q1, Q2};
    uint32_t *remainder = scratch, *lifted = scratch + N;
    for (size_t component = 0; component < 2; component++) {
        const uint32_t *words = probe + component * POLYNOMIAL;
        memcpy(remainder, words + 2 * N, N * sizeof(uint32_t));
        vf_inverse(remainder, 1, N, roots[2].powers, roots[2].quotients, Q3, level);
        for (size_t row = 0; row < 2; row++) {
            uint8_t *place = out + 3 * (2 * component + row) * N;
            lift_row(remainder, lifted, primes[row]);
            vf_forward(lifted, 1, N, roots[row].powers, roots[row].quotients, primes[row], level);
            if (row == 0) divide_row(words, lifted, inverses[0], place, Q1);
            else divide_row(words + N, lifted, inverses[1], place, Q2);
        }
    }
}
