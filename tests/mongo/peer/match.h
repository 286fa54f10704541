/*
 * match.h - does a document satisfy a filter, as a MongoDB server decides it.
 *
 * Known: implicit equality (a regular expression too), $eq $ne $gt $gte $lt
 * $lte $in $nin $exists $type $regex $not $size $all $elemMatch $mod, $and $or
 * $nor $expr $comment $alwaysTrue $alwaysFalse.  Comparisons are bracketed by
 * type, and go into arrays, as the server's do.  Another operator is trouble
 * 2 (BadValue), not a wrong answer.
 */
#ifndef PEER_MATCH_H
#define PEER_MATCH_H

#include "value.h"

/**
 * match_doc(doc, filter, trouble):
 * False with trouble set if the filter cannot be understood.
 */
bool match_doc(const bson_t *doc, const bson_t *filter,
               struct trouble *trouble);

/**
 * match_element(value, filter, name, trouble):
 * One array element against an array filter of ${name} ("x.a": ... or
 * "x": ...), as in `$[x]`.
 */
bool match_element(const bson_value_t *value, const bson_t *filter,
                   const char *name, struct trouble *trouble);

/* Called for each value at a path, NULL where a document lacks it; true
   ends the walk. */
typedef bool match_fn(void *cookie, const bson_value_t *value);

/**
 * match_walk(doc, path, each, cookie):
 * Every value at a dotted path, into arrays by number and by element.
 * Returns true if ${each} did.
 */
bool match_walk(const bson_t *doc, const char *path, match_fn *each,
                void *cookie);

#endif /* PEER_MATCH_H */
