/*
 * bounds.h - "the documents behind this _id and before that one", so that no
 * type of _id is skipped.
 *
 * Where the server has min, max and hint, these are bounds of the _id index,
 * and the index knows one order over all types.  Elsewhere the condition is
 * spelled out: what is larger inside the class of the last key, and every
 * document whose _id is of a later class.
 */
#ifndef MONGO_BOUNDS_H
#define MONGO_BOUNDS_H

#include "mongo/store.h"

/* Both may be empty; ${until} itself is not within the bounds. */
struct bounds {
    struct envl_bytes after;
    struct envl_bytes until;
};

/**
 * bounds_append(target, bounds, find, err):
 * Append filter, sort, and where they are used min, max and hint to the find
 * command ${find}.  With min and max the document at ${after} itself comes
 * first.  Fails with ENVL_E_USAGE for a key that is none.
 */
enum envl_status bounds_append(const struct envl_target *target,
                               const struct bounds *bounds, bson_t *find,
                               struct envl_error *err);

/**
 * bounds_keys(target, keys, count, find, err):
 * Append the filter for exactly the documents of these ${keys}.
 */
enum envl_status bounds_keys(const struct envl_target *target,
                             const struct envl_bytes *keys, uint32_t count,
                             bson_t *find, struct envl_error *err);

#endif /* MONGO_BOUNDS_H */
