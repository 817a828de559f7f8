/* Masks of the first leg and factors of the second, a place or a pair at a time, all steps of it in the cache. Nothing
 * branches on a secret; which slots of its gallery are empty is none to the matcher. */
#include "blinding.h"

#include <math.h>
#include <string.h>

#include "modular.h"
#include "parallel.h"
#include "shares.h"

enum { N = VF_RESULT_DEGREE, POLYNOMIAL = VF_RESULT_POLYNOMIAL };
static const uint32_t PRIMES[VF_RESULT_PRIMES] = {VF_RESULT_0, VF_RESULT_1, VF_RESULT_2};

/* --- leg 1 -------------------------------------------------------------------------------------------------- */

VF_BODY uint32_t residue(int32_t number, uint32_t prime) { return (uint32_t)number + (prime & -(uint32_t)(number < 0)); }

/* What one place's masks are made of, five polynomials: both secrets, and what is added to the three components. */
VF_BODY void mask_residues(const uint32_t *uniform, uint32_t offset, const int8_t *secrets, const int8_t *errors, uint32_t *words,
                           uint16_t *share) {
    for (size_t i = 0; i < VF_DEGREE; i++) {
        share[i] = (uint16_t)vf_share(uniform[i]);
        const uint32_t shifted = vf_less(uniform[i] + offset, VF_PRIME);
        words[i] = residue(secrets[i], VF_PRIME);
        words[VF_DEGREE + i] = residue(secrets[VF_DEGREE + i], VF_PRIME);
        words[2 * VF_DEGREE + i] = vf_less(shifted + residue(errors[i], VF_PRIME), VF_PRIME);
        words[3 * VF_DEGREE + i] = residue(errors[VF_DEGREE + i] + errors[2 * VF_DEGREE + i], VF_PRIME);
        words[4 * VF_DEGREE + i] = residue(errors[3 * VF_DEGREE + i], VF_PRIME);
    }
}

VF_VERSIONS(void, mask_residues,
            (const uint32_t *uniform, uint32_t offset, const int8_t *secrets, const int8_t *errors, uint32_t *words,
             uint16_t *share),
            (uniform, offset, secrets, errors, words, share))

VF_BODY void mask_sums(const uint32_t *words, const uint32_t *key, uint32_t *out) {
    const uint32_t *b = key, *a = key + VF_DEGREE;
    for (size_t i = 0; i < VF_DEGREE; i++) {
        const uint64_t t = words[i], lifted = words[VF_DEGREE + i];
        out[i] = vf_scan_word(t * b[i] + words[2 * VF_DEGREE + i]);
        out[VF_DEGREE + i] = vf_scan_word(t * a[i] + lifted * b[i] + words[3 * VF_DEGREE + i]);
        out[2 * VF_DEGREE + i] = vf_scan_word(lifted * a[i] + words[4 * VF_DEGREE + i]);
    }
}

VF_VERSIONS(void, mask_sums, (const uint32_t *words, const uint32_t *key, uint32_t *out), (words, key, out))

typedef struct {
    const uint32_t *uniform, *key;
    const int8_t *secrets, *errors;
    vf_roots scan;
    uint32_t offset, *out;
    uint16_t *share;
    vf_level level;
} masking;

static void mask_place(const void *context, size_t place) {
    const masking *job = context;
    const size_t start = place * VF_DEGREE;
    uint32_t words[5 * VF_DEGREE];
    mask_residues_at(job->level)(job->uniform + start, job->offset, job->secrets + 2 * start, job->errors + 4 * start, words,
                                 job->share + start);
    vf_forward(words, 5, VF_DEGREE, job->scan.powers, job->scan.quotients, VF_PRIME, job->level);
    mask_sums_at(job->level)(words, job->key, job->out + 3 * start);
}

void vf_mask_places(const uint32_t *uniform, uint32_t offset, const uint32_t *key, const int8_t *secrets, const int8_t *errors,
                    vf_roots scan, uint32_t *out, uint16_t *share, size_t places, size_t threads, vf_level level) {
    const masking job = {uniform, key, secrets, errors, scan, offset, out, share, level};
    vf_parallel(mask_place, &job, places, threads);
}

/* --- leg 2: integer polynomials ------------------------------------------------------------------------------ */

/* The slots of one pair: real parts are those of the even place. */
typedef struct {
    vf_slots constant, decoy;
    double shown[2][VF_SLOTS], wrapped[2][VF_SLOTS], dead[2][VF_SLOTS];
} pair_slots;

VF_BODY void fill_place(const vf_places *places, size_t start, size_t place, double *constant, double *decoy, pair_slots *slots) {
    const int64_t rotation = places->rotations[start / VF_SLOTS];
    for (size_t i = 0; i < VF_SLOTS; i++) {
        const size_t at = start + i;
        /* X^rotation brings slot i - rotation here, and changes its sign each time round. */
        const int64_t source = ((int64_t)i - rotation) & (VF_SLOTS - 1);
        const double sign = (double)(1 - 2 * (((source + rotation) >> 11) & 1)), live = places->live[at];
        const double share = places->shares[at], factor = places->factors[at];
        const double shown = factor * sign * live;
        slots->shown[place][i] = shown;
        slots->wrapped[place][i] = shown * (places->shares[at] >= VF_SHARE_MODULUS - VF_WRAP);
        slots->dead[place][i] = factor * (1 - live);
        constant[i] = (share + places->offset + sign * places->limit + places->dither[at] - 0.5) * live * VF_SLOT_SCALE;
        decoy[i] = places->decoys[at] * (1 - live) * VF_SLOT_SCALE;
    }
}

VF_BODY void fill(const vf_places *places, size_t start, pair_slots *slots) {
    fill_place(places, start, 0, slots->constant.real, slots->decoy.real, slots);
    fill_place(places, start + VF_SLOTS, 1, slots->constant.imaginary, slots->decoy.imaginary, slots);
}

VF_VERSIONS(void, fill, (const vf_places *places, size_t start, pair_slots *slots), (places, start, slots))

/* To the nearest integer, the even one of two: below 2^52 by a sum that has no room for a fraction. */
VF_BODY double nearest(double value) {
    const double size = fabs(value), whole = 4503599627370496.0;
    return copysign(size < whole ? (size + whole) - whole : size, value);
}

/* The nearest integer polynomial with these slots. */
VF_BODY void encode(vf_slots *slots, const vf_turns turns, int64_t *polynomial) {
    vf_slots sums;
    vf_slots_transform(slots, &sums, turns);
    for (size_t i = 0; i < VF_SLOTS; i++) {
        const double c = turns[2][i] * (1.0 / VF_SLOTS), s = turns[3][i] * (1.0 / VF_SLOTS);
        polynomial[i] = (int64_t)nearest(sums.real[i] * c + sums.imaginary[i] * s);
        polynomial[VF_SLOTS + i] = (int64_t)nearest(sums.imaginary[i] * c - sums.real[i] * s);
    }
}

VF_VERSIONS(void, encode, (vf_slots * slots, const vf_turns turns, int64_t *polynomial), (slots, turns, polynomial))

/* alpha or beta of two places: half of sum or difference in every slot, and p(1/X) = p(X), so that slots are real. */
VF_BODY void encode_symmetric(const double values[2][VF_SLOTS], double sign, const vf_turns turns, int64_t *polynomial) {
    vf_slots slots;
    for (size_t i = 0; i < VF_SLOTS; i++) {
        slots.real[i] = (values[0][i] + sign * values[1][i]) / 2;
        slots.imaginary[i] = 0;
    }
    encode(&slots, turns, polynomial);
    polynomial[VF_SLOTS] = 0;
    for (size_t i = 1; i < VF_SLOTS; i++) polynomial[VF_SLOTS + i] = -polynomial[VF_SLOTS - i];
}

VF_VERSIONS(void, encode_symmetric, (const double values[2][VF_SLOTS], double sign, const vf_turns turns, int64_t *polynomial),
            (values, sign, turns, polynomial))

/* --- leg 2: words -------------------------------------------------------------------------------------------- */

/* A size up to 2^55 modulo a prime: as vf_result_word, but with twice the sum the quotient may be two too small. */
VF_BODY void wide_residues(const int64_t *numbers, uint32_t prime, uint32_t *words) {
    const uint64_t inverse = ((uint64_t)1 << 56) / prime;
    for (size_t i = 0; i < N; i++) {
        const uint32_t negative = -(uint32_t)(numbers[i] < 0);
        const uint64_t size = (uint64_t)(numbers[i] < 0 ? -numbers[i] : numbers[i]);
        const uint32_t quotient = (uint32_t)(((uint64_t)(uint32_t)(size >> 24) * inverse) >> 32);
        const uint32_t word = vf_less(vf_less((uint32_t)size - quotient * prime, 2 * prime), prime);
        words[i] = vf_less((word & ~negative) | ((prime - word) & negative), prime);
    }
}

VF_BODY void small_residues(const int8_t *numbers, uint32_t prime, uint32_t *words) {
    for (size_t i = 0; i < N; i++) words[i] = residue(numbers[i], prime);
}

VF_VERSIONS(void, wide_residues, (const int64_t *numbers, uint32_t prime, uint32_t *words), (numbers, prime, words))
VF_VERSIONS(void, small_residues, (const int8_t *numbers, uint32_t prime, uint32_t *words), (numbers, prime, words))

/* NTT words of one prime: the offset and its factors are in `factors`, a pair's polynomial apart. */
typedef struct {
    uint32_t constant[N], decoy[N], dead[2][N], secrets[2][N], errors[2][2][N];
} pair_words;

VF_BODY void blind_sums(const pair_words *words, const uint32_t *factors, const uint32_t *key, uint32_t *sums, uint32_t prime) {
    const uint32_t *b = key, *a = key + POLYNOMIAL, *alpha = factors, *beta = factors + POLYNOMIAL;
#pragma GCC ivdep
    for (size_t i = 0; i < N; i++) {
        const size_t m = N - 1 - i;
        const uint64_t t = words->secrets[0][i], lifted = words->secrets[1][m];
        const uint64_t offset = (uint64_t)alpha[i] * words->constant[i] + (uint64_t)beta[i] * words->constant[m];
        const uint64_t empty = (uint64_t)words->dead[0][i] * words->decoy[i] + (uint64_t)words->dead[1][i] * words->decoy[m];
        const uint64_t zeros = t * b[i] + words->errors[0][0][i] + lifted * b[m] + words->errors[1][0][m];
        sums[i] = vf_result_word(zeros + prime - vf_result_word(offset + empty, prime), prime);
        sums[POLYNOMIAL + i] = vf_result_word(t * a[i] + words->errors[0][1][i], prime);
        sums[2 * POLYNOMIAL + i] = vf_result_word(lifted * a[m] + words->errors[1][1][m], prime);
    }
}

VF_BODY void blind_row(size_t row, const pair_words *words, const uint32_t *factors, const uint32_t *key, uint32_t *sums) {
    if (row == 0) blind_sums(words, factors, key, sums, VF_RESULT_0);
    else if (row == 1) blind_sums(words, factors, key, sums, VF_RESULT_1);
    else blind_sums(words, factors, key, sums, VF_RESULT_2);
}

VF_VERSIONS(void, blind_row, (size_t row, const pair_words *words, const uint32_t *factors, const uint32_t *key, uint32_t *sums),
            (row, words, factors, key, sums))

typedef struct {
    vf_places places;
    const uint32_t *key;
    const int8_t *secrets, *errors;
    const vf_roots *result;
    const vf_turns *turns;
    uint32_t *factors, *sums;
    vf_level level;
} blinding;

/* Integer polynomials of one pair: alpha, beta, alpha', beta'; of empty slots; offsets. */
typedef struct {
    int64_t factors[4][N], dead[2][N], constant[N], decoy[N];
    int any_empty;
} pair_polynomials;

static void encode_pair(const blinding *job, size_t pair, pair_polynomials *made) {
    pair_slots slots;
    made->any_empty = memchr(job->places.live + 2 * pair * VF_SLOTS, 0, 2 * VF_SLOTS) != NULL;
    fill_at(job->level)(&job->places, 2 * pair * VF_SLOTS, &slots);
    for (size_t half = 0; half < 2; half++) {
        const double sign = half ? -1 : 1;
        encode_symmetric_at(job->level)(slots.shown, sign, *job->turns, made->factors[half]);
        encode_symmetric_at(job->level)(slots.wrapped, sign, *job->turns, made->factors[2 + half]);
        if (made->any_empty) encode_symmetric_at(job->level)(slots.dead, sign, *job->turns, made->dead[half]);
    }
    encode_at(job->level)(&slots.constant, *job->turns, made->constant);
    if (made->any_empty) encode_at(job->level)(&slots.decoy, *job->turns, made->decoy);
}

static void to_words(const blinding *job, size_t row, const int64_t *polynomial, uint32_t *words) {
    wide_residues_at(job->level)(polynomial, PRIMES[row], words);
    vf_forward(words, 1, N, job->result[row].powers, job->result[row].quotients, PRIMES[row], job->level);
}

static void small_to_words(const blinding *job, size_t row, const int8_t *polynomial, uint32_t *words) {
    small_residues_at(job->level)(polynomial, PRIMES[row], words);
    vf_forward(words, 1, N, job->result[row].powers, job->result[row].quotients, PRIMES[row], job->level);
}

static void blind_pair(const void *context, size_t pair) {
    const blinding *job = context;
    pair_polynomials made;
    pair_words words;
    encode_pair(job, pair, &made);
    if (!made.any_empty) memset(words.decoy, 0, sizeof words.decoy), memset(words.dead, 0, sizeof words.dead);
    for (size_t row = 0; row < VF_RESULT_PRIMES; row++) {
        uint32_t *factors = job->factors + 4 * pair * POLYNOMIAL + row * N;
        for (size_t factor = 0; factor < 4; factor++) to_words(job, row, made.factors[factor], factors + factor * POLYNOMIAL);
        to_words(job, row, made.constant, words.constant);
        if (made.any_empty) to_words(job, row, made.decoy, words.decoy);
        for (size_t half = 0; half < 2; half++) {
            const size_t zero = 2 * pair + half;
            if (made.any_empty) to_words(job, row, made.dead[half], words.dead[half]);
            small_to_words(job, row, job->secrets + zero * N, words.secrets[half]);
            small_to_words(job, row, job->errors + 2 * zero * N, words.errors[half][0]);
            small_to_words(job, row, job->errors + (2 * zero + 1) * N, words.errors[half][1]);
        }
        blind_row_at(job->level)(row, &words, factors, job->key + row * N, job->sums + 3 * pair * POLYNOMIAL + row * N);
    }
}

void vf_blind_pairs(vf_places places, const uint32_t *key, const int8_t *secrets, const int8_t *errors,
                    const vf_roots result[VF_RESULT_PRIMES], const vf_turns turns, uint32_t *factors, uint32_t *sums, size_t pairs,
                    size_t threads, vf_level level) {
    const blinding job = {places, key, secrets, errors, result, (const vf_turns *)turns, factors, sums, level};
    vf_parallel(blind_pair, &job, pairs, threads);
}
