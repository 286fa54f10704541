/*
 * survey.h - what the rows of a target are like, before it is swept.
 */
#ifndef SQLITE_SURVEY_H
#define SQLITE_SURVEY_H

#include "sqlite/target.h"

/**
 * survey_check(target, err):
 * Compile what reads the target, so that a wrong `where` or an unknown
 * collation is found at once; see that no row is without a key, and note keys
 * of several types.
 */
enum envl_status survey_check(struct envl_target *target,
                              struct envl_error *err);

/**
 * survey_keys(target, err):
 * ENVL_E_POLICY if a row has NULL in its key: it could not be reached.
 */
enum envl_status survey_keys(struct envl_target *target,
                             struct envl_error *err);

/**
 * survey_estimate(target, rows, err):
 * About how many rows there are: counted, if that is quick.
 */
enum envl_status survey_estimate(struct envl_target *target, uint64_t *rows,
                                 struct envl_error *err);

#endif /* SQLITE_SURVEY_H */
