/*
 * guard.h - plaintext that is written again is counted or refused
 * (spec MIG-60 to MIG-70), by two triggers and a counter.
 */
#ifndef SQLITE_GUARD_H
#define SQLITE_GUARD_H

#include "sqlite/target.h"

/* struct envl_migrator's guard_set and guard_read. */
enum envl_status guard_set(struct envl_target *target,
                           const struct envl_guard_spec *spec,
                           struct envl_error *err);
enum envl_status guard_read(struct envl_target *target,
                            const struct envl_guard_spec *spec,
                            struct envl_guard_info *out,
                            struct envl_error *err);

#endif /* SQLITE_GUARD_H */
