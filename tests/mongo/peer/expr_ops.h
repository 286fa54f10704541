/*
 * expr_ops.h - the operators of aggregation expressions.
 */
#ifndef PEER_EXPR_OPS_H
#define PEER_EXPR_OPS_H

#include "expr.h"

/**
 * expr_ops_call(name, arg, scope, out):
 * Carry out one operator, ${name} with its '$'.
 */
bool expr_ops_call(const char *name, const bson_value_t *arg,
                   const struct expr_scope *scope, bson_value_t *out);

/**
 * expr_ops_limits(hashed_index_key, set_field):
 * Which of those that older servers lack there are.
 */
void expr_ops_limits(bool hashed_index_key, bool set_field);

#endif /* PEER_EXPR_OPS_H */
