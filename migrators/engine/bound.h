/*
 * bound.h - a target's fields as bound to a store: what does not change from
 * row to row, worked out once.
 */
#ifndef ENGINE_BOUND_H
#define ENGINE_BOUND_H

#include "common/json_path.h"
#include "engine/slab.h"
#include "engine/transform.h"

/* Values of one recipe are sealed in one batch. */
struct bound_recipe {
    enum envl_encoding encoding;
    int pad;
};

struct bound_field {
    const struct job_field *job;
    const struct envl_field_info *info;
    struct json_path *select; /* NULL, or what is selected inside (JOB-28) */
    enum envl_kind takes;   /* where the envelope goes: info's, or JSON  */
    uint64_t max_len;       /* of the envelope there: info's, or 0       */
    uint32_t recipe;        /* index into the recipes                    */
    uint32_t recipe_bytes;  /* of values of kind BYTES, mostly the same  */
    struct envl_bytes base; /* the default field, up to the column       */
    struct envl_bytes whole; /* all of it; ptr NULL: members have names  */
    bool own_field, own_id; /* `context` replaces them                   */
    size_t small_end; /* values up to 4096 bytes fit below this length   */
    size_t large_end; /* and longer ones below this                      */
};

struct bound {
    struct bound_field *fields;
    uint32_t count;
    struct bound_recipe *recipes;
    uint32_t recipe_count;
    struct slab slab;
};

/**
 * bound_init(bound, options, err):
 * Work out the fields of ${options}'s target into a zero ${bound}.  Fails as
 * transform_new does.
 */
enum envl_status bound_init(struct bound *bound,
                            const struct transform_options *options,
                            struct envl_error *err);

/**
 * bound_fits(field, len):
 * True if the envelope of a value of ${len} bytes fits where it goes.
 */
bool bound_fits(const struct bound_field *field, size_t len);

/**
 * bound_put_kind(takes, encoding):
 * What kind of cell carries an envelope of ${encoding} to a place that takes
 * ${takes}; ABSENT if it cannot (spec JOB-22).
 */
enum envl_kind bound_put_kind(enum envl_kind takes,
                              enum envl_encoding encoding);

/**
 * bound_free(bound):
 * Release; it is zero afterwards.
 */
void bound_free(struct bound *bound);

#endif /* ENGINE_BOUND_H */
