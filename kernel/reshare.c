/* The key holder's half of a gallery query (docs/adr/0009-galleries.md): shares opened, encrypted again, and answers
 * opened. veilface/keyholder/opening.py is the door. A pair at a time, so that what is computed on stays in the cache. */
#include <string.h>

#include "modular.h"
#include "parallel.h"
#include "query.h"
#include "shares.h"

enum {
    N = VF_RESULT_DEGREE,
    POLYNOMIAL = VF_RESULT_POLYNOMIAL,
    INVERSE_OF_0 = 13407029,    /* of VF_RESULT_0 modulo VF_RESULT_1 */
    INVERSE_OF_BOTH = 13194088, /* of VF_RESULT_0 * VF_RESULT_1 modulo VF_RESULT_2 */
};
static const uint32_t PRIMES[VF_RESULT_PRIMES] = {VF_RESULT_0, VF_RESULT_1, VF_RESULT_2};

/* --- opening shares ----------------------------------------------------------------------------------------- */

VF_BODY void open_share(const uint32_t *share, const uint32_t *secrets, uint32_t *words) {
    for (size_t i = 0; i < VF_DEGREE; i++)
        words[i] = vf_scan_word((uint64_t)share[VF_DEGREE + i] * secrets[i] +
                                (uint64_t)share[2 * VF_DEGREE + i] * secrets[VF_DEGREE + i] + share[i]);
}

VF_VERSIONS(void, open_share, (const uint32_t *share, const uint32_t *secrets, uint32_t *words), (share, secrets, words))

/* Slots of the shares and of the wrap bits: even places are real parts, odd ones imaginary. */
VF_BODY void fill_slots(const uint32_t *words, vf_slots *shares, vf_slots *wraps) {
    for (size_t i = 0; i < VF_SLOTS; i++) {
        const int32_t even = vf_share(words[i]), odd = vf_share(words[VF_DEGREE + i]);
        shares->real[i] = even * VF_SLOT_SCALE;
        shares->imaginary[i] = odd * VF_SLOT_SCALE;
        wraps->real[i] = even < VF_WRAP ? VF_SHARE_MODULUS * VF_SLOT_SCALE : 0;
        wraps->imaginary[i] = odd < VF_WRAP ? VF_SHARE_MODULUS * VF_SLOT_SCALE : 0;
    }
}

VF_VERSIONS(void, fill_slots, (const uint32_t *words, vf_slots *shares, vf_slots *wraps), (words, shares, wraps))

/* --- encrypting them ---------------------------------------------------------------------------------------- */

/* To the nearest integer, the even one of two: doubles from 2^52 on have no fraction, and their low bits are it. */
VF_BODY int32_t nearest(double value) {
    const double shifted = value + 6755399441055744.0; /* 2^52 + 2^51 */
    int64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (int32_t)bits;
}

/* The nearest integer polynomial with these slots, which are used up, and noise. */
VF_BODY void encode(vf_slots *slots, const vf_turns turns, const int8_t *noise, int32_t *polynomial) {
    vf_slots sums;
    vf_slots_transform(slots, &sums, turns);
    for (size_t i = 0; i < VF_SLOTS; i++) {
        const double c = turns[2][i] * (1.0 / VF_SLOTS), s = turns[3][i] * (1.0 / VF_SLOTS);
        polynomial[i] = nearest(sums.real[i] * c + sums.imaginary[i] * s) + noise[i];
        polynomial[VF_SLOTS + i] = nearest(sums.imaginary[i] * c - sums.real[i] * s) + noise[VF_SLOTS + i];
    }
}

VF_VERSIONS(void, encode, (vf_slots * slots, const vf_turns turns, const int8_t *noise, int32_t *polynomial),
            (slots, turns, noise, polynomial))

VF_BODY void residues(const int32_t *polynomial, uint32_t prime, uint32_t *words) {
    for (size_t i = 0; i < N; i++) words[i] = (uint32_t)polynomial[i] + (prime & -(uint32_t)(polynomial[i] < 0));
}

VF_VERSIONS(void, residues, (const int32_t *polynomial, uint32_t prime, uint32_t *words), (polynomial, prime, words))

VF_BODY void less_product(uint32_t *words, const uint32_t *second, const uint32_t *secret, uint32_t prime) {
    for (size_t i = 0; i < N; i++) {
        const uint32_t word = words[i] + prime - vf_result_word((uint64_t)second[i] * secret[i], prime);
        words[i] = word >= prime ? word - prime : word;
    }
}

VF_BODY void less_product_row(size_t row, uint32_t *words, const uint32_t *second, const uint32_t *secret) {
    if (row == 0) less_product(words, second, secret, VF_RESULT_0);
    else if (row == 1) less_product(words, second, secret, VF_RESULT_1);
    else less_product(words, second, secret, VF_RESULT_2);
}

VF_VERSIONS(void, less_product_row, (size_t row, uint32_t *words, const uint32_t *second, const uint32_t *secret),
            (row, words, second, secret))

typedef struct {
    const uint32_t *shares, *second;
    const int8_t *noise;
    uint32_t *out;
    vf_secrets secrets;
    vf_roots scan;
    const vf_roots *result;
    const vf_turns *turns;
    size_t pairs;
    vf_level level;
} resharing;

/* One ciphertext's first component from its slots: U in column 0, K in column 1. */
static void seal_column(const resharing *job, size_t pair, size_t column, vf_slots *slots) {
    int32_t polynomial[N];
    const size_t start = 2 * pair + column;
    encode_at(job->level)(slots, *job->turns, job->noise + start * N, polynomial);
    for (size_t row = 0; row < VF_RESULT_PRIMES; row++) {
        const vf_roots roots = job->result[row];
        uint32_t *words = job->out + start * POLYNOMIAL + row * N;
        residues_at(job->level)(polynomial, PRIMES[row], words);
        vf_forward(words, 1, N, roots.powers, roots.quotients, PRIMES[row], job->level);
        less_product_row_at(job->level)(row, words, job->second + (row * 2 * job->pairs + start) * N,
                                        job->secrets.result + row * N);
    }
}

static void reshare_pair(const void *context, size_t pair) {
    const resharing *job = context;
    uint32_t words[2 * VF_DEGREE];
    vf_slots shares, wraps;
    for (size_t place = 0; place < 2; place++)
        open_share_at(job->level)(job->shares + (2 * pair + place) * 3 * VF_DEGREE, job->secrets.scan, words + place * VF_DEGREE);
    vf_inverse(words, 2, VF_DEGREE, job->scan.powers, job->scan.quotients, VF_PRIME, job->level);
    fill_slots_at(job->level)(words, &shares, &wraps);
    seal_column(job, pair, 0, &shares);
    seal_column(job, pair, 1, &wraps);
}

void vf_reshare(const uint32_t *shares, vf_secrets secrets, vf_roots scan, const vf_roots result[VF_RESULT_PRIMES],
                const vf_turns turns, const uint32_t *second, const int8_t *noise, uint32_t *out, size_t pairs, size_t threads,
                vf_level level) {
    const resharing job = {shares, second, noise, out, secrets, scan, result, (const vf_turns *)turns, pairs, level};
    vf_parallel(reshare_pair, &job, pairs, threads);
}

/* --- encrypting under the scan key ------------------------------------------------------------------------ */

VF_BODY void scan_residues(const int64_t *message, const int8_t *noise, uint32_t *words) {
    for (size_t i = 0; i < VF_DEGREE; i++) {
        int32_t residue = (int32_t)message[i] + noise[i];
        residue += VF_PRIME & -(residue < 0);
        residue += VF_PRIME & -(residue < 0);
        words[i] = (uint32_t)residue - (VF_PRIME & -(uint32_t)(residue >= VF_PRIME));
    }
}

VF_VERSIONS(void, scan_residues, (const int64_t *message, const int8_t *noise, uint32_t *words), (message, noise, words))

VF_BODY void less_scan_product(uint32_t *words, const uint32_t *second, const uint32_t *secret) {
    for (size_t i = 0; i < VF_DEGREE; i++) {
        const uint32_t word = words[i] + VF_PRIME - vf_scan_word((uint64_t)second[i] * secret[i]);
        words[i] = word >= VF_PRIME ? word - VF_PRIME : word;
    }
}

VF_VERSIONS(void, less_scan_product, (uint32_t * words, const uint32_t *second, const uint32_t *secret), (words, second, secret))

typedef struct {
    const int64_t *messages;
    const int8_t *noise;
    const uint32_t *second, *secret;
    vf_roots roots;
    uint32_t *out;
    vf_level level;
} sealing;

static void seal_row(const void *context, size_t row) {
    const sealing *job = context;
    const size_t start = row * VF_DEGREE;
    uint32_t *words = job->out + start;
    scan_residues_at(job->level)(job->messages + start, job->noise + start, words);
    vf_forward(words, 1, VF_DEGREE, job->roots.powers, job->roots.quotients, VF_PRIME, job->level);
    less_scan_product_at(job->level)(words, job->second + start, job->secret);
}

void vf_seal(const int64_t *messages, const int8_t *noise, const uint32_t *second, const uint32_t *secret, vf_roots scan,
             uint32_t *out, size_t rows, size_t threads, vf_level level) {
    const sealing job = {messages, noise, second, secret, scan, out, level};
    vf_parallel(seal_row, &job, rows, threads);
}

/* --- opening answers ---------------------------------------------------------------------------------------- */

VF_BODY void open_blinded(const uint32_t *blinded, const uint32_t *secret, uint32_t *words, uint32_t prime) {
#pragma GCC ivdep
    for (size_t i = 0; i < N; i++) {
        const uint64_t straight = (uint64_t)blinded[POLYNOMIAL + i] * secret[i];
        const uint64_t turned = (uint64_t)blinded[2 * POLYNOMIAL + i] * secret[N - 1 - i];
        words[i] = vf_result_word(straight + turned + blinded[i], prime);
    }
}

VF_BODY void open_blinded_row(size_t row, const uint32_t *blinded, const uint32_t *secret, uint32_t *words) {
    if (row == 0) open_blinded(blinded, secret, words, VF_RESULT_0);
    else if (row == 1) open_blinded(blinded, secret, words, VF_RESULT_1);
    else open_blinded(blinded, secret, words, VF_RESULT_2);
}

VF_VERSIONS(void, open_blinded_row, (size_t row, const uint32_t *blinded, const uint32_t *secret, uint32_t *words),
            (row, blinded, secret, words))

/* Mixed radix: v1 + v2·Q1 + v3·Q1·Q2 with v3 centred; the first two are exact below 2^53. */
VF_BODY double centred(uint32_t first, uint32_t second, uint32_t third) {
    const uint64_t middle = vf_result_word((second + 2 * (uint64_t)VF_RESULT_1 - first) * INVERSE_OF_0, VF_RESULT_1);
    const uint64_t low = first + middle * VF_RESULT_0;
    const uint64_t left = third + (uint64_t)VF_RESULT_2 - vf_result_word(low, VF_RESULT_2);
    const int32_t high = (int32_t)vf_result_word(left * INVERSE_OF_BOTH, VF_RESULT_2);
    const int32_t about_zero = high - (VF_RESULT_2 & -(2 * high > VF_RESULT_2));
    return (double)(int64_t)low + about_zero * ((double)VF_RESULT_0 * VF_RESULT_1);
}

/* The values at zeta^(4j+1): an inverse transform, which is a transform with real and imaginary parts exchanged. */
VF_BODY void decode(const uint32_t *words, const vf_turns turns, double *even, double *odd) {
    vf_slots folded, values;
    for (size_t i = 0; i < VF_SLOTS; i++) {
        const size_t half = VF_SLOTS + i;
        const double real = centred(words[i], words[N + i], words[2 * N + i]);
        const double imaginary = centred(words[half], words[N + half], words[2 * N + half]);
        folded.imaginary[i] = real * turns[2][i] - imaginary * turns[3][i];
        folded.real[i] = real * turns[3][i] + imaginary * turns[2][i];
    }
    vf_slots_transform(&folded, &values, turns);
    memcpy(even, values.imaginary, sizeof values.imaginary);
    memcpy(odd, values.real, sizeof values.real);
}

VF_VERSIONS(void, decode, (const uint32_t *words, const vf_turns turns, double *even, double *odd), (words, turns, even, odd))

typedef struct {
    const uint32_t *blinded, *secret;
    const vf_roots *result;
    const vf_turns *turns;
    double *out;
    vf_level level;
} answering;

static void answer_pair(const void *context, size_t pair) {
    const answering *job = context;
    uint32_t words[POLYNOMIAL];
    double *out = job->out + pair * 2 * VF_SLOTS;
    for (size_t row = 0; row < VF_RESULT_PRIMES; row++) {
        const vf_roots roots = job->result[row];
        open_blinded_row_at(job->level)(row, job->blinded + pair * 3 * POLYNOMIAL + row * N, job->secret + row * N,
                                        words + row * N);
        vf_inverse(words + row * N, 1, N, roots.powers, roots.quotients, PRIMES[row], job->level);
    }
    decode_at(job->level)(words, *job->turns, out, out + VF_SLOTS);
}

void vf_answer(const uint32_t *blinded, const uint32_t *secret, const vf_roots result[VF_RESULT_PRIMES], const vf_turns turns,
               double *out, size_t pairs, size_t threads, vf_level level) {
    const answering job = {blinded, secret, result, (const vf_turns *)turns, out, level};
    vf_parallel(answer_pair, &job, pairs, threads);
}
