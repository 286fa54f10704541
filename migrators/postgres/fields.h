/*
 * fields.h - the fields of a target: how each is read and written.
 */
#ifndef POSTGRES_FIELDS_H
#define POSTGRES_FIELDS_H

#include "postgres/store.h"

/**
 * fields_bind(target, err):
 * Fill in target->fields, extras, cells and field_infos from the job.  Fails
 * with ENVL_E_NOTFOUND (no such column), ENVL_E_USAGE (a type that cannot
 * hold it), ENVL_E_POLICY (a json document as a parameter would be logged).
 */
enum envl_status fields_bind(struct envl_target *target,
                             struct envl_error *err);

/**
 * fields_free(target):
 * Release what fields_bind made.
 */
void fields_free(struct envl_target *target);

/**
 * fields_document(target, field):
 * The first field whose column's document serves ${field} too (of mode
 * FIELD_SPLICE); itself if there is none before it.
 */
uint32_t fields_document(const struct envl_target *target, uint32_t field);

/**
 * fields_member_sql(field, conn, base, count, into):
 * SQL of the value behind the first ${count} names of the field's path in the
 * jsonb value ${base}; with ${into} (may be NULL) in place of the path's last
 * name.  The caller frees it; NULL if memory is short.
 */
char *fields_member_sql(const struct pg_field *field, PGconn *conn,
                        const char *base, uint32_t count, const char *into);

#endif /* POSTGRES_FIELDS_H */
