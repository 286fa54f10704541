/*
 * view.h - one state of a ring, opened: its document and its key material.
 *
 * All key material of a view lies in one guarded allocation that is read-only
 * once the view is complete.  A view is never changed after it is published.
 */
#ifndef KEYRING_VIEW_H
#define KEYRING_VIEW_H

#include "core/file.h"
#include "keyring/ring_doc.h"

/* What is derived from the ring key; lies in guarded memory. */
struct ring_keys {
    uint8_t ring[ENVL_RING_KEY_LEN];
    uint8_t wrap[KEYWRAP_KEY_LEN]; /* label keyring-wrap              */
    struct hmac512_key derive;     /* of ring: derives everything     */
    struct hmac512_key mac;        /* of the label keyring-mac        */
};

/* The guarded allocation: the ring's own keys, then one for each key. */
struct view_guard {
    struct ring_keys ring;
    struct key_secret keys[];
};

struct ring_view {
    struct ring_doc doc;
    struct view_guard *guard;
    struct envl_ring_mark mark;
    struct file_id file;      /* of the file this was read from      */
    char opened_by[64];       /* type of the unlock entry, or ""     */
    int64_t published_ms;     /* by the coarse clock                 */
    struct ring_view *older;  /* given up, but perhaps still read    */
};

/**
 * view_derive(keys):
 * Fill the rest of ${keys} from ${keys}->ring.
 */
void view_derive(struct ring_keys *keys);

/**
 * view_subkey(keys, label, out):
 * HKDF-Expand-SHA512(ring key, "libenvelope/v1/" label) into ${out}.
 */
void view_subkey(const struct ring_keys *keys, const char *label,
                 struct envl_span out);

/**
 * view_new(doc, ring, out, err):
 * Take over the indexed ${doc} and copy ${ring} (a complete struct ring_keys)
 * into a new view, writable and without key material.  ${doc} is empty
 * afterwards.  Fails with ENVL_E_NOMEM, ${doc} untouched.
 */
enum envl_status view_new(struct ring_doc *doc, const struct ring_keys *ring,
                          struct ring_view **out, struct envl_error *err);

/**
 * view_material(view, at):
 * Where the 32 bytes of the key at ${at} go; then call view_prepare.
 */
uint8_t *view_material(struct ring_view *view, size_t at);

/**
 * view_prepare(view, at):
 * Prepare the key at ${at} from its bytes, and borrow it.
 */
const struct hmac512_key *view_prepare(struct ring_view *view, size_t at);

/**
 * view_complete(view, err):
 * Give out the material of the keys that open (active, pre-active and
 * decrypt-only), wipe that of all others, and make the guarded memory
 * read-only.  Fails with ENVL_E_INTERNAL.
 */
enum envl_status view_complete(struct ring_view *view,
                               struct envl_error *err);

/**
 * view_free(view):
 * Wipe and release; NULL is ignored.
 */
void view_free(struct ring_view *view);

#endif /* KEYRING_VIEW_H */
