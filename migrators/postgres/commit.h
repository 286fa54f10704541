/*
 * commit.h - the transaction around writes, and the record that ends it.
 */
#ifndef POSTGRES_COMMIT_H
#define POSTGRES_COMMIT_H

#include "postgres/store.h"

/* envl_migrator.commit_begin, commit_end and rollback. */
enum envl_status commit_begin(struct envl_store *store,
                              const struct envl_commit *commit,
                              struct envl_error *err);
enum envl_status commit_end(struct envl_store *store, struct envl_error *err);
void commit_rollback(struct envl_store *store);

/**
 * commit_open(store, form, op):
 * Add the beginning of a transaction to ${op}, unless one is open, with the
 * planner set for rows that are found by ${form}.  Return how many
 * statements that are.
 */
uint32_t commit_open(struct envl_store *store, enum row_form form,
                     struct pipe_op *op);

/**
 * commit_cancel(store):
 * Roll back and wait for it; what is under way beside it is collected.
 */
void commit_cancel(struct envl_store *store);

#endif /* POSTGRES_COMMIT_H */
