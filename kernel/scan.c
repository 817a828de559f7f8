/* The tensor-product sums of an encrypted probe with an encrypted gallery.
 *
 * A product of two words is below 2^60, so sixteen of them fit in 64 bits even beside a folded sum (below
 * 2^50 + 2^32): (2^30 - 49152)^2 * 16 + 2^50 + 2^32 < 2^64. The middle component takes two products a coordinate,
 * hence all sums are folded every eight coordinates. */
#include "kernel.h"
#include "modular.h"
#include "parallel.h"

enum {
    STRIDE = 8,             /* coordinates between two folds */
    TILE_BYTES = 256 << 10, /* of the probe, that stay in a core's second-level cache */
    BATCH = 16,             /* blocks of one tile that a thread takes at a time */
    AHEAD = 512,            /* words read ahead of use: half a page */
};
static const uint32_t FOLD = 196604; /* 2^32 mod VF_PRIME */

/* One group of one block: accumulates all coordinates of 16 templates, and writes 16 words of each component. */
typedef void (*group_kernel)(const uint32_t *templates, const uint32_t *probe, size_t dimensions, uint32_t *out);

/* The same for one group of two blocks at once. */
typedef void (*pair_kernel)(const uint32_t *const templates[2], const uint32_t *probe, size_t dimensions,
                            uint32_t *const out[2]);

static inline void write_group(const uint64_t sums[3][VF_LANES], uint32_t *out) {
    for (size_t component = 0; component < 3; component++)
        for (size_t lane = 0; lane < VF_LANES; lane++) out[component * VF_DEGREE + lane] = vf_scan_word(sums[component][lane]);
}

/* Compilers turn these loops into NEON's umlal, or whatever widening product the machine has. */
static void group_portable(const uint32_t *templates, const uint32_t *probe, size_t dimensions, uint32_t *out) {
    uint64_t sums[3][VF_LANES] = {{0}};
    for (size_t j = 0; j < dimensions; j++) {
        const uint32_t *t = templates + 2 * VF_LANES * j, *p = probe + 2 * VF_LANES * j;
        for (size_t lane = 0; lane < VF_LANES; lane++) {
            const uint64_t t0 = t[lane], t1 = t[VF_LANES + lane], p0 = p[lane], p1 = p[VF_LANES + lane];
            sums[0][lane] += t0 * p0;
            sums[1][lane] += t0 * p1 + t1 * p0;
            sums[2][lane] += t1 * p1;
        }
        if (j % STRIDE == STRIDE - 1)
            for (size_t lane = 0; lane < 3 * VF_LANES; lane++) (&sums[0][0])[lane] = vf_folded((&sums[0][0])[lane]);
    }
    write_group(sums, out);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* vpmuludq multiplies the low halves of 64-bit lanes: even words as they lie, odd words shifted down. */
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f")))

/* The three sums of 4 or 8 lanes: named, for compilers keep names in registers where arrays go through memory. */
typedef struct {
    __m256i first, middle, last;
} sums4;
typedef struct {
    __m512i first, middle, last;
} sums8;

AVX2 static inline __m256i fold4(__m256i sum) {
    const __m256i low = _mm256_and_si256(sum, _mm256_set1_epi64x(0xFFFFFFFF));
    return _mm256_add_epi64(low, _mm256_mul_epu32(_mm256_srli_epi64(sum, 32), _mm256_set1_epi64x(FOLD)));
}

AVX2 static inline sums4 add4(sums4 sums, __m256i t0, __m256i t1, __m256i p0, __m256i p1) {
    sums.first = _mm256_add_epi64(sums.first, _mm256_mul_epu32(t0, p0));
    sums.middle = _mm256_add_epi64(sums.middle, _mm256_mul_epu32(t0, p1));
    sums.middle = _mm256_add_epi64(sums.middle, _mm256_mul_epu32(t1, p0));
    sums.last = _mm256_add_epi64(sums.last, _mm256_mul_epu32(t1, p1));
    return sums;
}

AVX2 static inline sums4 folded4(sums4 sums) {
    return (sums4){fold4(sums.first), fold4(sums.middle), fold4(sums.last)};
}

AVX2 static inline void store4(__m256i even, __m256i odd, uint64_t *lanes) {
    const __m256i low = _mm256_unpacklo_epi64(even, odd), high = _mm256_unpackhi_epi64(even, odd);
    _mm256_storeu_si256((__m256i *)lanes, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((__m256i *)(lanes + 4), _mm256_permute2x128_si256(low, high, 0x31));
}

AVX2 static void group_avx2(const uint32_t *templates, const uint32_t *probe, size_t dimensions, uint32_t *out) {
    uint64_t lanes[3][VF_LANES];
    for (size_t half = 0; half < VF_LANES; half += 8) {
        const __m256i zero = _mm256_setzero_si256();
        sums4 even = {zero, zero, zero}, odd = even;
        for (size_t j = 0; j < dimensions;) {
            for (const size_t end = j + STRIDE < dimensions ? j + STRIDE : dimensions; j < end; j++) {
                const uint32_t *t = templates + 2 * VF_LANES * j + half, *p = probe + 2 * VF_LANES * j + half;
                const __m256i t0 = _mm256_loadu_si256((const __m256i *)t), p0 = _mm256_loadu_si256((const __m256i *)p);
                const __m256i t1 = _mm256_loadu_si256((const __m256i *)(t + VF_LANES));
                const __m256i p1 = _mm256_loadu_si256((const __m256i *)(p + VF_LANES));
                _mm_prefetch((const char *)(t + AHEAD), _MM_HINT_T0);
                even = add4(even, t0, t1, p0, p1);
                odd = add4(odd, _mm256_srli_epi64(t0, 32), _mm256_srli_epi64(t1, 32), _mm256_srli_epi64(p0, 32),
                           _mm256_srli_epi64(p1, 32));
            }
            even = folded4(even), odd = folded4(odd);
        }
        store4(even.first, odd.first, lanes[0] + half);
        store4(even.middle, odd.middle, lanes[1] + half);
        store4(even.last, odd.last, lanes[2] + half);
    }
    write_group(lanes, out);
}

AVX512 static inline __m512i fold8(__m512i sum) {
    const __m512i low = _mm512_and_si512(sum, _mm512_set1_epi64(0xFFFFFFFF));
    return _mm512_add_epi64(low, _mm512_mul_epu32(_mm512_srli_epi64(sum, 32), _mm512_set1_epi64(FOLD)));
}

AVX512 static inline sums8 add8(sums8 sums, __m512i t0, __m512i t1, __m512i p0, __m512i p1) {
    sums.first = _mm512_add_epi64(sums.first, _mm512_mul_epu32(t0, p0));
    sums.middle = _mm512_add_epi64(sums.middle, _mm512_mul_epu32(t0, p1));
    sums.middle = _mm512_add_epi64(sums.middle, _mm512_mul_epu32(t1, p0));
    sums.last = _mm512_add_epi64(sums.last, _mm512_mul_epu32(t1, p1));
    return sums;
}

AVX512 static inline sums8 folded8(sums8 sums) {
    return (sums8){fold8(sums.first), fold8(sums.middle), fold8(sums.last)};
}

AVX512 static inline void store8(__m512i even, __m512i odd, uint64_t *lanes) {
    const __m512i first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_si512(lanes, _mm512_permutex2var_epi64(even, first, odd));
    _mm512_storeu_si512(lanes + 8, _mm512_permutex2var_epi64(even, second, odd));
}

AVX512 static inline void write8(sums8 even, sums8 odd, uint32_t *out) {
    uint64_t lanes[3][VF_LANES];
    store8(even.first, odd.first, lanes[0]);
    store8(even.middle, odd.middle, lanes[1]);
    store8(even.last, odd.last, lanes[2]);
    write_group(lanes, out);
}

AVX512 static void group_avx512(const uint32_t *templates, const uint32_t *probe, size_t dimensions, uint32_t *out) {
    const __m512i zero = _mm512_setzero_si512();
    sums8 even = {zero, zero, zero}, odd = even;
    for (size_t j = 0; j < dimensions;) {
        for (const size_t end = j + STRIDE < dimensions ? j + STRIDE : dimensions; j < end; j++) {
            const uint32_t *t = templates + 2 * VF_LANES * j, *p = probe + 2 * VF_LANES * j;
            const __m512i t0 = _mm512_loadu_si512(t), t1 = _mm512_loadu_si512(t + VF_LANES);
            const __m512i p0 = _mm512_loadu_si512(p), p1 = _mm512_loadu_si512(p + VF_LANES);
            _mm_prefetch((const char *)(t + AHEAD), _MM_HINT_T0);
            _mm_prefetch((const char *)(t + AHEAD + VF_LANES), _MM_HINT_T0);
            even = add8(even, t0, t1, p0, p1);
            odd = add8(odd, _mm512_srli_epi64(t0, 32), _mm512_srli_epi64(t1, 32), _mm512_srli_epi64(p0, 32),
                       _mm512_srli_epi64(p1, 32));
        }
        even = folded8(even), odd = folded8(odd);
    }
    write8(even, odd, out);
}

/* The same group of two blocks: the probe is loaded once for both, and two streams of memory are under way. */
AVX512 static void pair_avx512(const uint32_t *const templates[2], const uint32_t *probe, size_t dimensions,
                               uint32_t *const out[2]) {
    const __m512i zero = _mm512_setzero_si512();
    sums8 even = {zero, zero, zero}, odd = even, other_even = even, other_odd = even;
    for (size_t j = 0; j < dimensions;) {
        for (const size_t end = j + STRIDE < dimensions ? j + STRIDE : dimensions; j < end; j++) {
            const uint32_t *t = templates[0] + 2 * VF_LANES * j, *u = templates[1] + 2 * VF_LANES * j;
            const uint32_t *p = probe + 2 * VF_LANES * j;
            const __m512i p0 = _mm512_loadu_si512(p), p1 = _mm512_loadu_si512(p + VF_LANES);
            const __m512i odd_p0 = _mm512_srli_epi64(p0, 32), odd_p1 = _mm512_srli_epi64(p1, 32);
            _mm_prefetch((const char *)(t + AHEAD), _MM_HINT_T0);
            _mm_prefetch((const char *)(t + AHEAD + VF_LANES), _MM_HINT_T0);
            _mm_prefetch((const char *)(u + AHEAD), _MM_HINT_T0);
            _mm_prefetch((const char *)(u + AHEAD + VF_LANES), _MM_HINT_T0);
            const __m512i t0 = _mm512_loadu_si512(t), t1 = _mm512_loadu_si512(t + VF_LANES);
            even = add8(even, t0, t1, p0, p1);
            odd = add8(odd, _mm512_srli_epi64(t0, 32), _mm512_srli_epi64(t1, 32), odd_p0, odd_p1);
            const __m512i u0 = _mm512_loadu_si512(u), u1 = _mm512_loadu_si512(u + VF_LANES);
            other_even = add8(other_even, u0, u1, p0, p1);
            other_odd = add8(other_odd, _mm512_srli_epi64(u0, 32), _mm512_srli_epi64(u1, 32), odd_p0, odd_p1);
        }
        even = folded8(even), odd = folded8(odd), other_even = folded8(other_even), other_odd = folded8(other_odd);
    }
    write8(even, odd, out[0]);
    write8(other_even, other_odd, out[1]);
}

vf_level vf_best_level(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return VF_AVX512;
    return __builtin_cpu_supports("avx2") ? VF_AVX2 : VF_PORTABLE;
}
static const group_kernel KERNELS[VF_LEVELS] = {group_portable, group_avx2, group_avx512};
static const pair_kernel PAIRS[VF_LEVELS] = {NULL, NULL, pair_avx512}; /* others have too few registers */
#else
vf_level vf_best_level(void) { return VF_PORTABLE; }
static const group_kernel KERNELS[VF_LEVELS] = {group_portable, group_portable, group_portable};
static const pair_kernel PAIRS[VF_LEVELS] = {NULL, NULL, NULL};
#endif

typedef struct {
    const uint32_t *const *gallery, *probe;
    uint32_t *out;
    size_t blocks, dimensions, groups, batches;
    group_kernel kernel;
    pair_kernel pair;
} scan_job;

/* One tile of the probe, which stays in the cache, with one batch of blocks, which stream past it. */
static void scan_item(const void *context, size_t item) {
    const scan_job *job = context;
    const size_t group_words = job->dimensions * 2 * VF_LANES;
    const size_t first_group = item / job->batches * job->groups, first_block = item % job->batches * BATCH;
    const size_t groups = first_group + job->groups > VF_GROUPS ? VF_GROUPS - first_group : job->groups;
    const size_t blocks = first_block + BATCH > job->blocks ? job->blocks - first_block : BATCH;
    for (size_t block = first_block; block < first_block + blocks; block++) {
        const int paired = job->pair && block + 1 < first_block + blocks;
        for (size_t group = first_group; group < first_group + groups; group++) {
            const uint32_t *const templates[2] = {job->gallery[block] + group * group_words,
                                                  paired ? job->gallery[block + 1] + group * group_words : NULL};
            uint32_t *first = job->out + block * 3 * VF_DEGREE + group * VF_LANES;
            uint32_t *const out[2] = {first, paired ? first + 3 * VF_DEGREE : NULL};
            if (paired) job->pair(templates, job->probe + group * group_words, job->dimensions, out);
            else job->kernel(templates[0], job->probe + group * group_words, job->dimensions, first);
        }
        block += paired;
    }
}

void vf_scan(const uint32_t *const *gallery, const uint32_t *probe, uint32_t *out, size_t blocks, size_t dimensions,
             size_t threads, vf_level level) {
    const size_t fitting = TILE_BYTES / (dimensions * 2 * VF_LANES * sizeof(uint32_t));
    const size_t groups = fitting < 1 ? 1 : fitting > VF_GROUPS / 8 ? VF_GROUPS / 8 : fitting;
    const size_t tiles = (VF_GROUPS + groups - 1) / groups, batches = (blocks + BATCH - 1) / BATCH;
    const scan_job job = {gallery, probe, out, blocks, dimensions, groups, batches, KERNELS[level], PAIRS[level]};
    vf_parallel(scan_item, &job, tiles * batches, threads);
}
