/*
 * rescue.h - when a batch does not go through as a whole.
 */
#ifndef POSTGRES_RESCUE_H
#define POSTGRES_RESCUE_H

#include "postgres/write.h"

/* In front of a write that is not the first of its transaction. */
#define RESCUE_SAVEPOINT "SAVEPOINT envl_write"

/**
 * rescue_rows(writing, outcomes, err):
 * After the server refused a row of the batch: write it again in halves
 * inside savepoints, down to the rows that are refused, which get
 * ENVL_REFUSED; all others are written.  Fails as write_end does.
 */
enum envl_status rescue_rows(struct writing *writing,
                             enum envl_outcome *outcomes,
                             struct envl_error *err);

/**
 * rescue_find_busy(writing, outcomes, err):
 * After a write that leaves locked rows out: of the rows that were not
 * written, those that still are as they were read get ENVL_BUSY.
 */
enum envl_status rescue_find_busy(struct writing *writing,
                                  enum envl_outcome *outcomes,
                                  struct envl_error *err);

#endif /* POSTGRES_RESCUE_H */
