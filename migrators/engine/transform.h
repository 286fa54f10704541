/*
 * transform.h - one page of rows: what is each value, and what becomes of it.
 *
 * The only code that sees both rows and the keyring.  One transform serves
 * one target in one thread; it reuses its memory from page to page, so that a
 * sweep of any length has a flat footprint, and wipes it.
 */
#ifndef ENGINE_TRANSFORM_H
#define ENGINE_TRANSFORM_H

#include "engine/census.h"
#include "engine/job.h"

enum transform_goal {
    TRANSFORM_SEAL,   /* plaintext is sealed; older keys are left            */
    TRANSFORM_ROTATE, /* and what is under another kid is sealed again, in
                         wrapped mode rewrapped; each is fully opened first */
    TRANSFORM_VERIFY, /* nothing is edited; every envelope is fully opened   */
    TRANSFORM_CENSUS  /* nothing is edited; commitments only                 */
};

struct transform_options {
    struct envl_keyring *ring;
    const struct job *job;
    uint32_t target;                     /* index in the job             */
    const struct envl_target_info *info; /* borrowed, as bound           */
    enum transform_goal goal;
    const char *kid;                     /* resolved: what seals; VERIFY and
                                            CENSUS also take NULL: no kid
                                            is current                   */
};

struct transform;

/* What was decided for one leaf.  A leaf of the page in which a field selects
   others (JOB-28) has a result for each of those. */
struct leaf_result {
    uint32_t row, leaf, field;
    const struct envl_leaf *at; /* the value itself, as long as the work  */
    enum row_state state;      /* as found                               */
    enum row_state after;      /* once its row is written; else = state  */
    const char *kid;           /* as found, in a sealed state, else "";
                                  lives as long as the transform         */
    enum job_action action;    /* SEAL: its edit is in the work          */
    uint8_t digest[32];        /* HMAC of the row's key and the value under
                                  a ring subkey, if it is quarantined    */
};

/*
 * Decisions for a page, in memory of the transform's; several may be alive at
 * a time (pipelining), each as long as its page.  Start from zero.
 */
struct page_work {
    struct envl_edit *edits;   /* in the page's order, for write_begin   */
    uint32_t edit_count;
    struct leaf_result *leaves; /* in the page's order                   */
    uint32_t leaf_count;
    uint64_t new_bytes;        /* of envelopes to be written             */
    void *impl;
};

/**
 * transform_new(options, out, err):
 * Prepare for one bound target; everything in ${options} is borrowed.  Fails
 * with ENVL_E_NOKEY, ENVL_E_POLICY (the key does not seal; the encoding does
 * not go into the column; the key's type gives no id and the job no context;
 * a source that cannot be null would have to be cleared), with a hint.
 */
enum envl_status transform_new(const struct transform_options *options,
                               struct transform **out,
                               struct envl_error *err);

/**
 * transform_page(transform, page, work, err):
 * Decide for every leaf of ${page} and seal what is to be sealed, in one
 * batch.  ${work} is filled; release it with page_work_free.  A value that
 * cannot be handled is a leaf_result, not a failure; fails only with what
 * concerns the whole: ENVL_E_NOKEY, ENVL_E_PROVIDER, ENVL_E_NOMEM,
 * ENVL_E_INTERNAL (what was just sealed does not open), and ENVL_E_PARTIAL
 * where the job says stop (JOB-42), the row and its state in the message.
 */
enum envl_status transform_page(struct transform *transform,
                                const struct envl_page *page,
                                struct page_work *work,
                                struct envl_error *err);

/**
 * page_work_settle(work, page, outcomes, census, err):
 * Count the leaves of rows that are settled (written, or not edited) into
 * ${census} by their state afterwards; rows CHANGED, GONE or BUSY are not
 * counted; the edited leaves of REFUSED ones count as too_large.  ${outcomes}
 * (one for each row of the page) NULL: all settled.
 */
enum envl_status page_work_settle(const struct page_work *work,
                                  const struct envl_page *page,
                                  const enum envl_outcome *outcomes,
                                  struct census *census,
                                  struct envl_error *err);

/**
 * transform_context(transform, row, leaf, text, err):
 * Append the context of a leaf as "name=value" lines, for plan and docs.
 * Fails with ENVL_E_USAGE where no valid context can be made.
 */
enum envl_status transform_context(struct transform *transform,
                                   const struct envl_row *row,
                                   const struct envl_leaf *leaf,
                                   struct envl_buf *text,
                                   struct envl_error *err);

/**
 * page_work_free(work):
 * Wipe, and give the memory back to its transform, which must still be there.
 * ${work} is zero afterwards.  A zero ${work} is ignored.
 */
void page_work_free(struct page_work *work);

/**
 * transform_free(transform):
 * Wipe and release, after all its works; NULL is ignored.
 */
void transform_free(struct transform *transform);

#endif /* ENGINE_TRANSFORM_H */
