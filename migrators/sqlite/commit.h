/*
 * commit.h - a batch and its checkpoint in one transaction, and its end.
 */
#ifndef SQLITE_COMMIT_H
#define SQLITE_COMMIT_H

#include "sqlite/store.h"

/**
 * commit_begin, commit_end, commit_rollback:
 * struct envl_migrator's.
 */
enum envl_status commit_begin(struct envl_store *store,
                              const struct envl_commit *commit,
                              struct envl_error *err);
enum envl_status commit_end(struct envl_store *store, struct envl_error *err);
void commit_rollback(struct envl_store *store);

#endif /* SQLITE_COMMIT_H */
