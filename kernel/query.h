/* The online half of a gallery query: what the matcher and the key holder do between a probe and its answer.
 * veilface/match/legs.py, veilface/keyholder/opening.py and veilface/protect/sealing.py say what each means. Nothing
 * branches on a secret. */
#ifndef VEILFACE_QUERY_H
#define VEILFACE_QUERY_H

#include "kernel.h"
#include "slots.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VF_RESULT_DEGREE = 4096, VF_RESULT_PRIMES = 3, VF_RESULT_POLYNOMIAL = VF_RESULT_PRIMES * VF_RESULT_DEGREE };

/* out[places][3][2048] = X^rotation * d + masks; a place of which `order` names no block has its masks alone.
 * scores[blocks][3][2048]; roots: those of the scan's forward transform; 0 <= rotation < 4096. */
void vf_hide(const uint32_t *scores, size_t blocks, const int64_t *order, const int64_t *rotations, const uint32_t *roots,
             const uint32_t *masks, uint32_t *out, size_t places, size_t threads, vf_level level);

/* out[pairs][3][3][4096] = (a U0 + a' K0 + b ~U0 + b' ~K0 + G0, a U1 + a' K1 + G1, b ~U1 + b' ~K1 + G2), ~ for conjugates.
 * first[pairs][2][3][4096]: U0, K0; second[3][pairs][2][4096]: U1, K1; factors[pairs][4][3][4096]: a, b, a', b';
 * sums[pairs][3][3][4096]: G. Every word is below its prime. */
void vf_blind(const uint32_t *first, const uint32_t *second, const uint32_t *factors, const uint32_t *sums, uint32_t *out,
              size_t pairs, size_t threads, vf_level level);

/* NTT words of the secrets: s and s^2 of the scan, and s of the result modulo each prime. */
typedef struct {
    const uint32_t *scan, *result;
} vf_secrets;

/* out[pairs][2][3][4096]: first components of U and K, encrypting the shares and the wrap bits of two places a pair.
 * shares[pairs][2][3][2048]; roots of the scan's inverse and of the result's three forward transforms;
 * second[3][pairs][2][4096]; noise[pairs][2][4096]. */
void vf_reshare(const uint32_t *shares, vf_secrets secrets, vf_roots scan, const vf_roots result[VF_RESULT_PRIMES],
                const vf_turns turns, const uint32_t *second, const int8_t *noise, uint32_t *out, size_t pairs, size_t threads,
                vf_level level);

/* out[rows][2048]: first components, encrypting messages[rows][2048] of size up to 2^30 under the scan's s (2048 words).
 * noise, second: [rows][2048]; scan: roots of the forward transform. */
void vf_seal(const int64_t *messages, const int8_t *noise, const uint32_t *second, const uint32_t *secret, vf_roots scan,
             uint32_t *out, size_t rows, size_t threads, vf_level level);

/* out[pairs][2][2048]: the slots' real and imaginary parts of blinded[pairs][3][3][4096] under (1, s, ~s).
 * secret[3][4096]; result: roots of the three inverse transforms. */
void vf_answer(const uint32_t *blinded, const uint32_t *secret, const vf_roots result[VF_RESULT_PRIMES], const vf_turns turns,
               double *out, size_t pairs, size_t threads, vf_level level);

#ifdef __cplusplus
}
#endif
#endif
