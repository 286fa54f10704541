#include "keyring/ring.h"

#include <stdlib.h>

#include "core/clock.h"

/*
 * How long a writer waits for readers.  They hold a view for the time of one
 * value or one chunk; a reader that was stopped in a debugger costs memory,
 * not progress: its view is kept, and tried again the next time.
 */
#define WAIT_FOR_READERS_MS 2000u

struct ring_view *
ring_current(struct envl_keyring *ring)
{
    return atomic_load(&ring->view);
}

static void
free_views(struct ring_view *view)
{
    while (view != NULL) {
        struct ring_view *older = view->older;

        view_free(view);
        view = older;
    }
}

void
ring_publish(struct envl_keyring *ring, struct ring_view *view)
{
    struct ring_view *old = atomic_load(&ring->view);

    view->published_ms = clock_coarse_ms();
    atomic_store(&ring->view, view);
    if (old == NULL)
        return;

    old->older = ring->old;
    ring->old = old;
    if (epoch_wait(&ring->epoch, WAIT_FOR_READERS_MS)) {
        free_views(ring->old);
        ring->old = NULL;
    }
}

enum envl_status
ring_new(struct envl_keyring **out, struct envl_error *err)
{
    struct envl_keyring *ring =
        aligned_alloc(_Alignof(struct envl_keyring), sizeof(*ring));
    pthread_condattr_t monotonic;

    if (ring == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
    *ring = (struct envl_keyring){ 0 };
    epoch_init(&ring->epoch);
    pthread_mutex_init(&ring->lock, NULL);
    pthread_mutex_init(&ring->watch.lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->watch.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = ring;
    return ENVL_OK;
}

void
ring_drop(struct envl_keyring *ring)
{
    free_views(ring->old);
    view_free(atomic_load(&ring->view));
    pthread_cond_destroy(&ring->watch.wake);
    pthread_mutex_destroy(&ring->watch.lock);
    pthread_mutex_destroy(&ring->lock);
    free(ring->providers);
    free(ring->path);
    free(ring->entry);
    free(ring);
}
