/*
 * grants.h - the rights that a sweep of a target needs.
 */
#ifndef POSTGRES_GRANTS_H
#define POSTGRES_GRANTS_H

#include "postgres/store.h"

/**
 * grants_put(target, role, append, cookie, err):
 * Append the GRANTs for ${target} to the quoted ${role}.
 */
enum envl_status grants_put(const struct envl_target *target,
                            const char *role,
                            void (*append)(void *cookie, const char *text),
                            void *cookie, struct envl_error *err);

/**
 * grants_note(target, err):
 * Note each of them that is missing.
 */
enum envl_status grants_note(const struct envl_target *target,
                             struct envl_error *err);

/**
 * grants_is_written(target, column):
 * Whether a sweep writes ${column}.
 */
bool grants_is_written(const struct envl_target *target,
                       const struct pg_column *column);

#endif /* POSTGRES_GRANTS_H */
