/*
 * write.h - edits by compare-and-swap.
 */
#ifndef POSTGRES_WRITE_H
#define POSTGRES_WRITE_H

#include "postgres/batch.h"
#include "postgres/store.h"

/* A write from its beginning to its end; kept for the next one. */
struct writing {
    struct envl_target *target;
    struct batch batch;
    struct pipe_op *op;
    uint32_t first_result; /* of ${op}: the first UPDATE's                */
    bool locking;          /* rows are locked first, busy ones left out   */
    bool nested;           /* the transaction held a write before this    */
    bool cancelled;        /* it was rolled back with a commit that failed */
};

/* envl_migrator.write_begin and write_end. */
enum envl_status write_begin(struct envl_target *target,
                             const struct envl_page *page,
                             const struct envl_edit *edits, uint32_t count,
                             struct envl_error *err);
enum envl_status write_end(struct envl_target *target,
                           enum envl_outcome *outcomes,
                           struct envl_error *err);

/**
 * write_take(writing, op, first, outcomes, err):
 * Store ENVL_WRITTEN for each row that the UPDATEs of ${op}, from result
 * ${first} on, say they have written.  Fails with ENVL_E_DATABASE if a row
 * holds something else than was sent (MIG-34).
 */
enum envl_status write_take(const struct writing *writing,
                            const struct pipe_op *op, uint32_t first,
                            enum envl_outcome *outcomes,
                            struct envl_error *err);

/**
 * write_void(store):
 * The transaction of the write under way was rolled back: its end says so.
 */
void write_void(struct envl_store *store);

/**
 * write_abandon(store), write_free(store):
 * Give up the write that is under way, if there is one; or release also what
 * is kept between writes.
 */
void write_abandon(struct envl_store *store);
void write_free(struct envl_store *store);

#endif /* POSTGRES_WRITE_H */
