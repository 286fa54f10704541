/*
 * expr.h - aggregation expressions, as far as migrations need them.
 *
 * Field paths ("$a.b"), $$ROOT, $$CURRENT, $$NOW, $$REMOVE, $$this and other
 * variables, literal documents and arrays, and the operators of the table in
 * expr_ops.c.  Another operator is trouble 168 (InvalidPipelineOperator).
 */
#ifndef PEER_EXPR_H
#define PEER_EXPR_H

#include "value.h"

/* Variables in scope, innermost first. */
struct expr_scope {
    const bson_t *root;
    const char *name;          /* NULL in the outermost */
    const bson_value_t *value;
    const struct expr_scope *outer;
    struct trouble *trouble;
};

/**
 * expr_value(expr, scope, out):
 * Evaluate; ${out} is the caller's to destroy, of type EOD if missing.
 * False with the scope's trouble set if it cannot be done.
 */
bool expr_value(const bson_value_t *expr, const struct expr_scope *scope,
                bson_value_t *out);

/**
 * expr_true(expr, doc, trouble):
 * As {$expr: expr}.
 */
bool expr_true(const bson_value_t *expr, const bson_t *doc,
               struct trouble *trouble);

/**
 * expr_arg(list, index, scope, out):
 * Evaluate argument ${index} of an operator: an element of an array, or the
 * whole as argument 0.  A missing argument is EOD.
 */
bool expr_arg(const bson_value_t *list, unsigned index,
              const struct expr_scope *scope, bson_value_t *out);

#endif /* PEER_EXPR_H */
