/* Reading memory and nothing else: the bandwidth that a scan is measured against. */
#include <stdatomic.h>

#include "kernel.h"
#include "parallel.h"
#include "versions.h"

enum { CHUNK = 1 << 18, WIDTH = 128 };

typedef struct {
    const uint32_t *words;
    size_t count;
    vf_level level;
    _Atomic uint32_t *all;
} job;

VF_BODY uint32_t exclusive_or(const uint32_t *words, size_t count) {
    uint32_t lanes[WIDTH] = {0}, all = 0;
    size_t done = 0;
    for (; done + WIDTH <= count; done += WIDTH)
        for (size_t lane = 0; lane < WIDTH; lane++) lanes[lane] ^= words[done + lane];
    for (size_t lane = 0; lane < WIDTH; lane++) all ^= lanes[lane];
    for (; done < count; done++) all ^= words[done];
    return all;
}

VF_VERSIONS(uint32_t, exclusive_or, (const uint32_t *words, size_t count), (words, count))

static void read_chunk(const void *context, size_t item) {
    const job *reading = context;
    const size_t first = item * CHUNK, left = reading->count - first;
    atomic_fetch_xor(reading->all, exclusive_or_at(reading->level)(reading->words + first, left < CHUNK ? left : CHUNK));
}

uint32_t vf_read(const uint32_t *words, size_t count, size_t threads, vf_level level) {
    _Atomic uint32_t all = 0;
    const job reading = {words, count, level, &all};
    vf_parallel(read_chunk, &reading, (count + CHUNK - 1) / CHUNK, threads);
    return all;
}
