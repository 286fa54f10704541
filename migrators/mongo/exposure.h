/*
 * exposure.h - would a value in a filter reach the server's log?
 */
#ifndef MONGO_EXPOSURE_H
#define MONGO_EXPOSURE_H

#include "mongo/store.h"

/**
 * exposure_check(target, err):
 * The compare-and-swap has the old value in its filter.  Find out once a
 * store whether the profiler or the log of slow operations would keep it, and
 * refuse (ENVL_E_POLICY) unless values can be compared by their hash, or the
 * job allows it (spec: JOB-9).  What the server does not tell is noted.
 */
enum envl_status exposure_check(struct envl_target *target,
                                struct envl_error *err);

/**
 * exposure_matters(store):
 * Whether a filter must not hold a value now.
 */
bool exposure_matters(const struct envl_store *store);

#endif /* MONGO_EXPOSURE_H */
