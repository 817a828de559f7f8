/* A whole conversion one ciphertext at a time and prime by prime, so that everything stays in the cache.
 *
 * Residues have at most 24 bits. A sum x of two products is below 2^49.1, and x modulo a prime of k bits is found after
 * Barrett: of x/prime the product (x >> (k-1)) * floor(2^(2k)/prime) >> (k+1) misses less than 4. */
#include "conversion.h"

#include <string.h>

#include "versions.h"

enum { N = VF_VERIFICATION_DEGREE, LOW = VF_CONVERTED, SPECIAL = VF_KEY_PRIMES - 1, WIRE_ROW = 3 * N };

static const uint32_t PRIMES[VF_KEY_PRIMES] = {16736257, 16760833, 974849, 1032193};

typedef struct {
    uint32_t prime, ratio;
    unsigned before, after;
} modulus;

static modulus modulus_of(uint32_t prime) {
    const unsigned bits = 32 - (unsigned)__builtin_clz(prime);
    return (modulus){prime, (uint32_t)(((uint64_t)1 << 2 * bits) / prime), bits - 1, bits + 1};
}

VF_BODY uint32_t less(uint32_t word, uint32_t bound) { return word >= bound ? word - bound : word; }

VF_BODY uint32_t reduced(uint64_t sum, modulus m) {
    const uint32_t quotient = (uint32_t)((uint64_t)(uint32_t)(sum >> m.before) * m.ratio >> m.after);
    return less(less((uint32_t)sum - quotient * m.prime, 2 * m.prime), m.prime);
}

static uint32_t inverse_of(uint32_t value, modulus m) { /* value^(prime - 2) */
    uint32_t power = 1, square = value % m.prime;
    for (uint32_t left = m.prime - 2; left; left >>= 1) {
        if (left & 1) power = reduced((uint64_t)power * square, m);
        square = reduced((uint64_t)square * square, m);
    }
    return power;
}

/* --- rows -------------------------------------------------------------------------------------------------- */

/* N residues of three bytes, from `start` on; the last is read alone, for nothing needs to lie behind it. */
VF_BODY void parse_from(size_t start, const uint8_t *wire, uint32_t *row) {
    for (size_t i = start; i < N - 1; i++) {
        uint32_t word;
        memcpy(&word, wire + 3 * i, sizeof word);
        row[i] = word & 0xFFFFFF;
    }
    wire += WIRE_ROW - 3;
    row[N - 1] = wire[0] | (uint32_t)wire[1] << 8 | (uint32_t)wire[2] << 16;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Sixteen at a time: every twelve bytes to a lane of their own, and there every three to a word. */
__attribute__((target("avx512f,avx512bw"))) static void parse_avx512(const uint8_t *wire, uint32_t *row) {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    const __m512i words = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    size_t i = 0;
    for (; 3 * i + 64 <= WIRE_ROW; i += 16) {
        const __m512i bytes = _mm512_permutexvar_epi32(lanes, _mm512_loadu_si512(wire + 3 * i));
        _mm512_storeu_si512(row + i, _mm512_shuffle_epi8(bytes, words));
    }
    parse_from(i, wire, row);
}
#endif

static void parse(const uint8_t *wire, uint32_t *row, vf_level level) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (level == VF_AVX512) {
        parse_avx512(wire, row);
        return;
    }
#endif
    (void)level;
    parse_from(0, wire, row);
}

VF_BODY int all_below(const uint32_t *words, size_t count, uint32_t prime) {
    uint32_t above = 0;
    for (size_t i = 0; i < count; i++) above |= words[i] >= prime;
    return !above;
}

VF_BODY uint32_t any(const uint32_t *words) {
    uint32_t all = 0;
    for (size_t i = 0; i < N; i++) all |= words[i];
    return all;
}

/* Numbers of size below the prime. */
VF_BODY void lift_small(const int8_t *numbers, uint32_t *row, uint32_t prime) {
    for (size_t i = 0; i < N; i++) row[i] = (uint32_t)(numbers[i] + (numbers[i] < 0 ? (int32_t)prime : 0));
}

VF_BODY void multiply(const uint32_t *row, uint32_t *by, modulus m) {
    for (size_t i = 0; i < N; i++) by[i] = reduced((uint64_t)row[i] * by[i], m);
}

/* by = row * by + words * factor */
VF_BODY void multiply_add(const uint32_t *row, uint32_t *by, const uint32_t *words, uint32_t factor, modulus m) {
    for (size_t i = 0; i < N; i++) by[i] = reduced((uint64_t)row[i] * by[i] + (uint64_t)words[i] * factor, m);
}

/* e less the centred remainder: what the words lack to be divided by the special prime. */
VF_BODY void lift_missing(const int32_t *remainders, const int8_t *errors, uint32_t *row, uint32_t prime) {
    for (size_t i = 0; i < N; i++) {
        const int32_t missing = errors[i] - remainders[i];
        row[i] = (uint32_t)(missing + (missing < 0 ? (int32_t)prime : 0));
    }
}

/* c + e about zero, from residues c of the special prime. */
VF_BODY void centre(const uint32_t *residues, const int8_t *errors, int32_t *out, size_t count) {
    const int32_t prime = (int32_t)PRIMES[SPECIAL];
    for (size_t i = 0; i < count; i++) {
        const int32_t remainder = (int32_t)residues[i] + errors[i];
        out[i] = remainder - (2 * remainder > prime ? prime : 0);
    }
}

/* out = words + (row + missing) * factor */
VF_BODY void divide_add(const uint32_t *words, const uint32_t *row, const uint32_t *missing, uint32_t factor, uint32_t *out,
                        modulus m) {
    for (size_t i = 0; i < N; i++) {
        const uint32_t sum = less(row[i] + missing[i], m.prime);
        out[i] = reduced((uint64_t)sum * factor + words[i], m);
    }
}

/* --- the matcher ------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *ciphertext, *key;
    const int8_t *secret, *errors;
    const int64_t *masks;
    const vf_key_roots *roots;
    vf_level level;
} hiding;

#define FORWARD(words, roots_, row, level) \
    vf_forward(words, 1, N, (roots_)->forward[row].powers, (roots_)->forward[row].quotients, PRIMES[row], level)
#define INVERSE_LOW(words, roots_, row, level) \
    vf_inverse_low(words, N, LOW, (roots_)->inverse[row].powers, (roots_)->inverse[row].quotients, PRIMES[row], level)

/* round((c + e) / special) + mask, from coefficients c modulo one prime and what is left over modulo the special one. */
VF_BODY void first_row(const hiding *h, const uint32_t *coefficients, const int32_t *remainders, uint32_t inverse, uint32_t *out,
                       modulus m) {
    for (size_t i = 0; i < LOW; i++) {
        const int64_t divided = (int64_t)coefficients[i] + h->errors[i] - remainders[i] + 2 * (int64_t)m.prime;
        out[i] = (uint32_t)((divided % m.prime * inverse + (uint64_t)h->masks[i]) % m.prime);
    }
}

/* Both components modulo one prime: u * key + ciphertext * special, divided by the special prime. */
VF_BODY int mask_row(const hiding *h, size_t row, const int32_t *low, const int32_t *remainders, uint32_t *first,
                     uint32_t *second, uint32_t *seen) {
    const modulus m = modulus_of(PRIMES[row]);
    const uint32_t inverse = inverse_of(PRIMES[SPECIAL], m);
    const uint8_t *key = h->key + row * WIRE_ROW, *ciphertext = h->ciphertext + row * WIRE_ROW;
    uint32_t secret[N], product[N], words[N];
    lift_small(h->secret, secret, m.prime);
    FORWARD(secret, h->roots, row, h->level);
    parse(key, product, h->level), parse(ciphertext, words, h->level);
    int sound = all_below(product, N, m.prime) && all_below(words, N, m.prime);
    multiply_add(secret, product, words, PRIMES[SPECIAL], m);
    INVERSE_LOW(product, h->roots, row, h->level);
    first_row(h, product, low, inverse, first, m);
    parse(key + VF_KEY_PRIMES * WIRE_ROW, product, h->level);
    parse(ciphertext + VF_DATA_PRIMES * WIRE_ROW, words, h->level);
    sound = sound && all_below(product, N, m.prime) && all_below(words, N, m.prime);
    seen[0] |= any(product), seen[1] |= any(words);
    multiply(secret, product, m);
    lift_missing(remainders, h->errors + LOW, secret, m.prime);
    FORWARD(secret, h->roots, row, h->level);
    divide_add(words, product, secret, inverse, second, m);
    return sound;
}

/* What is left over modulo the special prime: of the first component's low coefficients, and of the whole second. */
VF_BODY int left_over(const hiding *h, int32_t *low, int32_t *remainders, uint32_t *seen) {
    const modulus m = modulus_of(PRIMES[SPECIAL]);
    const vf_roots inverse = h->roots->inverse[SPECIAL];
    uint32_t secret[N], product[N];
    lift_small(h->secret, secret, m.prime);
    FORWARD(secret, h->roots, SPECIAL, h->level);
    parse(h->key + SPECIAL * WIRE_ROW, product, h->level);
    int sound = all_below(product, N, m.prime);
    multiply(secret, product, m);
    INVERSE_LOW(product, h->roots, SPECIAL, h->level);
    centre(product, h->errors, low, LOW);
    parse(h->key + (VF_KEY_PRIMES + SPECIAL) * WIRE_ROW, product, h->level);
    sound = sound && all_below(product, N, m.prime);
    seen[0] |= any(product);
    multiply(secret, product, m);
    vf_inverse(product, 1, N, inverse.powers, inverse.quotients, m.prime, h->level);
    centre(product, h->errors + LOW, remainders, N);
    return sound;
}

VF_BODY int mask(const hiding *h, uint32_t *first, uint32_t *second) {
    int32_t low[LOW], remainders[N];
    uint32_t seen[2] = {0, 0};
    int sound = left_over(h, low, remainders, seen);
    for (size_t row = 0; row < VF_DATA_PRIMES; row++)
        sound &= mask_row(h, row, low, remainders, first + row * LOW, second + row * N, seen);
    return sound && seen[0] && seen[1];
}

VF_VERSIONS(int, mask, (const hiding *h, uint32_t *first, uint32_t *second), (h, first, second))

int vf_mask(const uint8_t *ciphertext, const uint8_t *key, const int8_t *secret, const int8_t *errors, const int64_t *masks,
            const vf_key_roots *roots, uint32_t *first, uint32_t *second, vf_level level) {
    const hiding h = {ciphertext, key, secret, errors, masks, roots, level};
    return mask_at(level)(&h, first, second);
}

/* --- the key holder ---------------------------------------------------------------------------------------- */

/* Four digits an octet, low bits first: 0, 1, or 2 for -1. Spread over four octets, and all of them at once. */
VF_BODY int unpack(const uint8_t *packed, int8_t *digits) {
    uint32_t spare = 0;
    for (size_t i = 0; i < N / 4; i++) {
        uint32_t four = packed[i];
        four = (four & 0x0F) | (four & 0xF0) << 12;
        four = (four & 0x00030003) | (four & 0x000C000C) << 6;
        const uint32_t ones = four & 0x01010101, twos = four >> 1 & 0x01010101;
        spare |= ones & twos;
        four = ones | twos * 0xFF;
        memcpy(digits + 4 * i, &four, sizeof four);
    }
    return !spare;
}

/* The integers with these residues, by mixed radix; false where one's highest digit is larger than `largest`. */
VF_BODY int join(uint32_t phase[VF_DATA_PRIMES][LOW], int64_t largest, int64_t *out) {
    const modulus middle = modulus_of(PRIMES[1]), last = modulus_of(PRIMES[2]);
    const uint64_t radix = (uint64_t)PRIMES[0] * PRIMES[1];
    const uint32_t first_inverse = inverse_of(PRIMES[0], middle), radix_inverse = inverse_of((uint32_t)(radix % PRIMES[2]), last);
    int fits = 1;
    for (size_t i = 0; i < LOW; i++) {
        const uint64_t digit = (uint64_t)(phase[1][i] + PRIMES[1] - phase[0][i]) * first_inverse % PRIMES[1];
        const uint64_t low = phase[0][i] + digit * PRIMES[0];
        int64_t high = (int64_t)((phase[2][i] + PRIMES[2] - low % PRIMES[2]) * radix_inverse % PRIMES[2]);
        high -= 2 * high > (int64_t)PRIMES[2] ? (int64_t)PRIMES[2] : 0;
        fits &= high <= largest && -high <= largest;
        out[i] = (int64_t)(low + (uint64_t)high * radix);
    }
    return fits;
}

VF_BODY vf_opening opened(const uint8_t *packed, const uint32_t *first, const uint32_t *second, int64_t largest,
                          const vf_key_roots *roots, int64_t *out, vf_level level) {
    int8_t digits[N];
    uint32_t phase[VF_DATA_PRIMES][LOW], secret[N], product[N];
    int sound = unpack(packed, digits);
    for (size_t row = 0; row < VF_DATA_PRIMES; row++) {
        const modulus m = modulus_of(PRIMES[row]);
        sound = sound && all_below(first + row * LOW, LOW, m.prime) && all_below(second + row * N, N, m.prime);
        if (!sound) return VF_MALFORMED;
        lift_small(digits, secret, m.prime);
        FORWARD(secret, roots, row, level);
        memcpy(product, second + row * N, sizeof product);
        multiply(secret, product, m);
        INVERSE_LOW(product, roots, row, level);
        for (size_t i = 0; i < LOW; i++) phase[row][i] = less(product[i] + first[row * LOW + i], m.prime);
    }
    return join(phase, largest, out) ? VF_OPENED : VF_NO_MASK;
}

VF_VERSIONS(vf_opening, opened,
            (const uint8_t *packed, const uint32_t *first, const uint32_t *second, int64_t largest,
             const vf_key_roots *roots, int64_t *out, vf_level level),
            (packed, first, second, largest, roots, out, level))

vf_opening vf_open(const uint8_t *secret, const uint32_t *first, const uint32_t *second, int64_t largest,
                   const vf_key_roots *roots, int64_t *out, vf_level level) {
    return opened_at(level)(secret, first, second, largest, roots, out, level);
}
