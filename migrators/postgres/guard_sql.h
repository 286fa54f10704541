/*
 * guard_sql.h - the SQL of a guard: what counts as plaintext in a row.
 *
 * The conditions stand in the WHEN of triggers and in a CHECK, so that their
 * names are resolved when they are made and never again, whatever the
 * search_path of a writer is, and a write that brings no plaintext calls no
 * function.  Only wildcards and the job's condition need functions of their
 * own, which fix their search_path.  spec: MIG-60, MIG-65
 */
#ifndef POSTGRES_GUARD_SQL_H
#define POSTGRES_GUARD_SQL_H

#include "postgres/store.h"

#define GUARD_SQL_ID_SIZE 32u

struct guard_sql {
    char id[GUARD_SQL_ID_SIZE]; /* of job and table: "guard_<16 hex digits>" */
    const char *job;  /* of the spec, borrowed                               */
    char digest[17];  /* of all the text below: what was set is this or not  */
    char *on_insert;  /* condition over NEW                                  */
    char *on_update;  /* condition over NEW and OLD                          */
    char *of_row;     /* condition over the row's columns by their names     */
    char *places;     /* for people: "ssh_private_key_enc, meta.request"     */
    char **helpers;   /* statements that make the functions, in order        */
    uint32_t helper_count;
    uint32_t covered; /* fields that the conditions look at                  */
};

/**
 * guard_sql_make(target, spec, out, err):
 * Fill in the zeroed ${out} for the fields that the server can judge.  Free
 * it with guard_sql_free, also after a failure.  Fails with ENVL_E_NOMEM.
 */
enum envl_status guard_sql_make(const struct envl_target *target,
                                const struct envl_guard_spec *spec,
                                struct guard_sql *out,
                                struct envl_error *err);
void guard_sql_free(struct guard_sql *guard);

/**
 * guard_sql_gap(field):
 * Why the server cannot judge ${field}, or NULL if it can.
 */
const char *guard_sql_gap(const struct pg_field *field);

/**
 * guard_sql_field_name(field, sql):
 * Append the field as people read it: "settings.hooks[*].secret".
 */
void guard_sql_field_name(const struct pg_field *field, struct sql *sql);

#endif /* POSTGRES_GUARD_SQL_H */
