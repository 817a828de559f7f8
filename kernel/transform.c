/* Number-theoretic transforms modulo X^n + 1 in SEAL's word order, after Harvey, "Faster arithmetic for
 * number-theoretic transforms" (2014): words stay below 4·prime < 2^32 between layers and are reduced at the end. */
#include "kernel.h"
#include "versions.h"

/* word * root mod prime, below 2·prime, for any 32-bit word; quotient = floor(root * 2^32 / prime). */
VF_BODY uint32_t times(uint32_t word, uint32_t root, uint32_t quotient, uint32_t prime) {
    return word * root - (uint32_t)(((uint64_t)word * quotient) >> 32) * prime;
}

VF_BODY uint32_t less(uint32_t word, uint32_t bound) { return word >= bound ? word - bound : word; }

VF_BODY void forward(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    for (size_t m = 1, span = n / 2; m < n; m *= 2, span /= 2)
        for (size_t i = 0; i < m; i++) {
            uint32_t *low = words + 2 * i * span, *high = low + span;
            const uint32_t root = roots[m + i], quotient = quotients[m + i];
#pragma GCC ivdep
            for (size_t j = 0; j < span; j++) {
                const uint32_t u = less(low[j], 2 * prime), v = times(high[j], root, quotient, prime);
                low[j] = u + v;
                high[j] = u - v + 2 * prime;
            }
        }
    for (size_t i = 0; i < n; i++) words[i] = less(less(words[i], 2 * prime), prime);
}

VF_BODY void inverse(uint32_t *words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime) {
    for (size_t m = n / 2, span = 1; m >= 1; m /= 2, span *= 2)
        for (size_t i = 0; i < m; i++) {
            uint32_t *low = words + 2 * i * span, *high = low + span;
            const uint32_t root = roots[m + i], quotient = quotients[m + i];
#pragma GCC ivdep
            for (size_t j = 0; j < span; j++) {
                const uint32_t u = low[j], v = high[j];
                low[j] = less(u + v, 2 * prime);
                high[j] = times(u - v + 2 * prime, root, quotient, prime);
            }
        }
    for (size_t i = 0; i < n; i++) words[i] = less(times(words[i], roots[0], quotients[0], prime), prime);
}

#define PARAMETERS (uint32_t * words, size_t n, const uint32_t *roots, const uint32_t *quotients, uint32_t prime)
#define ARGUMENTS (words, n, roots, quotients, prime)
VF_VERSIONS(void, forward, PARAMETERS, ARGUMENTS)
VF_VERSIONS(void, inverse, PARAMETERS, ARGUMENTS)

void vf_forward(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level) {
    for (size_t row = 0; row < rows; row++) forward_at(level)(words + row * n, n, roots, quotients, prime);
}

void vf_inverse(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level) {
    for (size_t row = 0; row < rows; row++) inverse_at(level)(words + row * n, n, roots, quotients, prime);
}
