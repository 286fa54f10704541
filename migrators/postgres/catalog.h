/*
 * catalog.h - what the server's catalogs say of a table.
 */
#ifndef POSTGRES_CATALOG_H
#define POSTGRES_CATALOG_H

#include "postgres/store.h"

/**
 * catalog_load(target, err):
 * Find target->spec->table (parsed as SQL identifiers; without a schema by
 * search_path) and fill in names, kind, estimates and columns.  Fails with
 * ENVL_E_NOTFOUND, ENVL_E_USAGE (a kind of relation that cannot be swept),
 * ENVL_E_DATABASE.  catalog_free releases what it made, also after a
 * failure.
 */
enum envl_status catalog_load(struct envl_target *target,
                              struct envl_error *err);
void catalog_free(struct envl_target *target);

/**
 * catalog_column(target, name):
 * The column that is spelled exactly so, or NULL.
 */
struct pg_column *catalog_column(struct envl_target *target, const char *name);

/**
 * catalog_key(target, err):
 * Fill in target->keys from the job or the primary key, in the order of the
 * unique index that serves them.  Fails with ENVL_E_NOTFOUND (no such
 * column) and ENVL_E_USAGE (not unique, can be null, of a type that makes no
 * key).
 */
enum envl_status catalog_key(struct envl_target *target,
                             struct envl_error *err);

/**
 * catalog_can_read(target, column, can, err):
 * Whether the role may read ${column}, a system column such as "ctid" too.
 */
enum envl_status catalog_can_read(struct envl_target *target,
                                  const char *column, bool *can,
                                  struct envl_error *err);

#endif /* POSTGRES_CATALOG_H */
