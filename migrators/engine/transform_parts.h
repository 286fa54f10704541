/*
 * transform_parts.h - what the files of the transform share: judge.c looks at
 * a value, lot.c seals, page_work.c holds the memory, transform.c leads.
 */
#ifndef ENGINE_TRANSFORM_PARTS_H
#define ENGINE_TRANSFORM_PARTS_H

#include "common/arena.h"
#include "common/json_path.h"
#include "crypto/hmac512.h"
#include "engine/bound.h"
#include "engine/leaf_context.h"
#include "engine/transform.h"

/* One of the two places of a leaf. */
enum leaf_at { LEAF_SOURCE, LEAF_SIBLING };

/* What is known of an envelope that stands at a place. */
struct leaf_envelope {
    struct envl_bytes bytes;  /* in a form that the library takes */
    const char *kid;
    enum envl_mode mode;
    enum envl_encoding encoding;
    bool opened;              /* fully, in its context      */
    enum envl_type type;      /* what it then was           */
    struct envl_bytes plain;  /* in the work's opened arena */
};

/* A leaf while its page is worked on. */
struct leaf_work {
    const struct envl_row *row;
    const struct envl_leaf *leaf;
    const struct bound_field *field;
    struct row_facts facts;
    struct envl_context context;
    bool ready;               /* the source can be sealed as it is: has  */
    struct envl_bytes value;  /*   what is sealed, decoded               */
    enum envl_type type;      /*   and as what                           */
    struct leaf_envelope at[2];
    struct envl_bytes sealed; /* its new envelope, and as what it is      */
    struct envl_cell put;     /*   written; ABSENT: no edit               */
    struct inner *inner;      /* NULL, or the value it is selected in     */
    const struct json_site *site; /* where it stands in there             */
    bool disguised;           /* an envelope, once decoded                */
};

/* Which leaf of a page. */
struct leaf_at_page {
    uint32_t row, leaf;
};

/* An envelope that is to be opened fully. */
struct open_ref {
    uint32_t leaf; /* index into the works */
    enum leaf_at at;
};

/* Values that are sealed in one call. */
struct lot {
    struct envl_item *items;
    uint32_t *leaves; /* one an item: index into the works */
    size_t count, cap;
    struct envl_buf out; /* their envelopes */
};

/* What page_work.impl is; all memory is kept from page to page. */
struct work {
    struct work *next; /* in the transform's list of spare ones */
    struct transform *transform;
    struct slab slab;  /* contexts and decoded values */
    struct arena arena; /* places in decoded documents */
    struct inner *inners;
    struct leaf_work *works;
    struct leaf_result *results;
    struct envl_edit *edits;
    size_t work_cap, result_cap, edit_cap;
    uint32_t work_count;
    struct open_ref *opens; /* one an item of opening */
    size_t open_cap;
    struct lot opening;     /* its `leaves` are unused; `out` holds plaintext */
    struct lot *lots;       /* two a recipe: what was plain, what is rotated */
    struct lot proof;       /* what was just sealed, to be opened            */
    struct lot rewrapped;   /* only `leaves` and `out` are used              */
    size_t *rewrapped_ends; /* one a leaf of it                              */
    size_t rewrapped_cap;
};

/* Kids that leaves name: those of the ring, and of those that rows made up
   as many as there is room for below this. */
#define TRANSFORM_MAX_KIDS 256u

struct transform {
    struct transform_options options;
    struct bound bound;
    struct envl_open_options open;
    char kid[ENVL_KID_MAX + 1]; /* "": none is current */
    bool wrapped;               /* the mode that it seals in */
    struct envl_secret *digest; /* a struct hmac512_key */
    struct slab kids;
    const char **kid_list;
    size_t kid_count, kid_cap, kid_last;
    struct envl_buf spare;
    struct work *spares;
    uint64_t pages, sealed;
};

/**
 * transform_kid(transform, kid, out, err):
 * Store a lasting copy of ${kid} in ${out}, or "" where too many were met that
 * are not in the ring.  Fails with ENVL_E_NOMEM.
 */
enum envl_status transform_kid(struct transform *transform, const char *kid,
                               const char **out, struct envl_error *err);

/**
 * judge_look(work, index, err):
 * Gather the facts of one leaf; what must be opened to know them is added to
 * the work's opening.  Fails with what concerns the whole.
 */
enum envl_status judge_look(struct work *work, uint32_t index,
                            struct envl_error *err);

/**
 * judge_open(work, err):
 * Open what was asked for, in one batch, and complete the facts.
 */
enum envl_status judge_open(struct work *work, struct envl_error *err);

/**
 * lot_add(lot, item, leaf, err):
 * Add an item for leaf ${leaf}.  Fails with ENVL_E_NOMEM.
 */
enum envl_status lot_add(struct lot *lot, const struct envl_item *item,
                         uint32_t leaf, struct envl_error *err);

/**
 * lot_seal(work, err):
 * Seal all lots and prove the envelopes; each leaf then has its ${put}, or
 * facts that say why not.  Fails with what concerns the whole.
 */
enum envl_status lot_seal(struct work *work, struct envl_error *err);

/**
 * lot_clear(lot), lot_free(lot):
 * Wipe and keep, or release, its memory.
 */
void lot_clear(struct lot *lot);
void lot_free(struct lot *lot);

/**
 * page_work_take(transform, leaves, out, err):
 * A work with room for ${leaves} leaves, from the spare ones or new.
 */
enum envl_status page_work_take(struct transform *transform, uint32_t leaves,
                                struct work **out, struct envl_error *err);

/**
 * page_work_add(work, like, at, err):
 * Add a leaf with the row, leaf, field, inner, site and disguise of ${like}.
 * Moves the works.  Fails with ENVL_E_NOMEM.
 */
enum envl_status page_work_add(struct work *work,
                               const struct leaf_work *like,
                               struct leaf_at_page at,
                               struct envl_error *err);

/**
 * page_work_give(work):
 * Wipe and give back to its transform; NULL is ignored.
 */
void page_work_give(struct work *work);

/**
 * page_work_release(transform):
 * Free the spare ones.
 */
void page_work_release(struct transform *transform);

/**
 * page_work_grow(items, cap, need, size, err):
 * Make room for ${need} items of ${size} bytes at *${items}.  Returns the
 * array, or NULL with ENVL_E_NOMEM and the old one still there.
 */
void *page_work_grow(void *items, size_t *cap, size_t need, size_t size,
                     struct envl_error *err);

#endif /* ENGINE_TRANSFORM_PARTS_H */
