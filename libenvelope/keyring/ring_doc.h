/*
 * ring_doc.h - what a ring file says, before and after it is believed.
 *
 * A document is the file's two lines as memory: who may open the ring, and
 * its keys with their wrapped material.  It holds no secret.
 */
#ifndef KEYRING_RING_DOC_H
#define KEYRING_RING_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/keywrap.h"
#include "keyring/key.h"

#define RING_CHECK_LEN 8u
#define RING_MAC_LEN   32u
#define RING_PIN_LEN   16u
#define RING_INDEX_NONE UINT32_MAX

/* A key as the file holds it, around the key as the format side sees it. */
struct ring_key {
    struct key key;
    bool has_material; /* neither destroyed nor a provider's */
    uint8_t check[RING_CHECK_LEN];
    uint8_t wrapped[KEYWRAP_LEN];
};

/* An open-addressed table of positions in ${doc}->keys. */
struct ring_index {
    uint32_t *slots;
    uint32_t mask;
};

struct ring_doc {
    char id[ENVL_UUID_SIZE];
    uint64_t generation;
    struct envl_unlock_entry *unlocks;
    size_t unlock_count;
    struct ring_key *keys;
    size_t key_count;
    struct ring_index by_kid;    /* every key             */
    struct ring_index by_active; /* by use and scope      */
    uint8_t mac[RING_MAC_LEN];   /* line 2                */
};

/**
 * ring_doc_index(doc, err):
 * Build both tables.  ENVL_E_INTEGRITY if a kid is there twice, or two keys
 * of one use and scope are active.
 */
enum envl_status ring_doc_index(struct ring_doc *doc, struct envl_error *err);

/**
 * ring_doc_find(doc, kid):
 * The key ${kid} of an indexed document, or NULL.
 */
struct ring_key *ring_doc_find(const struct ring_doc *doc,
                               struct envl_bytes kid);

/**
 * ring_doc_active(doc, use, scope):
 * The active key of ${use} and ${scope}, or NULL.
 */
struct ring_key *ring_doc_active(const struct ring_doc *doc,
                                 enum envl_key_use use,
                                 struct envl_bytes scope);

/**
 * ring_doc_copy(doc, room, out, err):
 * A deep copy for a change, with room for ${room} more keys and as many more
 * unlock entries; not indexed, no pointers to secrets or providers.  The
 * caller frees it with ring_doc_free.  Fails with ENVL_E_NOMEM.
 */
enum envl_status ring_doc_copy(const struct ring_doc *doc, size_t room,
                               struct ring_doc *out, struct envl_error *err);

/**
 * ring_doc_unlock(doc, name):
 * Position of the unlock entry ${name}, or unlock_count.
 */
size_t ring_doc_unlock(const struct ring_doc *doc, const char *name);

/**
 * ring_doc_drop_unlock(doc, at):
 * Remove the unlock entry at ${at}.
 */
void ring_doc_drop_unlock(struct ring_doc *doc, size_t at);

/**
 * ring_doc_free(doc):
 * Release what it holds; it is all zero afterwards.
 */
void ring_doc_free(struct ring_doc *doc);

#endif /* KEYRING_RING_DOC_H */
