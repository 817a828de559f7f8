/* Reduction without a division, exact: modulo the scan's prime, and modulo the result's three. */
#ifndef VEILFACE_MODULAR_H
#define VEILFACE_MODULAR_H

#include "versions.h"

enum { VF_RESULT_0 = 67084289, VF_RESULT_1 = 67043329, VF_RESULT_2 = 66994177 };

VF_BODY uint32_t vf_less(uint32_t word, uint32_t bound) { return word >= bound ? word - bound : word; }

/* The same residue, below 2^50 + 2^32, of any sum: 2^32 is 196604 modulo VF_PRIME. */
VF_BODY uint64_t vf_folded(uint64_t sum) { return (uint32_t)sum + (sum >> 32) * 196604; }

VF_BODY uint32_t vf_scan_word(uint64_t sum) {
    sum = vf_folded(vf_folded(sum));                                            /* below 2^37 */
    const uint32_t word = (uint32_t)((sum & 0x3FFFFFFF) + (sum >> 30) * 49151); /* below 2^30 + 2^23 < 2 * prime */
    return vf_less(word, VF_PRIME);
}

/* A sum below 2^55 modulo a prime of 26 bits, which is a constant where this is inlined. After Barrett: the quotient is
 * less than two too small – by 2^24/prime, 2^31/2^32 and 1 for what is cut off before, in the inverse, and after. */
VF_BODY uint32_t vf_result_word(uint64_t sum, uint32_t prime) {
    const uint64_t inverse = ((uint64_t)1 << 56) / prime;
    const uint32_t quotient = (uint32_t)(((uint64_t)(uint32_t)(sum >> 24) * inverse) >> 32);
    const uint32_t word = (uint32_t)sum - quotient * prime;
    return vf_less(word, prime);
}

#endif
