/* A job of many equal items, taken one by one by whichever thread is free. */
#ifndef VEILFACE_PARALLEL_H
#define VEILFACE_PARALLEL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*vf_item)(const void *context, size_t item);

/* Runs item 0 … items - 1 on the calling thread and up to threads - 1 others, and returns when all are done. */
void vf_parallel(vf_item run, const void *context, size_t items, size_t threads);

#ifdef __cplusplus
}
#endif
#endif
