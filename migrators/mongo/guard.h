/*
 * guard.h - guards by collection validators.
 */
#ifndef MONGO_GUARD_H
#define MONGO_GUARD_H

#include "mongo/store.h"

/**
 * guard_set(target, spec, err), guard_read(target, spec, out, err):
 * envl_migrator's.  There is no OBSERVE: a server that only warns writes the
 * whole document into its log.  MODERATE and STRICT are validators with that
 * level, which refuse with an error.
 */
enum envl_status guard_set(struct envl_target *target,
                           const struct envl_guard_spec *spec,
                           struct envl_error *err);
enum envl_status guard_read(struct envl_target *target,
                            const struct envl_guard_spec *spec,
                            struct envl_guard_info *out,
                            struct envl_error *err);

#endif /* MONGO_GUARD_H */
