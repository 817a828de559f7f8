/* The part of veilface.kernel._scan that converts ciphertexts blindly, many at once. */
#include <nanobind/stl/vector.h>

#include <vector>

#include "conversion.h"
#include "module.h"
#include "parallel.h"

using Samples = Array<const int8_t>;

static constexpr size_t N = VF_VERIFICATION_DEGREE, PRIMES = VF_KEY_PRIMES;

/* Powers and quotients, forward and inverse, modulo each prime: (4, 2, 2, 4096). */
static vf_key_roots roots_of(const Words &tables) {
    require(is_shaped(tables, {PRIMES, 2, 2, N}), "roots (4, 2, 2, 4096)");
    vf_key_roots roots;
    for (size_t row = 0; row < PRIMES; row++) {
        const uint32_t *table = tables.data() + row * 4 * N;
        roots.forward[row] = {table, table + N};
        roots.inverse[row] = {table + 2 * N, table + 3 * N};
    }
    return roots;
}

static std::vector<const uint8_t *> octets_of(const std::vector<nb::bytes> &parts, size_t size) {
    std::vector<const uint8_t *> starts;
    for (const nb::bytes &part : parts) {
        require(part.size() == size, "octets of another number");
        starts.push_back(static_cast<const uint8_t *>(part.data()));
    }
    return starts;
}

struct Hiding {
    std::vector<const uint8_t *> ciphertexts, keys;
    Samples secrets, errors;
    Array<const int64_t> masks;
    vf_key_roots roots;
    Output first, second;
    Bytes sound;
    vf_level level;
};

static void mask_one(const void *context, size_t item) {
    const Hiding &job = *static_cast<const Hiding *>(context);
    job.sound.data()[item] = static_cast<uint8_t>(vf_mask(
        job.ciphertexts[item], job.keys[item], job.secrets.data() + item * N, job.errors.data() + item * (VF_CONVERTED + N),
        job.masks.data() + item * VF_CONVERTED, &job.roots, job.first.data() + item * VF_DATA_PRIMES * VF_CONVERTED,
        job.second.data() + item * VF_DATA_PRIMES * N, job.level));
}

static void mask(const std::vector<nb::bytes> &ciphertexts, const std::vector<nb::bytes> &keys, Samples secrets,
                 Samples errors, Array<const int64_t> masks, Words roots, Output first, Output second, Bytes sound,
                 size_t threads, int level) {
    const size_t count = ciphertexts.size();
    require(keys.size() == count && is_shaped(secrets, {count, N}), "as many keys, secrets (count, 4096)");
    require(is_shaped(errors, {count, VF_CONVERTED + N}) && is_shaped(masks, {count, VF_CONVERTED}), "errors (count, 4224)");
    require(is_shaped(first, {count, VF_DATA_PRIMES, VF_CONVERTED}) && is_shaped(second, {count, VF_DATA_PRIMES, N}) &&
                is_shaped(sound, {count}),
            "first (count, 3, 128), second (count, 3, 4096), sound (count)");
    const Hiding job = {octets_of(ciphertexts, VF_CIPHERTEXT_BYTES), octets_of(keys, VF_KEY_BYTES), secrets, errors, masks,
                        roots_of(roots), first, second, sound, level_of(level)};
    nb::gil_scoped_release release;
    vf_parallel(mask_one, &job, count, threads);
}

struct Opening {
    std::vector<const uint8_t *> secrets;
    const std::vector<Words> *first, *second;
    int64_t largest;
    vf_key_roots roots;
    Array<int64_t> out;
    Bytes found;
    vf_level level;
};

static void open_one(const void *context, size_t item) {
    const Opening &job = *static_cast<const Opening *>(context);
    job.found.data()[item] = static_cast<uint8_t>(
        vf_open(job.secrets[item], (*job.first)[item].data(), (*job.second)[item].data(), job.largest, &job.roots,
                job.out.data() + item * VF_CONVERTED, job.level));
}

static void open(const std::vector<nb::bytes> &secrets, const std::vector<Words> &first, const std::vector<Words> &second,
                 int64_t largest, Words roots, Array<int64_t> out, Bytes found, size_t threads, int level) {
    const size_t count = secrets.size();
    require(first.size() == count && second.size() == count, "as many ciphertexts as secrets");
    require(is_shaped(out, {count, VF_CONVERTED}) && is_shaped(found, {count}), "out (count, 128), found (count)");
    for (size_t item = 0; item < count; item++)
        require(is_shaped(first[item], {VF_DATA_PRIMES, VF_CONVERTED}) && is_shaped(second[item], {VF_DATA_PRIMES, N}),
                "first (3, 128), second (3, 4096)");
    const Opening job = {octets_of(secrets, VF_PACKED_BYTES), &first, &second, largest, roots_of(roots), out, found,
                         level_of(level)};
    nb::gil_scoped_release release;
    vf_parallel(open_one, &job, count, threads);
}

void define_conversion(nb::module_ &module) {
    using namespace nb::literals;
    module.def("mask_coordinates", &mask, "ciphertexts"_a, "keys"_a, "secrets"_a.noconvert(), "errors"_a.noconvert(),
               "masks"_a.noconvert(), "roots"_a.noconvert(), "first"_a.noconvert(), "second"_a.noconvert(),
               "sound"_a.noconvert(), "threads"_a, "level"_a);
    module.def("open_coordinates", &open, "secrets"_a, "first"_a.noconvert(), "second"_a.noconvert(), "largest"_a, "roots"_a.noconvert(),
               "out"_a.noconvert(), "found"_a.noconvert(), "threads"_a, "level"_a);
}
