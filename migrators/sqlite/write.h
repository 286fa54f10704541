/*
 * write.h - edits of a page by compare-and-swap.
 */
#ifndef SQLITE_WRITE_H
#define SQLITE_WRITE_H

#include "sqlite/target.h"

/**
 * write_begin, write_end:
 * struct envl_migrator's.  The work is done in write_begin, in a transaction
 * that holds the write lock from its first statement on.
 */
enum envl_status write_begin(struct envl_target *target,
                             const struct envl_page *page,
                             const struct envl_edit *edits, uint32_t count,
                             struct envl_error *err);
enum envl_status write_end(struct envl_target *target,
                           enum envl_outcome *outcomes,
                           struct envl_error *err);

#endif /* SQLITE_WRITE_H */
