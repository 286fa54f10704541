/*
 * guard.h - plaintext that is written again is counted or refused
 * (spec MIG-60 to MIG-70).
 *
 * A trigger before INSERT and one before UPDATE, whose WHEN judges and whose
 * function counts in a sequence and, from MODERATE on, refuses; from STRICT
 * on a CHECK behind them, which the triggers keep from ever showing a row.
 */
#ifndef POSTGRES_GUARD_H
#define POSTGRES_GUARD_H

#include "postgres/store.h"

/* envl_migrator.guard_set and guard_read. */
enum envl_status guard_set(struct envl_target *target,
                           const struct envl_guard_spec *spec,
                           struct envl_error *err);
enum envl_status guard_read(struct envl_target *target,
                            const struct envl_guard_spec *spec,
                            struct envl_guard_info *out,
                            struct envl_error *err);

/**
 * guard_read_release(target):
 * Release what guard_read gave.
 */
void guard_read_release(struct envl_target *target);

/**
 * guard_read_ddl(target, append, cookie, err):
 * Append what guard_set on ${target} needs, as comments.  spec: MIG-70
 */
enum envl_status guard_read_ddl(const struct envl_target *target,
                                void (*append)(void *cookie,
                                               const char *text),
                                void *cookie, struct envl_error *err);

#endif /* POSTGRES_GUARD_H */
