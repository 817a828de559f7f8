/* Words of a random stream as numbers. What must be refused to be uniform is noted, for the caller draws it again:
 * only there is it known what comes next in the stream. */
#include <string.h>

#include "kernel.h"
#include "versions.h"

enum { PIECE = 512, BINOMIAL = 21, SPARE = 255 };

/* Most pieces hold nothing to refuse, so that the loop over all of them is one that compilers vectorise. */
#define REFUSED(name, word, number)                                                                                   \
    VF_BODY size_t name(const word *drawn, size_t count, unsigned shift, word largest, number *out, int64_t *refused) { \
        size_t found = 0;                                                                                             \
        for (size_t start = 0; start < count; start += PIECE) {                                                       \
            const size_t end = start + PIECE < count ? start + PIECE : count;                                         \
            word above = 0;                                                                                           \
            for (size_t i = start; i < end; i++) {                                                                    \
                const word value = drawn[i] >> shift;                                                                 \
                out[i] = (number)value;                                                                               \
                above |= value > largest;                                                                             \
            }                                                                                                         \
            for (size_t i = start; above && i < end; i++)                                                             \
                if (drawn[i] >> shift > largest) refused[found++] = (int64_t)i;                                       \
        }                                                                                                             \
        return found;                                                                                                 \
    }
REFUSED(narrow, uint32_t, uint32_t)
REFUSED(wide, uint64_t, int64_t)

VF_BODY size_t ternary(const uint8_t *drawn, size_t count, int8_t *out, int64_t *refused) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) out[i] = (int8_t)(drawn[i] % 3 - 1);
    for (const uint8_t *spare = drawn; (spare = memchr(spare, SPARE, (size_t)(drawn + count - spare))); spare++)
        refused[found++] = spare - drawn;
    return found;
}

/* Ones on one side less ones on the other are all ones less a side, once the other side is turned over. */
VF_BODY void binomial(const uint64_t *drawn, size_t count, int8_t *out) {
    const uint64_t side = (1ull << BINOMIAL) - 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = (drawn[i] ^ side << BINOMIAL) & (side << BINOMIAL | side);
        bits -= bits >> 1 & 0x5555555555555555ull;
        bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
        bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Full;
        bits += bits >> 32;
        bits += bits >> 16;
        out[i] = (int8_t)((int)((bits + (bits >> 8)) & 0xFF) - BINOMIAL);
    }
}

VF_VERSIONS(size_t, narrow,
            (const uint32_t *drawn, size_t count, unsigned shift, uint32_t largest, uint32_t *out, int64_t *refused),
            (drawn, count, shift, largest, out, refused))
VF_VERSIONS(size_t, wide,
            (const uint64_t *drawn, size_t count, unsigned shift, uint64_t largest, int64_t *out, int64_t *refused),
            (drawn, count, shift, largest, out, refused))
VF_VERSIONS(size_t, ternary, (const uint8_t *drawn, size_t count, int8_t *out, int64_t *refused),
            (drawn, count, out, refused))
VF_VERSIONS(void, binomial, (const uint64_t *drawn, size_t count, int8_t *out), (drawn, count, out))

size_t vf_narrow(const uint32_t *drawn, size_t count, unsigned shift, uint32_t largest, uint32_t *out, int64_t *refused,
                 vf_level level) {
    return narrow_at(level)(drawn, count, shift, largest, out, refused);
}

size_t vf_wide(const uint64_t *drawn, size_t count, unsigned shift, uint64_t largest, int64_t *out, int64_t *refused,
               vf_level level) {
    return wide_at(level)(drawn, count, shift, largest, out, refused);
}

size_t vf_ternary(const uint8_t *drawn, size_t count, int8_t *out, int64_t *refused, vf_level level) {
    return ternary_at(level)(drawn, count, out, refused);
}

void vf_binomial(const uint64_t *drawn, size_t count, int8_t *out, vf_level level) {
    binomial_at(level)(drawn, count, out);
}
