/*
 * leaf_context.h - the context of one value: its place, its row, and what the
 * job adds (spec JOB-30 to JOB-38).
 */
#ifndef ENGINE_LEAF_CONTEXT_H
#define ENGINE_LEAF_CONTEXT_H

#include "engine/bound.h"

/* One value and the row it is in. */
struct leaf_site {
    const struct bound_field *field;
    const struct envl_row *row;
    const struct envl_leaf *leaf;
};

/**
 * leaf_context_build(site, slab, spare, out, err):
 * Put the context together in ${slab}; ${spare} is cleared after use.  Where
 * no valid one can be made, ${out} has count SIZE_MAX and no pairs.  Fails
 * with ENVL_E_NOMEM only.
 */
enum envl_status leaf_context_build(const struct leaf_site *site,
                                    struct slab *slab, struct envl_buf *spare,
                                    struct envl_context *out,
                                    struct envl_error *err);

/**
 * leaf_context_ok(context):
 * False for the one that says that none can be made.
 */
bool leaf_context_ok(const struct envl_context *context);

#endif /* ENGINE_LEAF_CONTEXT_H */
