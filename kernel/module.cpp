/* veilface.kernel._scan: the kernel for Python. Every shape is checked here; the GIL is released while C computes. */
#include <nanobind/stl/vector.h>

#include <vector>

#include "module.h"

static void scan(const std::vector<Words> &gallery, Words probe, Output out, size_t threads, int level) {
    const size_t blocks = gallery.size(), dimensions = probe.ndim() == 4 ? probe.shape(1) : 0;
    require(is_shaped(probe, {VF_GROUPS, dimensions, 2, VF_LANES}) && dimensions > 0, "probe (128, d, 2, 16)");
    require(is_shaped(out, {blocks, 3, VF_DEGREE}), "out (blocks, 3, 2048)");
    std::vector<const uint32_t *> starts;
    for (const Words &block : gallery) {
        require(is_shaped(block, {VF_GROUPS, dimensions, 2, VF_LANES}), "blocks (128, d, 2, 16)");
        starts.push_back(block.data());
    }
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_scan(starts.data(), probe.data(), out.data(), blocks, dimensions, threads, best);
}

using Transform = decltype(vf_forward);

template <Transform transform>
static void transformed(Output words, Words roots, Words quotients, uint32_t prime, int level) {
    require(words.ndim() == 2, "words (rows, n)");
    const size_t rows = words.shape(0), n = words.shape(1);
    require(n >= 2 && (n & (n - 1)) == 0, "n a power of two");
    require(is_shaped(roots, {n}) && is_shaped(quotients, {n}), "roots and quotients (n)");
    require(prime > 2 && prime < 1u << 30, "a prime below 2^30");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    transform(words.data(), rows, n, roots.data(), quotients.data(), prime, best);
}

static uint32_t read_all(Words words, size_t threads, int level) {
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    return vf_read(words.data(), words.size(), threads, best);
}

static void reduce(Array<int64_t> values, uint32_t prime, int level) {
    require(prime > 2 && prime < 1u << 30, "a prime below 2^30");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_reduce(values.data(), values.size(), prime, best);
}

using Places = Array<int64_t>;

/* As many numbers as words, and room to refuse them all. */
static void require_sampled(size_t drawn, size_t out, const Places &refused) {
    require(drawn == out && refused.size() >= drawn, "as many numbers as words");
}

template <typename Word, typename Number, auto sample>
static size_t uniform(Array<const Word> drawn, unsigned shift, Word largest, Array<Number> out, Places refused, int level) {
    require_sampled(drawn.size(), out.size(), refused);
    require(shift < 8 * sizeof(Word), "a shift that leaves bits");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    return sample(drawn.data(), drawn.size(), shift, largest, out.data(), refused.data(), best);
}

static size_t ternary(Array<const uint8_t> drawn, Array<int8_t> out, Places refused, int level) {
    require_sampled(drawn.size(), out.size(), refused);
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    return vf_ternary(drawn.data(), drawn.size(), out.data(), refused.data(), best);
}

static void binomial(Array<const uint64_t> drawn, Array<int8_t> out, int level) {
    require(drawn.size() == out.size(), "as many numbers as words");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_binomial(drawn.data(), drawn.size(), out.data(), best);
}

/* Two, three or four polynomials, and as many in bytes. */
static void require_polynomials(const Words &array, size_t count) {
    require(is_shaped(array, {count, 3, VF_VERIFICATION_DEGREE}), "polynomials (2 to 4, 3, 4096)");
}

static void refresh(Words ciphertext, Words zero, Output out) {
    require_polynomials(ciphertext, 2), require_polynomials(zero, 2), require_polynomials(Words(out), 2);
    nb::gil_scoped_release release;
    vf_refresh(ciphertext.data(), zero.data(), out.data());
}

static void score(Words stored, Words probe, Words limit, Words blinding, Words mask, Bytes out) {
    require_polynomials(stored, 2), require_polynomials(probe, 2), require_polynomials(mask, 3);
    require(is_shaped(limit, {3, VF_VERIFICATION_DEGREE}) && is_shaped(blinding, {3}), "limit (3, 4096), blinding (3)");
    require(out.size() == 3 * 3 * VF_POLYNOMIAL, "three bytes a residue");
    nb::gil_scoped_release release;
    vf_score(stored.data(), probe.data(), limit.data(), blinding.data(), mask.data(), out.data());
}

static void norm(Words probe, Words mask, Bytes out) {
    require_polynomials(probe, 2), require_polynomials(mask, 4);
    require(out.size() == 4 * 3 * VF_POLYNOMIAL, "three bytes a residue");
    nb::gil_scoped_release release;
    vf_norm(probe.data(), mask.data(), out.data());
}

static void rounded(Words probe, Words powers, Words quotients, Words inverses, Bytes out, int level) {
    constexpr size_t n = VF_VERIFICATION_DEGREE;
    require_polynomials(probe, 2);
    require(is_shaped(powers, {3, n}) && is_shaped(quotients, {3, n}) && is_shaped(inverses, {2}), "roots (3, 4096)");
    require(out.size() == 3 * 2 * 2 * n, "three bytes a residue");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    std::vector<uint32_t> scratch(2 * n);
    vf_roots roots[3];
    for (size_t row = 0; row < 3; row++) roots[row] = {powers.data() + row * n, quotients.data() + row * n};
    vf_rounded(probe.data(), roots, inverses.data(), scratch.data(), out.data(), best);
}

NB_MODULE(_scan, module) {
    using namespace nb::literals;
    module.def("best_level", [] { return static_cast<int>(vf_best_level()); });
    module.def("scan", &scan, "gallery"_a.noconvert(), "probe"_a.noconvert(), "out"_a.noconvert(), "threads"_a, "level"_a);
    module.def("forward", &transformed<vf_forward>, "words"_a.noconvert(), "roots"_a.noconvert(),
               "quotients"_a.noconvert(), "prime"_a, "level"_a);
    module.def("inverse", &transformed<vf_inverse>, "words"_a.noconvert(), "roots"_a.noconvert(),
               "quotients"_a.noconvert(), "prime"_a, "level"_a);
    module.def("read", &read_all, "words"_a.noconvert(), "threads"_a, "level"_a);
    module.def("refresh", &refresh, "ciphertext"_a.noconvert(), "zero"_a.noconvert(), "out"_a.noconvert());
    module.def("score", &score, "stored"_a.noconvert(), "probe"_a.noconvert(), "limit"_a.noconvert(),
               "blinding"_a.noconvert(), "mask"_a.noconvert(), "out"_a.noconvert());
    module.def("norm", &norm, "probe"_a.noconvert(), "mask"_a.noconvert(), "out"_a.noconvert());
    module.def("rounded", &rounded, "probe"_a.noconvert(), "powers"_a.noconvert(), "quotients"_a.noconvert(),
               "inverses"_a.noconvert(), "out"_a.noconvert(), "level"_a);
    module.def("narrow", &uniform<uint32_t, uint32_t, vf_narrow>, "drawn"_a.noconvert(), "shift"_a, "largest"_a,
               "out"_a.noconvert(), "refused"_a.noconvert(), "level"_a);
    module.def("wide", &uniform<uint64_t, int64_t, vf_wide>, "drawn"_a.noconvert(), "shift"_a, "largest"_a,
               "out"_a.noconvert(), "refused"_a.noconvert(), "level"_a);
    module.def("ternary", &ternary, "drawn"_a.noconvert(), "out"_a.noconvert(), "refused"_a.noconvert(), "level"_a);
    module.def("binomial", &binomial, "drawn"_a.noconvert(), "out"_a.noconvert(), "level"_a);
    module.def("reduce", &reduce, "values"_a.noconvert(), "prime"_a, "level"_a);
    define_conversion(module);
    define_query(module);
}
