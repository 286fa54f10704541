/*
 * store.h - collections in memory, their validators, and cursors.
 *
 * Whoever calls holds the one lock of the peer (peer.h).
 */
#ifndef PEER_STORE_H
#define PEER_STORE_H

#include "value.h"

struct store_collection {
    char ns[256];   /* "database.collection" */
    bson_t **docs;
    size_t count, cap;
    bson_t options; /* as listCollections gives them: validator, ... */
    bson_t indexes; /* an array of what createIndexes was given      */
};

/* A list of documents that is its owner's. */
struct store_docs {
    bson_t **docs;
    size_t count, cap;
};

struct store_cursor {
    int64_t id;
    char ns[256];
    struct store_docs docs;
    size_t at;
};

/**
 * store_find(ns, make):
 * The collection, or NULL; with ${make} it is made.
 */
struct store_collection *store_find(const char *ns, bool make);

/* Remove a collection; true if there was one. */
bool store_drop(const char *ns);
/* Remove everything, cursors too. */
void store_reset(void);
/* The i-th collection, NULL after the last. */
struct store_collection *store_nth(size_t i);

/**
 * store_insert(collection, doc, validate, trouble):
 * A copy of ${doc}, with an `_id` put first if it has none.  A second one of
 * its `_id` is trouble 11000, one that the validator refuses 121.
 */
bool store_insert(struct store_collection *collection, const bson_t *doc,
                  bool validate, struct trouble *trouble);

/**
 * store_replace(collection, i, doc, validate, trouble):
 * Document ${i} becomes ${doc}.
 */
bool store_replace(struct store_collection *collection, size_t i,
                   const bson_t *doc, bool validate, struct trouble *trouble);
void store_remove(struct store_collection *collection, size_t i);

/**
 * store_rejects_with(code):
 * The code of a write that a validator refuses: 121, or another make's.
 */
void store_rejects_with(int code);

/* Lists of documents; what is added is copied. */
void store_docs_add(struct store_docs *docs, const bson_t *doc);
void store_docs_free(struct store_docs *docs);
/* By a sort specification such as {_id: 1, a: -1}. */
void store_docs_sort(struct store_docs *docs, const bson_t *order);

/* A cursor takes ${docs} over. */
struct store_cursor *store_cursor_new(const char *ns, struct store_docs *docs);
struct store_cursor *store_cursor_find(int64_t id);
void store_cursor_free(struct store_cursor *cursor);

#endif /* PEER_STORE_H */
