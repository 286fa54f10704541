/*
 * range.h - write many rows that lie together with one statement.
 *
 * An UPDATE of a range asks two functions of ours, row by row: is this row in
 * the batch and exactly as it was read (type and bytes), and what does it get?
 * One pass over the table, and the comparison is made in the same statement
 * that writes: a compare-and-swap without a look-up for each row.
 */
#ifndef SQLITE_RANGE_H
#define SQLITE_RANGE_H

#include "sqlite/target.h"

/**
 * range_register(store, err):
 * Make the functions known to the connection, for direct use only.
 */
enum envl_status range_register(struct envl_store *store,
                                struct envl_error *err);

/**
 * range_fits(target, entries, count, contiguous):
 * Are ${entries} (sorted here) worth a pass over the range they span?
 */
bool range_fits(const struct envl_target *target, struct entry **entries,
                uint32_t count, bool contiguous);

/**
 * range_write(target, entries, count, err):
 * Write ${entries}, sorted by range_fits and all of one set and one compare,
 * and store their outcomes.  Fails with ENVL_E_POLICY if a constraint refused
 * a row: the transaction must be rolled back, and each row written by itself.
 */
enum envl_status range_write(struct envl_target *target,
                             struct entry **entries, uint32_t count,
                             struct envl_error *err);

#endif /* SQLITE_RANGE_H */
