/*
 * filter.h - "this place still holds what was read", as a server checks it.
 *
 * Three forms, from the most exact to what every server understands:
 *
 *   hashed     {$expr: {$eq: [{$toHashedIndexKey: PLACE}, hash]}} and the
 *              type: no value stands in the filter, where it could be logged
 *   expression {$expr: {$eq: [PLACE, {$literal: value}]}} and the type: a
 *              place in an array is that element and no other
 *   plain      {place: {$eq: value, $type: t, $not: {$type: "array"}}}: for
 *              places outside arrays only, because "a.0" in a query also
 *              means any element of a that has a member "0"
 */
#ifndef MONGO_FILTER_H
#define MONGO_FILTER_H

#include <stdbool.h>

#include "mongo/store.h"

enum filter_form {
    FILTER_HASHED,
    FILTER_EXPRESSION,
    FILTER_PLAIN,
    FILTER_NONE /* this server cannot compare this place by itself */
};

/**
 * filter_form(server, path, cell):
 * How to compare ${cell} at the concrete ${path}, all of whose names can be
 * named by a dotted path.
 */
enum filter_form filter_form(const struct server *server,
                             const struct envl_path *path,
                             const struct envl_cell *cell);

/**
 * filter_plain(path, cell, arena, q):
 * Append the plain form to the filter ${q}.
 */
bool filter_plain(const struct envl_path *path, const struct envl_cell *cell,
                  struct arena *arena, bson_t *q);

/* The operands of one $and, being filled. */
struct filter_list {
    bson_t bson;
    uint32_t count;
};

/**
 * filter_expression(path, cell, hashed, arena, list):
 * Append the conditions of one of the other forms to ${list}.
 */
bool filter_expression(const struct envl_path *path,
                       const struct envl_cell *cell, bool hashed,
                       struct arena *arena, struct filter_list *list);

#endif /* MONGO_FILTER_H */
