/*
 * statement.h - the SQL of a bound target, prepared once.
 */
#ifndef SQLITE_STATEMENT_H
#define SQLITE_STATEMENT_H

#include "sqlite/target.h"

/**
 * statement_page(target, after, until, out, err):
 * SELECT keys, [rowid,] slots, extras of the rows between two bounds, in
 * order.  Parameters: those of the lower bound, of the upper bound, LIMIT.
 */
enum envl_status statement_page(struct envl_target *target, bool after,
                                bool until, sqlite3_stmt **out,
                                struct envl_error *err);

/**
 * statement_search(target, kid, out, err):
 * Rows in which some field may hold something that is not an envelope (under
 * ${kid}; "": under any), in any order, at most ?1; the columns of a page.
 * Only where target->info.finds_unsealed.  The caller finalizes it.
 */
enum envl_status statement_search(struct envl_target *target, const char *kid,
                                  sqlite3_stmt **out, struct envl_error *err);

/**
 * statement_row(target, kind, out, err):
 * By a row's key, its parameters as statement_bind_row binds them from ?1 on:
 * the columns of a page; 1 if there is such a row; the slots alone.
 */
enum statement_kind { STATEMENT_ONE, STATEMENT_EXISTS, STATEMENT_STORED };
enum envl_status statement_row(struct envl_target *target,
                               enum statement_kind kind, sqlite3_stmt **out,
                               struct envl_error *err);

/**
 * statement_form(target, set, compare, out, err):
 * The UPDATE of the slots ${set} by compare-and-swap on the slots ${compare}.
 * Parameters: new values in the slots' order, the row, then for each compared
 * slot its type and its value.  spec: JOB-51
 */
enum envl_status statement_form(struct envl_target *target, uint64_t set,
                                uint64_t compare, struct form **out,
                                struct envl_error *err);

/**
 * statement_range(target, form, out, err):
 * The same for all rows of a range: the functions of range.c say which are as
 * they were and what they get.  Parameters: the first and the last rowid, or,
 * WITHOUT ROWID, key.
 */
enum envl_status statement_range(struct envl_target *target,
                                 struct form *form, sqlite3_stmt **out,
                                 struct envl_error *err);

/**
 * statement_bind_row(statement, first, target, row):
 * Bind what finds ${row} from ?${first} on; SQLite's code.  The next free
 * parameter is ?${first} + statement_row_params(target).
 */
int statement_bind_row(sqlite3_stmt *statement, int first,
                       const struct envl_target *target,
                       const struct row *row);
int statement_row_params(const struct envl_target *target);

/**
 * statement_bind_key(statement, target, keys):
 * Bind ${keys} from ?1 on for STATEMENT_ONE and STATEMENT_EXISTS.
 */
int statement_bind_key(sqlite3_stmt *statement,
                       const struct envl_target *target,
                       const struct value *keys);

/**
 * statement_gone(target, row, gone, err):
 * Is there no row with the key of ${row} any more?
 */
enum envl_status statement_gone(struct envl_target *target,
                                const struct row *row, bool *gone,
                                struct envl_error *err);

/**
 * statement_last(target, out, err):
 * SELECT the largest key.
 */
enum envl_status statement_last(struct envl_target *target,
                                sqlite3_stmt **out, struct envl_error *err);

/**
 * statement_free(target):
 * Finalize all.
 */
void statement_free(struct envl_target *target);

#endif /* SQLITE_STATEMENT_H */
