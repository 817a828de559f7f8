/* veilface.match._scan: the kernel for Python. Every shape is checked here; the GIL is released while C computes. */
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <vector>

#include "kernel.h"

namespace nb = nanobind;

template <typename Word> using Array = nb::ndarray<Word, nb::c_contig, nb::device::cpu>;
using Words = Array<const uint32_t>;
using Output = Array<uint32_t>;
using Small = Array<int8_t>;

static void require(bool fits, const char *sentence) {
    if (!fits) throw std::invalid_argument(sentence);
}

template <typename A> static bool is_shaped(const A &array, std::initializer_list<size_t> shape) {
    if (array.ndim() != shape.size()) return false;
    size_t axis = 0;
    for (size_t extent : shape)
        if (array.shape(axis++) != extent) return false;
    return true;
}

static vf_level level_of(int level) {
    require(level >= 0 && level <= vf_best_level(), "this machine has no such instructions");
    return static_cast<vf_level>(level);
}

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

static const uint8_t *raw(const nb::bytes &random) { return reinterpret_cast<const uint8_t *>(random.c_str()); }

static size_t uniform(nb::bytes random, uint32_t mask, uint32_t prime, Output out) {
    require(out.size() == random.size() / 4, "four bytes a word");
    nb::gil_scoped_release release;
    return vf_uniform(raw(random), out.size(), mask, prime, out.data());
}

static size_t ternary(nb::bytes random, Small out) {
    require(out.size() == 4 * random.size(), "four digits a byte");
    nb::gil_scoped_release release;
    return vf_ternary(raw(random), random.size(), out.data());
}

static void binomial(nb::bytes random, Small out) {
    require(random.size() == 6 * out.size(), "six bytes a sample");
    nb::gil_scoped_release release;
    vf_binomial(raw(random), out.size(), out.data());
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
    module.def("uniform", &uniform, "random"_a, "mask"_a, "prime"_a, "out"_a.noconvert());
    module.def("ternary", &ternary, "random"_a, "out"_a.noconvert());
    module.def("binomial", &binomial, "random"_a, "out"_a.noconvert());
}
