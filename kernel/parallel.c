#include "parallel.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MOST_THREADS = 256, STACK = 4 << 20 /* for a pair's polynomials; some systems give half a megabyte */ };

typedef struct {
    vf_item run;
    const void *context;
    size_t items;
    atomic_size_t next;
} work;

static void *labour(void *argument) {
    work *job = argument;
    for (size_t item; (item = atomic_fetch_add(&job->next, 1)) < job->items;) job->run(job->context, item);
    return NULL;
}

void vf_parallel(vf_item run, const void *context, size_t items, size_t threads) {
    work job = {run, context, items, 0};
    pthread_t helpers[MOST_THREADS];
    pthread_attr_t attributes;
    size_t wanted = threads < items ? threads : items, started = 0;
    if (wanted > MOST_THREADS) wanted = MOST_THREADS;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    /* A thread that cannot be had is no failure: the others take its items. */
    while (started + 1 < wanted && !pthread_create(&helpers[started], &attributes, labour, &job)) started++;
    labour(&job);
    while (started) pthread_join(helpers[--started], NULL);
    pthread_attr_destroy(&attributes);
}
