/*
 * guard_rule.h - what a guard asks of a document, as an expression.
 *
 * It is one {$expr: ...} and no other operator: since MongoDB 5 the answer to
 * a refused write tells what a comparison, a $regex or a $jsonSchema looked
 * at, and of an $expr only that it was false.  spec: MIG-60, MIG-64
 */
#ifndef MONGO_GUARD_RULE_H
#define MONGO_GUARD_RULE_H

#include "mongo/store.h"

/**
 * guard_rule_append(target, spec, out):
 * Append the filter that holds for every document without plaintext at the
 * target's fields to ${out}: {$expr: ...}, or {$or: [{$nor: [where]}, ...]}
 * where the target has a condition.
 */
void guard_rule_append(const struct envl_target *target,
                       const struct envl_guard_spec *spec, bson_t *out);

#endif /* MONGO_GUARD_RULE_H */
