#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/keyring.h>

#include "core/clock.h"
#include "core/random.h"
#include "keyring/ring.h"
#include "keyring/watch.h"

struct keyring_hold
keyring_enter(struct envl_keyring *ring)
{
    struct keyring_hold hold;

    if (atomic_load_explicit(&ring->watch.by_readers, memory_order_relaxed))
        watch_by_reader(ring);
    hold.slot = epoch_enter(&ring->epoch);
    hold.view = atomic_load(&ring->view);
    return hold;
}

void
keyring_leave(struct envl_keyring *ring, struct keyring_hold hold)
{
    epoch_leave(&ring->epoch, hold.slot);
}

const struct key *
keyring_key(const struct ring_view *view, struct envl_bytes kid)
{
    const struct ring_key *entry = ring_doc_find(&view->doc, kid);

    return entry == NULL ? NULL : &entry->key;
}

const struct key *
keyring_active_key(const struct ring_view *view, enum envl_key_use use,
                   const char *scope)
{
    const struct ring_key *entry = ring_doc_active(
        &view->doc, use, envl_bytes_of(scope == NULL ? "default" : scope));

    return entry == NULL ? NULL : &entry->key;
}

enum envl_status
keyring_subkey(struct envl_keyring *ring, const char *label,
               struct envl_secret **out, struct envl_error *err)
{
    struct envl_secret *key = NULL;
    struct keyring_hold hold;
    enum envl_status status;

    if ((status = envl_secret_new(32, &key, err)) != ENVL_OK)
        return status;
    hold = keyring_enter(ring);
    view_subkey(&hold.view->guard->ring, label, envl_secret_span(key));
    keyring_leave(ring, hold);
    *out = key;
    return ENVL_OK;
}

void
envl_keyring_mark(struct envl_keyring *ring, struct envl_ring_mark *out)
{
    struct keyring_hold hold = keyring_enter(ring);

    *out = hold.view->mark;
    keyring_leave(ring, hold);
}

enum envl_status
envl_keyring_list(struct envl_keyring *ring, struct envl_key_info **out,
                  size_t *count, struct envl_error *err)
{
    struct keyring_hold hold = keyring_enter(ring);
    const struct ring_doc *doc = &hold.view->doc;
    struct envl_key_info *list = calloc(doc->key_count + 1, sizeof(*list));

    if (list == NULL) {
        keyring_leave(ring, hold);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu keys",
                         doc->key_count);
    }
    for (size_t i = 0; i < doc->key_count; i++)
        list[i] = doc->keys[i].key.info;
    *count = doc->key_count;
    *out = list;
    keyring_leave(ring, hold);
    return ENVL_OK;
}

enum envl_status
envl_keyring_find(struct envl_keyring *ring, const char *kid,
                  struct envl_key_info *out, struct envl_error *err)
{
    struct keyring_hold hold = keyring_enter(ring);
    const struct key *key = keyring_key(hold.view, envl_bytes_of(kid));

    if (key != NULL)
        *out = key->info;
    keyring_leave(ring, hold);
    if (key == NULL) {
        envl_fail(err, ENVL_E_NOKEY, "no key '%.63s' in the keyring", kid);
        envl_hint(err, "see: envelope key list");
        return ENVL_E_NOKEY;
    }
    return ENVL_OK;
}

enum envl_status
envl_keyring_active(struct envl_keyring *ring, enum envl_key_use use,
                    const char *scope, struct envl_key_info *out,
                    struct envl_error *err)
{
    struct keyring_hold hold = keyring_enter(ring);
    const struct key *key = keyring_active_key(hold.view, use, scope);

    if (key != NULL)
        *out = key->info;
    keyring_leave(ring, hold);
    if (key == NULL) {
        envl_fail(err, ENVL_E_NOKEY,
                  "no active key of use '%s' in scope '%.63s'",
                  envl_key_use_name(use), scope == NULL ? "default" : scope);
        envl_hint(err, "activate one: envelope key activate KID");
        return ENVL_E_NOKEY;
    }
    return ENVL_OK;
}

void
envl_keyring_free(struct envl_keyring *ring)
{
    if (ring == NULL)
        return;
    watch_stop(ring);
    ring_drop(ring);
}

/* A document of the given keys, as if it had been read. */
static enum envl_status
given_doc(const struct keyring_given *keys, size_t count,
          struct ring_doc *out, struct envl_error *err)
{
    struct ring_doc doc = { .id = "00000000-0000-4000-8000-000000000000",
                            .generation = 1 };
    enum envl_status status;

    doc.keys = calloc(count + 1, sizeof(*doc.keys));
    if (doc.keys == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu keys",
                         count);
    doc.key_count = count;
    for (size_t i = 0; i < count; i++) {
        struct ring_key *entry = &doc.keys[i];

        entry->key.info = keys[i].info;
        entry->has_material = keys[i].info.state != ENVL_KEY_DESTROYED &&
                              keys[i].info.provider[0] == '\0';
        if (!key_name_valid(envl_bytes_of(keys[i].info.kid)) ||
            !key_name_valid(envl_bytes_of(keys[i].info.scope))) {
            status = envl_fail(err, ENVL_E_USAGE,
                               "key %zu has a bad kid or scope", i + 1);
            goto out;
        }
    }
    if ((status = ring_doc_index(&doc, err)) != ENVL_OK)
        goto out;
    *out = doc;
    return ENVL_OK;

out:
    ring_doc_free(&doc);
    return status;
}

enum envl_status
keyring_from_keys(const struct keyring_given *keys, size_t count,
                  struct envl_keyring **out, struct envl_error *err)
{
    struct ring_doc doc = { 0 };
    struct ring_keys *derived = NULL;
    struct ring_view *view = NULL;
    struct envl_keyring *ring = NULL;
    enum envl_status status;

    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium cannot start");
    derived = sodium_malloc(sizeof(*derived));
    if (derived == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    status = random_fill((struct envl_span){ derived->ring,
                                             sizeof(derived->ring) }, err);
    if (status != ENVL_OK ||
        (status = given_doc(keys, count, &doc, err)) != ENVL_OK)
        goto out;
    view_derive(derived);
    if ((status = view_new(&doc, derived, &view, err)) != ENVL_OK)
        goto out;
    for (size_t i = 0; i < count; i++) {
        memcpy(view_material(view, i), keys[i].bytes, sizeof(keys[i].bytes));
        view_prepare(view, i);
    }
    if ((status = view_complete(view, err)) != ENVL_OK ||
        (status = ring_new(&ring, err)) != ENVL_OK)
        goto out;
    ring->fixed = true;
    ring_publish(ring, view);
    view = NULL;
    *out = ring;

out:
    view_free(view);
    ring_doc_free(&doc);
    sodium_free(derived);
    return status;
}
