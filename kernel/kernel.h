/* The hot loops of Veilface in exact integers. veilface/kernel, match/scan.py and match/products.py say what each means.
 * Nothing here allocates, draws randomness or checks an argument: module.cpp does the last. */
#ifndef VEILFACE_KERNEL_H
#define VEILFACE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VF_DEGREE = 2048, /* of the scan's ring */
    VF_LANES = 16,    /* words of one coordinate that lie side by side: one cache line */
    VF_GROUPS = VF_DEGREE / VF_LANES,
    VF_PRIME = 1073692673, /* 2^30 - 49151 */
    VF_VERIFICATION_DEGREE = 4096,
    VF_POLYNOMIAL = 3 * VF_VERIFICATION_DEGREE, /* words: modulo 16736257, 16760833, 974849 */
};

/* The instruction sets there are kernels for, the best last. */
typedef enum { VF_PORTABLE, VF_AVX2, VF_AVX512, VF_LEVELS } vf_level;

/* The best level of this machine. */
vf_level vf_best_level(void);

/* out[b][0..2][2048] = sum over j of T_j * P_j, for every block b, on `threads` threads.
 * gallery[b]: [128][dimensions][2][16], probe: [128][dimensions][2][16], words below VF_PRIME. */
void vf_scan(const uint32_t *const *gallery, const uint32_t *probe, uint32_t *out, size_t blocks, size_t dimensions,
             size_t threads, vf_level level);

/* In place, `rows` polynomials of `n` words below `prime` < 2^30. roots[m + i] are the powers of psi in bit-reversed
 * order, quotients[k] = floor(roots[k] * 2^32 / prime); for the inverse those of psi^-1, and entry 0 is 1/n. */
void vf_forward(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level);
void vf_inverse(uint32_t *words, size_t rows, size_t n, const uint32_t *roots, const uint32_t *quotients,
                uint32_t prime, vf_level level);

/* One polynomial's lowest `count` coefficients, in its first words; the others are lost. */
void vf_inverse_low(uint32_t *words, size_t n, size_t count, const uint32_t *roots, const uint32_t *quotients,
                    uint32_t prime, vf_level level);

typedef struct {
    const uint32_t *powers, *quotients;
} vf_roots;

/* 1:1 on ciphertexts of two polynomials; `out` takes residues of three bytes. Masks may be sums of three residues. */
void vf_refresh(const uint32_t *ciphertext, const uint32_t *zero, uint32_t *out);
/* rho (T * P - limit) + mask, three polynomials; rho modulo each prime. */
void vf_score(const uint32_t *stored, const uint32_t *probe, const uint32_t *limit, const uint32_t blinding[3],
              const uint32_t *mask, uint8_t *out);
/* P(X) * P(1/X) + mask, four polynomials. */
void vf_norm(const uint32_t *probe, const uint32_t *mask, uint8_t *out);
/* round(p / q3) modulo q1 and q2 for both components. Roots: forward of q1 and q2, inverse of q3; inverses of q3
 * modulo q1 and q2; scratch for two rows. */
void vf_rounded(const uint32_t *probe, const vf_roots roots[3], const uint32_t inverses[2], uint32_t *scratch, uint8_t *out,
              vf_level level);

/* The exclusive or of all words: reading, and next to nothing else. */
uint32_t vf_read(const uint32_t *words, size_t count, size_t threads, vf_level level);

/* Random words as numbers, the upper bits of each: those above `largest` are written too, and their places to
 * `refused`, which has room for all; how many there are. A centred binomial of 21 bits a side refuses none. */
size_t vf_narrow(const uint32_t *drawn, size_t count, unsigned shift, uint32_t largest, uint32_t *out, int64_t *refused,
                 vf_level level);
size_t vf_wide(const uint64_t *drawn, size_t count, unsigned shift, uint64_t largest, int64_t *out, int64_t *refused,
               vf_level level);
size_t vf_ternary(const uint8_t *drawn, size_t count, int8_t *out, int64_t *refused, vf_level level);
void vf_binomial(const uint64_t *drawn, size_t count, int8_t *out, vf_level level);

/* In place: values of size below 2^62 modulo `prime` < 2^30, in [0, prime). */
void vf_reduce(int64_t *values, size_t count, uint32_t prime, vf_level level);

#ifdef __cplusplus
}
#endif
#endif
