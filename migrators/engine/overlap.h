/*
 * overlap.h - may two fields of a job touch the same place? (spec JOB-25)
 */
#ifndef ENGINE_OVERLAP_H
#define ENGINE_OVERLAP_H

#include "engine/session.h"

/**
 * overlap_check(session, err):
 * Compare all fields of all bound targets, two targets of one table too, by
 * where they read and where they write, as the store spells it.  Fails with
 * ENVL_E_USAGE, naming both.
 */
enum envl_status overlap_check(const struct session *session,
                               struct envl_error *err);

/**
 * overlap_paths(a, b):
 * True if some place matched by ${a} is, or lies inside or around, one that
 * ${b} matches.
 */
bool overlap_paths(const struct envl_path *a, const struct envl_path *b);

#endif /* ENGINE_OVERLAP_H */
