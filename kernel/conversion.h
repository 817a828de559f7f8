/* Converting suite-0x01 ciphertexts blindly: what the matcher hides, and what the key holder opens.
 * veilface/protect/conversion.py says what each means. Nothing branches on a secret, but on whether it is well-formed. */
#ifndef VEILFACE_CONVERSION_H
#define VEILFACE_CONVERSION_H

#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VF_CONVERTED = 128, /* coefficients that carry a coordinate */
    VF_DATA_PRIMES = 3, /* 16736257, 16760833, 974849; a public key has 1032193 besides */
    VF_KEY_PRIMES = 4,
    VF_CIPHERTEXT_BYTES = 3 * 2 * VF_DATA_PRIMES * VF_VERIFICATION_DEGREE,
    VF_KEY_BYTES = 3 * 2 * VF_KEY_PRIMES * VF_VERIFICATION_DEGREE,
    VF_PACKED_BYTES = VF_VERIFICATION_DEGREE / 4, /* of a secret: four ternary digits an octet */
};

/* Roots modulo each prime of a key, forward and inverse. */
typedef struct {
    vf_roots forward[VF_KEY_PRIMES], inverse[VF_KEY_PRIMES];
} vf_key_roots;

/* A ciphertext and the key it is under, in wire form, and the samples to hide it with: a ternary secret (4096), errors
 * (128 + 4096), masks (128) in [0, 2^62). Out come residues, first[3][128] and second[3][4096].
 * False where a residue is not below its prime, or a second component is zero. */
int vf_mask(const uint8_t *ciphertext, const uint8_t *key, const int8_t *secret, const int8_t *errors, const int64_t *masks,
            const vf_key_roots *roots, uint32_t *first, uint32_t *second, vf_level level);

/* VF_MALFORMED: a word not below its prime, or a digit that is not ternary. VF_NO_MASK: no mask makes such a number. */
typedef enum { VF_OPENED, VF_MALFORMED, VF_NO_MASK } vf_opening;

/* The masked integers (128) under a packed secret; `largest` is that of their highest digits, in units of q1 * q2. */
vf_opening vf_open(const uint8_t *secret, const uint32_t *first, const uint32_t *second, int64_t largest,
                   const vf_key_roots *roots, int64_t *out, vf_level level);

#ifdef __cplusplus
}
#endif
#endif
