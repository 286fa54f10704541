#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "store.h"

#define COLLECTIONS_MOST 256
#define CURSORS_MOST 256

static struct store_collection *collections[COLLECTIONS_MOST];
static struct store_cursor *cursors[CURSORS_MOST];
static int64_t last_cursor = 1000;
static int reject_code = 121;

void
store_rejects_with(int code)
{
    reject_code = code;
}

static void *
need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "mongo_peer: out of memory\n");
        abort();
    }
    return memory;
}

struct store_collection *
store_nth(size_t i)
{
    for (size_t k = 0; k < COLLECTIONS_MOST; k++) {
        if (collections[k] != NULL && i-- == 0)
            return collections[k];
    }
    return NULL;
}

struct store_collection *
store_find(const char *ns, bool make)
{
    struct store_collection *fresh;
    size_t room = COLLECTIONS_MOST;

    for (size_t i = 0; i < COLLECTIONS_MOST; i++) {
        if (collections[i] == NULL)
            room = room == COLLECTIONS_MOST ? i : room;
        else if (strcmp(collections[i]->ns, ns) == 0)
            return collections[i];
    }
    if (!make || room == COLLECTIONS_MOST)
        return NULL;
    fresh = need(calloc(1, sizeof(*fresh)));
    snprintf(fresh->ns, sizeof(fresh->ns), "%s", ns);
    bson_init(&fresh->options);
    bson_init(&fresh->indexes);
    collections[room] = fresh;
    return fresh;
}

static void
collection_free(struct store_collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        bson_destroy(collection->docs[i]);
    free(collection->docs);
    bson_destroy(&collection->options);
    bson_destroy(&collection->indexes);
    free(collection);
}

bool
store_drop(const char *ns)
{
    for (size_t i = 0; i < COLLECTIONS_MOST; i++) {
        if (collections[i] != NULL && strcmp(collections[i]->ns, ns) == 0) {
            collection_free(collections[i]);
            collections[i] = NULL;
            return true;
        }
    }
    return false;
}

void
store_reset(void)
{
    for (size_t i = 0; i < COLLECTIONS_MOST; i++) {
        if (collections[i] != NULL)
            collection_free(collections[i]);
        collections[i] = NULL;
    }
    for (size_t i = 0; i < CURSORS_MOST; i++) {
        if (cursors[i] != NULL)
            store_cursor_free(cursors[i]);
    }
}

/* ---- validators -------------------------------------------------------- */

static const char *
option(const struct store_collection *collection, const char *name,
       const char *otherwise)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, &collection->options, name) &&
                   BSON_ITER_HOLDS_UTF8(&iter)
               ? bson_iter_utf8(&iter, NULL) : otherwise;
}

static bool
valid(const struct store_collection *collection, const bson_t *doc,
      struct trouble *trouble)
{
    bson_iter_t iter;
    bson_t filter;

    return !bson_iter_init_find(&iter, &collection->options, "validator") ||
           !value_doc(bson_iter_value(&iter), &filter) ||
           match_doc(doc, &filter, trouble);
}

/* ${before} is NULL for an insert.  Moderate does not ask of a document that
   was invalid already. */
static bool
accepted(const struct store_collection *collection, const bson_t *before,
         const bson_t *doc, struct trouble *trouble)
{
    const char *level = option(collection, "validationLevel", "strict");

    if (valid(collection, doc, trouble) || trouble->code != 0)
        return trouble->code == 0;
    if (strcmp(level, "off") == 0 ||
        strcmp(option(collection, "validationAction", "error"), "warn") == 0)
        return true;
    if (before != NULL && strcmp(level, "moderate") == 0 &&
        !valid(collection, before, trouble))
        return trouble->code == 0;
    return value_trouble(trouble, reject_code, "DocumentValidationFailure",
                         "Document failed validation");
}

/* ---- documents --------------------------------------------------------- */

static bool
same_id(const bson_t *a, const bson_value_t *id)
{
    bson_iter_t iter;

    return bson_iter_init_find(&iter, a, "_id") &&
           value_compare(bson_iter_value(&iter), id) == 0;
}

bool
store_insert(struct store_collection *collection, const bson_t *doc,
             bool validate, struct trouble *trouble)
{
    bson_t *copy = need(bson_new());
    bson_iter_t iter;
    bson_oid_t oid;

    if (!bson_iter_init_find(&iter, doc, "_id")) {
        bson_oid_init(&oid, NULL);
        bson_append_oid(copy, "_id", 3, &oid);
    }
    bson_concat(copy, doc);
    bson_iter_init_find(&iter, copy, "_id");
    for (size_t i = 0; i < collection->count; i++) {
        if (same_id(collection->docs[i], bson_iter_value(&iter)))
            value_trouble(trouble, 11000, "DuplicateKey",
                          "E11000 duplicate key error collection: %s",
                          collection->ns);
    }
    if (trouble->code != 0 ||
        (validate && !accepted(collection, NULL, copy, trouble))) {
        bson_destroy(copy);
        return false;
    }
    if (collection->count == collection->cap) {
        collection->cap = collection->cap == 0 ? 64 : collection->cap * 2;
        collection->docs = need(realloc(
            collection->docs, collection->cap * sizeof(*collection->docs)));
    }
    collection->docs[collection->count++] = copy;
    return true;
}

bool
store_replace(struct store_collection *collection, size_t i,
              const bson_t *doc, bool validate, struct trouble *trouble)
{
    if (doc->len > 16 * 1024 * 1024)
        return value_trouble(trouble, 10334, "BSONObjectTooLarge",
                             "a document over 16 MiB");
    if (validate && !accepted(collection, collection->docs[i], doc, trouble))
        return false;
    bson_destroy(collection->docs[i]);
    collection->docs[i] = need(bson_copy(doc));
    return true;
}

void
store_remove(struct store_collection *collection, size_t i)
{
    bson_destroy(collection->docs[i]);
    memmove(&collection->docs[i], &collection->docs[i + 1],
            (collection->count - i - 1) * sizeof(*collection->docs));
    collection->count--;
}

/* ---- lists and cursors ------------------------------------------------- */

void
store_docs_add(struct store_docs *docs, const bson_t *doc)
{
    if (docs->count == docs->cap) {
        docs->cap = docs->cap == 0 ? 64 : docs->cap * 2;
        docs->docs = need(realloc(docs->docs,
                                  docs->cap * sizeof(*docs->docs)));
    }
    docs->docs[docs->count++] = need(bson_copy(doc));
}

void
store_docs_free(struct store_docs *docs)
{
    for (size_t i = 0; i < docs->count; i++)
        bson_destroy(docs->docs[i]);
    free(docs->docs);
    *docs = (struct store_docs){ 0 };
}

struct first {
    bson_value_t value;
    bool there;
};

static bool
take_first(void *cookie, const bson_value_t *value)
{
    struct first *first = cookie;

    if (value == NULL)
        return false;
    first->value = *value; /* borrowed from the document */
    first->there = true;
    return true;
}

static int
by_order(const void *a, const void *b, void *cookie)
{
    bson_iter_t iter;

    if (!bson_iter_init(&iter, cookie))
        return 0;
    while (bson_iter_next(&iter)) {
        struct first x = { .value = { .value_type = BSON_TYPE_NULL } };
        struct first y = x;
        int c;

        match_walk(*(bson_t *const *)a, bson_iter_key(&iter), take_first, &x);
        match_walk(*(bson_t *const *)b, bson_iter_key(&iter), take_first, &y);
        c = value_compare(&x.value, &y.value);
        if (c != 0)
            return value_int64(bson_iter_value(&iter)) < 0 ? -c : c;
    }
    return 0;
}

void
store_docs_sort(struct store_docs *docs, const bson_t *order)
{
    if (docs->count > 1)
        qsort_r(docs->docs, docs->count, sizeof(*docs->docs), by_order,
                (void *)(uintptr_t)order);
}

struct store_cursor *
store_cursor_new(const char *ns, struct store_docs *docs)
{
    for (size_t i = 0; i < CURSORS_MOST; i++) {
        if (cursors[i] == NULL) {
            cursors[i] = need(calloc(1, sizeof(*cursors[i])));
            cursors[i]->id = ++last_cursor;
            snprintf(cursors[i]->ns, sizeof(cursors[i]->ns), "%s", ns);
            cursors[i]->docs = *docs;
            *docs = (struct store_docs){ 0 };
            return cursors[i];
        }
    }
    return NULL;
}

struct store_cursor *
store_cursor_find(int64_t id)
{
    for (size_t i = 0; i < CURSORS_MOST; i++) {
        if (cursors[i] != NULL && cursors[i]->id == id)
            return cursors[i];
    }
    return NULL;
}

void
store_cursor_free(struct store_cursor *cursor)
{
    for (size_t i = 0; i < CURSORS_MOST; i++) {
        if (cursors[i] == cursor)
            cursors[i] = NULL;
    }
    store_docs_free(&cursor->docs);
    free(cursor);
}
