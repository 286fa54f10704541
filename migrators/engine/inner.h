/*
 * inner.h - values inside a value: the field's `select` (spec JOB-28).
 *
 * A column or member holds text that, decoded, is a JSON document with
 * secrets in it.  What `select` finds there are values as others are: each
 * has its state, its context and its envelope.  The envelopes take their
 * places in the document byte by byte, and the whole is encoded again as it
 * was written; the plugin sees one edit of one value.
 */
#ifndef ENGINE_INNER_H
#define ENGINE_INNER_H

#include "engine/codec.h"
#include "engine/transform_parts.h"

/* A value that holds others; it lies in the work's slab. */
struct inner {
    struct inner *next;
    const struct bound_field *field;
    enum envl_kind kind;         /* of the whole: TEXT or BYTES            */
    struct envl_bytes document;  /* decoded                                */
    struct codec_shape shapes[JOB_MAX_CODECS];
    uint32_t first, count;       /* its leaves among the works             */
    struct envl_cell put;        /* the whole, written again; ABSENT: none */
};

/**
 * inner_add(work, whole, row, leaf, err):
 * Add the leaves of ${whole}, leaf ${leaf} of row ${row} of the page, to the
 * work: itself, or what its field selects inside it.  A value that does not
 * decode to JSON, or not from its own bytes, is added as itself, and judged
 * bad_codec.  Fails with ENVL_E_NOMEM.
 */
enum envl_status inner_add(struct work *work, const struct leaf_work *whole,
                           uint32_t row, uint32_t leaf,
                           struct envl_error *err);

/**
 * inner_compose(work, err):
 * Write every value anew in which something was sealed.  Where that would be
 * longer than its place, what was sealed does not fit and has no `put` any
 * more.  Fails with ENVL_E_NOMEM, and with ENVL_E_INTERNAL if what was
 * written does not decode to what was meant.
 */
enum envl_status inner_compose(struct work *work, struct envl_error *err);

#endif /* ENGINE_INNER_H */
