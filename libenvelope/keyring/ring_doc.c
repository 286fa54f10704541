#include "keyring/ring_doc.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a: the keys of one table are few, and authenticated before use. */
static uint32_t
hash(unsigned char seed, struct envl_bytes text)
{
    uint64_t h = (14695981039346656037u ^ seed) * 1099511628211u;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ text.ptr[i]) * 1099511628211u;
    return (uint32_t)(h ^ (h >> 32));
}

static bool
same(const char *name, struct envl_bytes text)
{
    return strlen(name) == text.len &&
           memcmp(name, text.ptr, text.len) == 0; /* public: names */
}

/* At most half full, so that a search ends soon and always. */
static enum envl_status
make_table(struct ring_index *index, size_t count, struct envl_error *err)
{
    size_t size = 8;

    while (size < count * 2)
        size *= 2;
    free(index->slots);
    index->slots = malloc(size * sizeof(*index->slots));
    if (index->slots == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
    for (size_t i = 0; i < size; i++)
        index->slots[i] = RING_INDEX_NONE;
    index->mask = (uint32_t)(size - 1);
    return ENVL_OK;
}

static uint32_t
kid_slot(const struct ring_doc *doc, struct envl_bytes kid)
{
    uint32_t at = hash(0xff, kid) & doc->by_kid.mask;

    while (doc->by_kid.slots[at] != RING_INDEX_NONE &&
           !same(doc->keys[doc->by_kid.slots[at]].key.info.kid, kid))
        at = (at + 1) & doc->by_kid.mask;
    return at;
}

static uint32_t
active_slot(const struct ring_doc *doc, enum envl_key_use use,
            struct envl_bytes scope)
{
    uint32_t at = hash((unsigned char)use, scope) & doc->by_active.mask;

    while (doc->by_active.slots[at] != RING_INDEX_NONE) {
        const struct envl_key_info *info =
            &doc->keys[doc->by_active.slots[at]].key.info;

        if (info->use == use && same(info->scope, scope))
            break;
        at = (at + 1) & doc->by_active.mask;
    }
    return at;
}

enum envl_status
ring_doc_index(struct ring_doc *doc, struct envl_error *err)
{
    enum envl_status status;

    if ((status = make_table(&doc->by_kid, doc->key_count, err)) != ENVL_OK ||
        (status = make_table(&doc->by_active, doc->key_count, err)) !=
            ENVL_OK)
        return status;

    for (uint32_t i = 0; i < doc->key_count; i++) {
        const struct envl_key_info *info = &doc->keys[i].key.info;
        uint32_t at = kid_slot(doc, envl_bytes_of(info->kid));

        /* spec: KEY-38 */
        if (doc->by_kid.slots[at] != RING_INDEX_NONE)
            return envl_fail(err, ENVL_E_INTEGRITY,
                             "keyring: key %u has the kid of another",
                             i + 1u);
        doc->by_kid.slots[at] = i;
        if (info->state != ENVL_KEY_ACTIVE)
            continue;

        /* spec: KEY-36 */
        at = active_slot(doc, info->use, envl_bytes_of(info->scope));
        if (doc->by_active.slots[at] != RING_INDEX_NONE)
            return envl_fail(err, ENVL_E_INTEGRITY,
                             "keyring: key %u is a second active key of "
                             "its use and scope", i + 1u);
        doc->by_active.slots[at] = i;
    }
    return ENVL_OK;
}

struct ring_key *
ring_doc_find(const struct ring_doc *doc, struct envl_bytes kid)
{
    uint32_t i = doc->by_kid.slots[kid_slot(doc, kid)];

    return i == RING_INDEX_NONE ? NULL : &doc->keys[i];
}

struct ring_key *
ring_doc_active(const struct ring_doc *doc, enum envl_key_use use,
                struct envl_bytes scope)
{
    uint32_t i = doc->by_active.slots[active_slot(doc, use, scope)];

    return i == RING_INDEX_NONE ? NULL : &doc->keys[i];
}

static enum envl_status
copy_unlocks(const struct ring_doc *doc, struct ring_doc *out,
             struct envl_error *err)
{
    enum envl_status status;

    for (size_t i = 0; i < doc->unlock_count; i++) {
        struct envl_unlock_entry *to = &out->unlocks[i];

        *to = doc->unlocks[i];
        to->wrapped = (struct envl_buf)ENVL_BUF_INIT;
        out->unlock_count = i + 1;
        status = envl_buf_append(&to->wrapped,
                                 envl_buf_view(&doc->unlocks[i].wrapped),
                                 err);
        if (status != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

enum envl_status
ring_doc_copy(const struct ring_doc *doc, size_t room, struct ring_doc *out,
              struct envl_error *err)
{
    struct ring_doc copy = { 0 };
    enum envl_status status;

    copy.keys = calloc(doc->key_count + room + 1, sizeof(*copy.keys));
    copy.unlocks =
        calloc(doc->unlock_count + room + 1, sizeof(*copy.unlocks));
    if (copy.keys == NULL || copy.unlocks == NULL) {
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
        goto out;
    }
    memcpy(copy.id, doc->id, sizeof(copy.id));
    memcpy(copy.mac, doc->mac, sizeof(copy.mac));
    copy.generation = doc->generation;
    if ((status = copy_unlocks(doc, &copy, err)) != ENVL_OK)
        goto out;
    for (size_t i = 0; i < doc->key_count; i++) {
        copy.keys[i] = doc->keys[i];
        copy.keys[i].key.secret = NULL;
        copy.keys[i].key.provider = NULL;
    }
    copy.key_count = doc->key_count;
    *out = copy;
    return ENVL_OK;

out:
    ring_doc_free(&copy);
    return status;
}

size_t
ring_doc_unlock(const struct ring_doc *doc, const char *name)
{
    size_t i;

    for (i = 0; i < doc->unlock_count; i++)
        if (strcmp(doc->unlocks[i].name, name) == 0)
            break;
    return i;
}

void
ring_doc_drop_unlock(struct ring_doc *doc, size_t at)
{
    envl_buf_free(&doc->unlocks[at].wrapped);
    doc->unlock_count--;
    memmove(&doc->unlocks[at], &doc->unlocks[at + 1],
            (doc->unlock_count - at) * sizeof(*doc->unlocks));
}

void
ring_doc_free(struct ring_doc *doc)
{
    for (size_t i = 0; i < doc->unlock_count; i++)
        envl_buf_free(&doc->unlocks[i].wrapped);
    free(doc->unlocks);
    free(doc->keys);
    free(doc->by_kid.slots);
    free(doc->by_active.slots);
    *doc = (struct ring_doc){ 0 };
}
