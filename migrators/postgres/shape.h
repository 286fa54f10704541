/*
 * shape.h - what is done to a row, apart from its values, and its UPDATE.
 *
 * Rows with the same shape share one statement, so that statements are few
 * and prepared.  A document is never parsed and printed again here: members
 * of jsonb are set one inside the other (I4).
 */
#ifndef POSTGRES_SHAPE_H
#define POSTGRES_SHAPE_H

#include "postgres/store.h"

/* One edit of a row, or all edits of one spliced document. */
struct slot {
    uint32_t field; /* of a spliced document: the first that has it        */
    uint32_t flags; /* ENVL_EDIT_*; of a spliced document 0                */
    uint32_t kind;  /* enum envl_kind of what is put; ABSENT: only removed */
};

struct shape {
    struct slot *slots;
    uint32_t count;
};

/* Parameters of the statement: version or digest, ordinals, keys, slots. */
#define SHAPE_TID     1u /* tid[]; with ROW_VALUE the salt             */
#define SHAPE_XMIN    2u /* xid[]; with ROW_VALUE the digests, bytea[] */
#define SHAPE_ORDINAL 3u /* int4[], given back for each row written    */
#define SHAPE_KEYS    4u

/* The arrays of one slot, in the order of their parameters. */
struct slot_arrays {
    bool value;  /* what is put                        */
    bool source; /* the path of the value, as text     */
    bool into;   /* the path of its sibling, as text   */
    Oid type;    /* of the value's elements            */
};

/**
 * shape_arrays(target, slot):
 * Which arrays the statement takes for ${slot}.
 */
struct slot_arrays shape_arrays(const struct envl_target *target,
                                const struct slot *slot);

/**
 * shape_update(target, shape, form, locking):
 * The UPDATE of rows of ${shape}, to be freed; NULL if memory is short.  It
 * returns the ordinal of each row written, inverted (~n) if what the row
 * holds afterwards is not what was sent.  ${locking}: rows are locked first,
 * in their order, and those that others have locked are left out.
 */
char *shape_update(const struct envl_target *target, const struct shape *shape,
                   enum row_form form, bool locking);

/**
 * shape_probe(target, form):
 * A SELECT of the ordinals of rows that still match, of the parameters up
 * to the keys.
 */
char *shape_probe(const struct envl_target *target, enum row_form form);

#endif /* POSTGRES_SHAPE_H */
