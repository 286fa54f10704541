/*
 * update.h - what an update makes of a document.
 *
 * Replacement documents; $set $unset $inc $min $max $setOnInsert $currentDate
 * $push with dotted paths, numbers, `$`, `$[]` and `$[name]` with
 * arrayFilters; pipelines of $set, $addFields, $unset, $project and
 * $replaceWith.  What a real server refuses (`_id` changed, a path through a
 * scalar) is refused with its code.
 */
#ifndef PEER_UPDATE_H
#define PEER_UPDATE_H

#include "value.h"

struct update {
    const bson_value_t *u;       /* operators, a document or a pipeline */
    const bson_t *array_filters; /* an array, or NULL                   */
    const bson_t *query;         /* for `$`                             */
    bool inserting;              /* $setOnInsert applies                */
};

/**
 * update_apply(doc, update, out, trouble):
 * ${out} is initialised, and the new document on success.
 */
bool update_apply(const bson_t *doc, const struct update *update,
                  bson_t *out, struct trouble *trouble);

/**
 * update_set(doc, path, value, out):
 * Set (NULL: unset) one dotted path without array operators.
 */
bool update_set(const bson_t *doc, const char *path,
                const bson_value_t *value, bson_t *out,
                struct trouble *trouble);

#endif /* PEER_UPDATE_H */
