#include "keyring/reload.h"

#include <sys/stat.h>

#include "core/clock.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS  64000

void
reload_request(struct envl_keyring *ring, struct load_request *out)
{
    const struct ring_view *now = ring_current(ring);

    /*
     * Once open, a higher generation under another ring key is the work of
     * somebody who could open the ring, and is taken over, unless the caller
     * remembers pins.
     */
    *out = (struct load_request){
        .path = ring->path,
        .providers = ring->providers,
        .provider_count = ring->provider_count,
        .openers = ring->openers,
        .entry = ring->entry,
        .known = &now->guard->ring,
        .seen = &now->mark,
        .pin = ring->has_pin ? ring->pin : NULL,
        .new_pin = !ring->has_seen && !ring->has_pin,
    };
}

/* A file that did not load is not tried again at once. */
static bool
refused_lately(const struct ring_watch *watch, const struct file_id *id)
{
    return watch->has_refused && file_id_equal(&watch->refused, id) &&
           clock_coarse_ms() < watch->retry_ms;
}

static void
remember_refusal(struct ring_watch *watch, const struct file_id *id)
{
    bool again = watch->has_refused && file_id_equal(&watch->refused, id);
    int64_t wait = again ? watch->backoff_ms * 2 : BACKOFF_FIRST_MS;

    watch->has_refused = true;
    watch->refused = *id;
    watch->backoff_ms = wait < BACKOFF_LAST_MS ? wait : BACKOFF_LAST_MS;
    watch->retry_ms = clock_coarse_ms() + watch->backoff_ms;
}

static void
look(struct envl_keyring *ring)
{
    struct load_request request;
    struct ring_view *view = NULL;
    struct file_id id;
    struct stat st;

    if (stat(ring->path, &st) != 0)
        return;
    id = file_id_of(&st);
    if (file_id_equal(&id, &ring_current(ring)->file)) {
        ring->watch.has_refused = false;
        return;
    }
    if (refused_lately(&ring->watch, &id))
        return;
    reload_request(ring, &request);
    if (load_ring(&request, &view, NULL) != ENVL_OK) {
        remember_refusal(&ring->watch, &id);
        return;
    }
    ring->watch.has_refused = false;
    ring_publish(ring, view);
}

bool
reload_if_changed(struct envl_keyring *ring)
{
    if (pthread_mutex_trylock(&ring->lock) != 0)
        return false;
    look(ring);
    pthread_mutex_unlock(&ring->lock);
    return true;
}

void
reload_wait(struct envl_keyring *ring)
{
    pthread_mutex_lock(&ring->lock);
    pthread_mutex_unlock(&ring->lock);
}
