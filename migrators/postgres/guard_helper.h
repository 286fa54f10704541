/*
 * guard_helper.h - functions in the server that the conditions of a guard
 * call, where SQL needs a query of its own to judge.
 *
 * They run with the rights of whoever writes, and look names up in
 * pg_catalog alone.  spec: MIG-65
 */
#ifndef POSTGRES_GUARD_HELPER_H
#define POSTGRES_GUARD_HELPER_H

#include "postgres/store.h"

/**
 * guard_helper_finder(target, id, index, empty_ok):
 * The statement that makes envelope.${id}_${index}(now, before): whether the
 * jsonb document ${now} holds plaintext, at the places of the field ${index},
 * that ${before} (NULL: there was none) does not hold.  The caller frees it;
 * NULL if memory is short.
 */
char *guard_helper_finder(const struct envl_target *target, const char *id,
                          uint32_t index, bool empty_ok);

/**
 * guard_helper_where(target, id):
 * The statement that makes envelope.${id}_where(...): whether the job's
 * condition, which there is, holds for a row.  As above.
 */
char *guard_helper_where(const struct envl_target *target, const char *id);

/**
 * guard_helper_put_where(target, id, row, sql):
 * Append its call for the row behind ${row}: "NEW.", "OLD." or nothing.
 */
void guard_helper_put_where(const struct envl_target *target, const char *id,
                            const char *row, struct sql *sql);

#endif /* POSTGRES_GUARD_HELPER_H */
