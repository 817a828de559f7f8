/* The part of veilface.kernel._scan that answers gallery queries. */
#include "blinding.h"
#include "module.h"

using Places = Array<const int64_t>;

static constexpr size_t N = VF_RESULT_DEGREE, PRIMES = VF_RESULT_PRIMES;

static void hide(Words scores, Places order, Places rotations, Words roots, Words masks, Output out, size_t threads, int level) {
    const size_t blocks = scores.ndim() == 3 ? scores.shape(0) : 0, places = order.size();
    require(blocks > 0 && is_shaped(scores, {blocks, 3, VF_DEGREE}), "scores (blocks, 3, 2048)");
    require(is_shaped(order, {places}) && is_shaped(rotations, {places}) && is_shaped(roots, {VF_DEGREE}), "order (places)");
    require(is_shaped(masks, {places, 3, VF_DEGREE}) && is_shaped(out, {places, 3, VF_DEGREE}), "masks (places, 3, 2048)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_hide(scores.data(), blocks, order.data(), rotations.data(), roots.data(), masks.data(), out.data(), places, threads, best);
}

static size_t pairs_of(const Words &second) {
    const size_t pairs = second.ndim() == 4 ? second.shape(1) : 0;
    require(is_shaped(second, {PRIMES, pairs, 2, N}), "second (3, pairs, 2, 4096)");
    return pairs;
}

static void blind(Words first, Words second, Words factors, Words sums, Output out, size_t threads, int level) {
    const size_t pairs = pairs_of(second);
    require(is_shaped(first, {pairs, 2, PRIMES, N}) && is_shaped(factors, {pairs, 4, PRIMES, N}), "first (pairs, 2, 3, 4096)");
    require(is_shaped(sums, {pairs, 3, PRIMES, N}) && is_shaped(out, {pairs, 3, PRIMES, N}), "sums (pairs, 3, 3, 4096)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_blind(first.data(), second.data(), factors.data(), sums.data(), out.data(), pairs, threads, best);
}

using Turns = Array<const double>;

static const vf_turns &turns_of(const Turns &turns) {
    require(is_shaped(turns, {4, VF_SLOTS}), "turns (4, 2048)");
    return *reinterpret_cast<const vf_turns *>(turns.data());
}

/* Roots modulo each prime of the result, (3, 4096). */
struct ResultRoots {
    vf_roots rows[PRIMES];

    ResultRoots(const Words &powers, const Words &quotients) {
        require(is_shaped(powers, {PRIMES, N}) && is_shaped(quotients, {PRIMES, N}), "roots (3, 4096)");
        for (size_t row = 0; row < PRIMES; row++) rows[row] = {powers.data() + row * N, quotients.data() + row * N};
    }
};

static vf_secrets secrets_of(const Words &scan, const Words &result) {
    require(is_shaped(scan, {2, VF_DEGREE}) && is_shaped(result, {PRIMES, N}), "secrets (2, 2048) and (3, 4096)");
    return {scan.data(), result.data()};
}

static void reshare(Words shares, Words scan_secret, Words result_secret, Words scan_powers, Words scan_quotients, Words powers,
                    Words quotients, Turns turns, Words second, Array<const int8_t> noise, Output out, size_t threads, int level) {
    const size_t pairs = pairs_of(second);
    const vf_secrets secrets = secrets_of(scan_secret, result_secret);
    const ResultRoots result(powers, quotients);
    const vf_turns &table = turns_of(turns);
    require(is_shaped(scan_powers, {VF_DEGREE}) && is_shaped(scan_quotients, {VF_DEGREE}), "roots (2048)");
    require(is_shaped(shares, {2 * pairs, 3, VF_DEGREE}), "shares (places, 3, 2048)");
    require(is_shaped(noise, {pairs, 2, N}) && is_shaped(out, {pairs, 2, PRIMES, N}), "noise (pairs, 2, 4096)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_reshare(shares.data(), secrets, {scan_powers.data(), scan_quotients.data()}, result.rows, table, second.data(),
               noise.data(), out.data(), pairs, threads, best);
}

static void seal(Array<const int64_t> messages, Array<const int8_t> noise, Words second, Words secret, Words powers,
                 Words quotients, Output out, size_t threads, int level) {
    const size_t rows = messages.ndim() == 2 ? messages.shape(0) : 0;
    require(is_shaped(messages, {rows, VF_DEGREE}) && is_shaped(noise, {rows, VF_DEGREE}), "messages (rows, 2048)");
    require(is_shaped(second, {rows, VF_DEGREE}) && is_shaped(out, {rows, VF_DEGREE}), "second (rows, 2048)");
    require(is_shaped(secret, {VF_DEGREE}) && is_shaped(powers, {VF_DEGREE}) && is_shaped(quotients, {VF_DEGREE}), "roots (2048)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_seal(messages.data(), noise.data(), second.data(), secret.data(), {powers.data(), quotients.data()}, out.data(), rows,
            threads, best);
}

static void answer(Words blinded, Words secret, Words powers, Words quotients, Turns turns, Array<double> out, size_t threads,
                   int level) {
    const size_t pairs = blinded.ndim() == 4 ? blinded.shape(0) : 0;
    const ResultRoots result(powers, quotients);
    const vf_turns &table = turns_of(turns);
    require(is_shaped(blinded, {pairs, 3, PRIMES, N}) && is_shaped(out, {2 * pairs, VF_SLOTS}), "blinded (pairs, 3, 3, 4096)");
    require(is_shaped(secret, {PRIMES, N}), "secret (3, 4096)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_answer(blinded.data(), secret.data(), result.rows, table, out.data(), pairs, threads, best);
}

static void mask_places(Words uniform, uint32_t offset, Words key, Array<const int8_t> secrets, Array<const int8_t> errors,
                        Words powers, Words quotients, Output out, Array<uint16_t> share, size_t threads, int level) {
    const size_t places = uniform.ndim() == 2 ? uniform.shape(0) : 0;
    require(is_shaped(uniform, {places, VF_DEGREE}) && is_shaped(key, {2, VF_DEGREE}), "uniform (places, 2048), key (2, 2048)");
    require(is_shaped(secrets, {places, 2, VF_DEGREE}) && is_shaped(errors, {places, 2, 2, VF_DEGREE}), "secrets (places, 2, 2048)");
    require(is_shaped(powers, {VF_DEGREE}) && is_shaped(quotients, {VF_DEGREE}) && offset < VF_PRIME, "roots (2048)");
    require(is_shaped(out, {places, 3, VF_DEGREE}) && is_shaped(share, {places, VF_DEGREE}), "out (places, 3, 2048)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    vf_mask_places(uniform.data(), offset, key.data(), secrets.data(), errors.data(), {powers.data(), quotients.data()},
                   out.data(), share.data(), places, threads, best);
}

static void blind_pairs(Turns factors, Turns dither, Turns decoys, Array<const uint8_t> live, Array<const uint16_t> shares,
                        Places rotations, double offset, double limit, Words key, Array<const int8_t> secrets,
                        Array<const int8_t> errors, Words powers, Words quotients, Turns turns, Output out_factors, Output out_sums,
                        size_t threads, int level) {
    const size_t places = rotations.size(), pairs = places / 2;
    const ResultRoots result(powers, quotients);
    const vf_turns &table = turns_of(turns);
    require(is_shaped(rotations, {2 * pairs}) && is_shaped(factors, {places, VF_SLOTS}), "factors (places, 2048)");
    require(is_shaped(dither, {places, VF_SLOTS}) && is_shaped(decoys, {places, VF_SLOTS}), "decoys (places, 2048)");
    require(is_shaped(live, {places, VF_SLOTS}) && is_shaped(shares, {places, VF_SLOTS}), "shares (places, 2048)");
    require(is_shaped(key, {2, PRIMES, N}) && is_shaped(secrets, {pairs, 2, N}), "key (2, 3, 4096), secrets (pairs, 2, 4096)");
    require(is_shaped(errors, {pairs, 2, 2, N}), "errors (pairs, 2, 2, 4096)");
    require(is_shaped(out_factors, {pairs, 4, PRIMES, N}) && is_shaped(out_sums, {pairs, 3, PRIMES, N}), "sums (pairs, 3, 3, 4096)");
    const vf_level best = level_of(level);
    nb::gil_scoped_release release;
    const vf_places two = {factors.data(), dither.data(), decoys.data(), live.data(), shares.data(), rotations.data(), offset, limit};
    vf_blind_pairs(two, key.data(), secrets.data(), errors.data(), result.rows, table, out_factors.data(), out_sums.data(), pairs,
                   threads, best);
}

void define_query(nb::module_ &module) {
    using namespace nb::literals;
    module.def("hide", &hide, "scores"_a.noconvert(), "order"_a.noconvert(), "rotations"_a.noconvert(), "roots"_a.noconvert(),
               "masks"_a.noconvert(), "out"_a.noconvert(), "threads"_a, "level"_a);
    module.def("blind", &blind, "first"_a.noconvert(), "second"_a.noconvert(), "factors"_a.noconvert(), "sums"_a.noconvert(),
               "out"_a.noconvert(), "threads"_a, "level"_a);
    module.def("reshare", &reshare, "shares"_a.noconvert(), "scan_secret"_a.noconvert(), "result_secret"_a.noconvert(),
               "scan_powers"_a.noconvert(), "scan_quotients"_a.noconvert(), "powers"_a.noconvert(), "quotients"_a.noconvert(),
               "turns"_a.noconvert(), "second"_a.noconvert(), "noise"_a.noconvert(), "out"_a.noconvert(), "threads"_a, "level"_a);
    module.def("mask_places", &mask_places, "uniform"_a.noconvert(), "offset"_a, "key"_a.noconvert(), "secrets"_a.noconvert(),
               "errors"_a.noconvert(), "powers"_a.noconvert(), "quotients"_a.noconvert(), "out"_a.noconvert(),
               "share"_a.noconvert(), "threads"_a, "level"_a);
    module.def("blind_pairs", &blind_pairs, "factors"_a.noconvert(), "dither"_a.noconvert(), "decoys"_a.noconvert(),
               "live"_a.noconvert(), "shares"_a.noconvert(), "rotations"_a.noconvert(), "offset"_a, "limit"_a,
               "key"_a.noconvert(), "secrets"_a.noconvert(), "errors"_a.noconvert(), "powers"_a.noconvert(),
               "quotients"_a.noconvert(), "turns"_a.noconvert(), "out_factors"_a.noconvert(), "out_sums"_a.noconvert(),
               "threads"_a, "level"_a);
    module.def("seal", &seal, "messages"_a.noconvert(), "noise"_a.noconvert(), "second"_a.noconvert(), "secret"_a.noconvert(),
               "powers"_a.noconvert(), "quotients"_a.noconvert(), "out"_a.noconvert(), "threads"_a, "level"_a);
    module.def("answer", &answer, "blinded"_a.noconvert(), "secret"_a.noconvert(), "powers"_a.noconvert(),
               "quotients"_a.noconvert(), "turns"_a.noconvert(), "out"_a.noconvert(), "threads"_a, "level"_a);
}
