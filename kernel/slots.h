/* Polynomials of 4096 real coefficients and their 2048 complex slots: the values at zeta^(4j+1), zeta = e^(i·pi/4096).
 *
 * A complex transform of 2048 numbers after Stockham, in doubles and in natural order, of which every operation is one
 * that IEEE 754 rounds: without contraction (CMakeLists.txt) it gives the same bits everywhere, and so does
 * veilface/kernel/plain.py. */
#ifndef VEILFACE_SLOTS_H
#define VEILFACE_SLOTS_H

#include "versions.h"

enum { VF_SLOTS = 2048 };

/* cos and sin of 2·pi·k/2048, then of pi·k/4096. */
typedef double vf_turns[4][VF_SLOTS];

typedef struct {
    double real[VF_SLOTS], imaginary[VF_SLOTS];
} vf_slots;

/* One pass of butterflies, `span` numbers wide. A constant span lets compilers vectorise narrow ones. */
VF_BODY void vf_slots_pass(const vf_slots *in, vf_slots *out, size_t span, const vf_turns turns) {
#pragma GCC ivdep
    for (size_t start = 0; start < VF_SLOTS / 2; start += span) {
        const double c = turns[0][start], s = turns[1][start];
#pragma GCC ivdep
        for (size_t i = start; i < start + span; i++) {
            const double r = in->real[i] - in->real[VF_SLOTS / 2 + i];
            const double m = in->imaginary[i] - in->imaginary[VF_SLOTS / 2 + i];
            out->real[start + i] = in->real[i] + in->real[VF_SLOTS / 2 + i];
            out->imaginary[start + i] = in->imaginary[i] + in->imaginary[VF_SLOTS / 2 + i];
            out->real[start + i + span] = r * c + m * s;
            out->imaginary[start + i + span] = m * c - r * s;
        }
    }
}

/* sum of x[j]·e^(-2·pi·i·jk/2048), from `in`, which is used up, into `out`. */
VF_BODY void vf_slots_transform(vf_slots *in, vf_slots *out, const vf_turns turns) {
    vf_slots_pass(in, out, 1, turns);
    vf_slots_pass(out, in, 2, turns);
    vf_slots_pass(in, out, 4, turns);
    for (size_t span = 8; span < VF_SLOTS / 2; span *= 4) {
        vf_slots_pass(out, in, span, turns);
        vf_slots_pass(in, out, 2 * span, turns);
    }
}

#endif
