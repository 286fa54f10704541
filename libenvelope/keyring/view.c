#include "keyring/view.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Guarded memory ends at its guard page: sizes keep what it holds aligned. */
_Static_assert(sizeof(struct ring_keys) % 16 == 0, "ring_keys is aligned");
_Static_assert(sizeof(struct key_secret) % 16 == 0, "key_secret is aligned");

void
view_subkey(const struct ring_keys *keys, const char *label,
            struct envl_span out)
{
    /* spec: KEY-16 */
    struct envl_bytes info[] = { envl_bytes_of("libenvelope/v1/"),
                                 envl_bytes_of(label) };

    hkdf512_expand(&keys->derive, info, 2, out);
}

void
view_derive(struct ring_keys *keys)
{
    uint8_t mac[32];

    hmac512_prepare(&keys->derive, (struct envl_bytes){ keys->ring,
                                                        sizeof(keys->ring) });
    view_subkey(keys, "keyring-wrap",
                (struct envl_span){ keys->wrap, sizeof(keys->wrap) });
    view_subkey(keys, "keyring-mac",
                (struct envl_span){ mac, sizeof(mac) });
    hmac512_prepare(&keys->mac, (struct envl_bytes){ mac, sizeof(mac) });
    sodium_memzero(mac, sizeof(mac));
}

static void
fill_mark(struct ring_view *view)
{
    struct envl_ring_mark *mark = &view->mark;

    memcpy(mark->id, view->doc.id, sizeof(mark->id));
    mark->generation = view->doc.generation;
    memcpy(mark->mac, view->doc.mac, sizeof(mark->mac));
    /* spec: KEY-52 */
    view_subkey(&view->guard->ring, "ring-pin",
                (struct envl_span){ mark->pin, sizeof(mark->pin) });
}

enum envl_status
view_new(struct ring_doc *doc, const struct ring_keys *ring,
         struct ring_view **out, struct envl_error *err)
{
    struct ring_view *view = calloc(1, sizeof(*view));
    size_t size = sizeof(struct view_guard) +
                  doc->key_count * sizeof(struct key_secret);

    if (view != NULL)
        view->guard = sodium_malloc(size);
    if (view == NULL || view->guard == NULL) {
        free(view);
        return envl_fail(err, ENVL_E_NOMEM,
                         "out of guarded memory for a keyring");
    }
    memset(view->guard, 0, size);
    view->guard->ring = *ring;
    view->doc = *doc;
    *doc = (struct ring_doc){ 0 };
    fill_mark(view);
    *out = view;
    return ENVL_OK;
}

uint8_t *
view_material(struct ring_view *view, size_t at)
{
    return view->guard->keys[at].bytes;
}

const struct hmac512_key *
view_prepare(struct ring_view *view, size_t at)
{
    struct key_secret *secret = &view->guard->keys[at];

    hmac512_prepare(&secret->prepared,
                    (struct envl_bytes){ secret->bytes,
                                         sizeof(secret->bytes) });
    return &secret->prepared;
}

enum envl_status
view_complete(struct ring_view *view, struct envl_error *err)
{
    for (size_t i = 0; i < view->doc.key_count; i++) {
        struct ring_key *entry = &view->doc.keys[i];
        struct key_secret *secret = &view->guard->keys[i];

        entry->key.secret = NULL;
        if (!entry->has_material ||
            entry->key.info.state == ENVL_KEY_DISABLED)
            sodium_memzero(secret, sizeof(*secret));
        else
            entry->key.secret = secret;
    }
    if (sodium_mprotect_readonly(view->guard) != 0)
        return envl_fail(err, ENVL_E_INTERNAL,
                         "guarded memory cannot be made read-only");
    return ENVL_OK;
}

void
view_free(struct ring_view *view)
{
    if (view == NULL)
        return;
    sodium_free(view->guard); /* wipes before it unmaps */
    ring_doc_free(&view->doc);
    free(view);
}
