/* What a gallery query hides behind, made before its probe comes (docs/adr/0009-galleries.md).
 * veilface/match/masking.py is the door, and veilface/match/plain_masking.py says what each means. */
#ifndef VEILFACE_BLINDING_H
#define VEILFACE_BLINDING_H

#include "query.h"

#ifdef __cplusplus
extern "C" {
#endif

/* P0 = Z0 + r + offset, P1 = Z1 + Z'0, P2 = Z'1, out[places][3][2048], of two encryptions of zero; and share[places][2048]
 * of uniform[places][2048]. key[2][2048]; secrets[places][2][2048], of Z and Z'; errors[places][2][2][2048]. */
void vf_mask_places(const uint32_t *uniform, uint32_t offset, const uint32_t *key, const int8_t *secrets, const int8_t *errors,
                    vf_roots scan, uint32_t *out, uint16_t *share, size_t places, size_t threads, vf_level level);

/* Two places a pair, [pairs][2][2048] each: factors, numbers added to the offsets, offsets of empty slots; whether
 * somebody is in a slot; shares. rotations[pairs][2]. */
typedef struct {
    const double *factors, *dither, *decoys;
    const uint8_t *live;
    const uint16_t *shares;
    const int64_t *rotations;
    double offset, limit; /* of a share, and of a threshold in shares */
} vf_places;

/* factors[pairs][4][3][4096]: alpha, beta, alpha', beta'; sums[pairs][3][3][4096]: Y0 + ~Y'0 - C, Y1, ~Y'1.
 * key[2][3][4096]; secrets[pairs][2][4096], of Y and Y'; errors[pairs][2][2][4096]; result: roots of the forward
 * transforms. */
void vf_blind_pairs(vf_places places, const uint32_t *key, const int8_t *secrets, const int8_t *errors,
                    const vf_roots result[VF_RESULT_PRIMES], const vf_turns turns, uint32_t *factors, uint32_t *sums, size_t pairs,
                    size_t threads, vf_level level);

#ifdef __cplusplus
}
#endif
#endif
