/*
 * guard_sql.h - the SQL of a guard: its triggers, and what counts as
 * plaintext in a row (spec MIG-60).
 */
#ifndef SQLITE_GUARD_SQL_H
#define SQLITE_GUARD_SQL_H

#include "sqlite/target.h"

#define GUARD_SQL_PREFIX "envelope_guard_"

struct guard_sql {
    char id[17];      /* of job and table; triggers are PREFIX id _i and _u */
    char *trigger[2]; /* CREATE TRIGGER, for INSERT and for UPDATE          */
    char *left;       /* SELECT: how many rows hold plaintext, 1000 at most */
};

/**
 * guard_sql_make(target, spec, out, err):
 * Fill in the zeroed ${out} for spec->stage (OFF: as for OBSERVE); free it
 * with guard_sql_free in any case.  Fails with ENVL_E_NOMEM.
 */
enum envl_status guard_sql_make(struct envl_target *target,
                                const struct envl_guard_spec *spec,
                                struct guard_sql *out,
                                struct envl_error *err);
void guard_sql_free(struct guard_sql *guard);

#endif /* SQLITE_GUARD_SQL_H */
