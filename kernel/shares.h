/* The fixed point of shares (veilface/protect/gallery.py). */
#ifndef VEILFACE_SHARES_H
#define VEILFACE_SHARES_H

#include "versions.h"

enum {
    VF_SHARE_MODULUS = 1 << 12,
    VF_WRAP = 1951,      /* the bound of a shifted score; a share below it has wrapped around, if the other half says so too */
    VF_SLOT_SCALE = 512, /* of a share in its slot */
};

/* round(value * 2^12 / prime) mod 2^12 = floor((value * 2^13 + prime) / (2 * prime)). All but the quotient is exact in
 * doubles, and the quotient may be off by one. */
VF_BODY int32_t vf_share(uint32_t value) {
    const double whole = (int32_t)value * 8192.0 + VF_PRIME;
    int32_t quotient = (int32_t)(whole * (0.5 / VF_PRIME));
    const double rest = whole - quotient * (2.0 * VF_PRIME);
    quotient += (rest >= 2.0 * VF_PRIME) - (rest < 0);
    return quotient & (VF_SHARE_MODULUS - 1);
}

#endif
