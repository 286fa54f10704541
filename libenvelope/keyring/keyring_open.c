#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/keyring.h>

#include "keyring/reload.h"
#include "keyring/watch.h"

/* What the caller's struct holds, as far as it knows it. */
static enum envl_status
read_options(const struct envl_keyring_options *options,
             struct envl_keyring *ring, struct envl_error *err)
{
    size_t count = options->provider_count;

    ring->path = strdup(options->path);
    ring->providers = calloc(count + 1, sizeof(*ring->providers));
    if (options->entry != NULL)
        ring->entry = strdup(options->entry);
    if (ring->path == NULL || ring->providers == NULL ||
        (options->entry != NULL && ring->entry == NULL))
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
    for (size_t i = 0; i < count; i++) {
        if (options->providers[i]->ops->abi != ENVL_PROVIDER_ABI)
            return envl_fail(err, ENVL_E_USAGE,
                             "provider %zu has ABI %u, not %u", i + 1,
                             options->providers[i]->ops->abi,
                             ENVL_PROVIDER_ABI);
        ring->providers[i] = options->providers[i];
    }
    ring->provider_count = count;
    ring->openers = options->openers < count ? options->openers : count;
    ring->fixed = options->fixed;
    ring->next_fn = options->next;
    ring->next_cookie = options->next_cookie;
    ring->has_seen = options->seen != NULL && options->seen->generation > 0;
    if (ring->has_seen)
        ring->seen = *options->seen;
    ring->has_pin = options->pin != NULL;
    if (ring->has_pin)
        memcpy(ring->pin, options->pin, sizeof(ring->pin));
    return ENVL_OK;
}

enum envl_status
envl_keyring_open(const struct envl_keyring_options *options,
                  struct envl_keyring **out, struct envl_error *err)
{
    struct load_request request;
    struct envl_keyring *ring = NULL;
    struct ring_view *view = NULL;
    enum envl_status status;

    if (options->size != sizeof(*options) || options->path == NULL ||
        (options->provider_count > 0 && options->providers == NULL))
        return envl_fail(err, ENVL_E_USAGE, "keyring options are not valid");
    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");
    if ((status = ring_new(&ring, err)) != ENVL_OK)
        return status;
    if ((status = read_options(options, ring, err)) != ENVL_OK)
        goto out;
    request = (struct load_request){
        .path = ring->path,
        .providers = ring->providers,
        .provider_count = ring->provider_count,
        .openers = ring->openers,
        .entry = ring->entry,
        .seen = ring->has_seen ? &ring->seen : NULL,
        .pin = ring->has_pin ? ring->pin : NULL,
        .known_pin = options->known_pin,
    };
    if ((status = load_ring(&request, &view, err)) != ENVL_OK)
        goto out;
    ring_publish(ring, view);
    watch_start(ring);
    *out = ring;
    ring = NULL;

out:
    if (ring != NULL)
        ring_drop(ring);
    return status;
}

enum envl_status
envl_keyring_reload(struct envl_keyring *ring, struct envl_error *err)
{
    struct load_request request;
    struct ring_view *view = NULL;
    enum envl_status status;

    if (ring->path == NULL)
        return ENVL_OK;
    pthread_mutex_lock(&ring->lock);
    reload_request(ring, &request);
    status = load_ring(&request, &view, err);
    if (status == ENVL_OK)
        ring_publish(ring, view);
    pthread_mutex_unlock(&ring->lock);
    return status;
}

enum envl_status
envl_keyring_peek(const char *path, struct envl_ring_mark *out,
                  struct envl_error *err)
{
    struct load_file file;
    enum envl_status status;

    if ((status = load_read(path, &file, err)) != ENVL_OK)
        return status;
    *out = (struct envl_ring_mark){ .generation = file.doc.generation };
    memcpy(out->id, file.doc.id, sizeof(out->id));
    memcpy(out->mac, file.doc.mac, sizeof(out->mac));
    load_file_free(&file);
    return ENVL_OK;
}
