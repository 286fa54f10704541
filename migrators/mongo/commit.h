/*
 * commit.h - the checkpoint of a batch, behind its writes.
 *
 * There may be no transactions: every document was written when write_begin
 * returned.  The checkpoint says how far the range has come; if it is lost,
 * the batch is read again and found sealed.
 */
#ifndef MONGO_COMMIT_H
#define MONGO_COMMIT_H

#include "mongo/store.h"

/* envl_migrator.commit_begin, commit_end and rollback. */
enum envl_status commit_begin(struct envl_store *store,
                              const struct envl_commit *commit,
                              struct envl_error *err);
enum envl_status commit_end(struct envl_store *store, struct envl_error *err);
void commit_rollback(struct envl_store *store);

#endif /* MONGO_COMMIT_H */
