/*
 * db.h - SQLite's calls with our errors: the one place they are translated.
 *
 * sqlite3_errmsg is shown for what fails to compile only, where it names
 * tables and columns; at run time it could quote what a trigger says.
 */
#ifndef SQLITE_DB_H
#define SQLITE_DB_H

#include "sqlite/store.h"

/**
 * db_fail(store, err, code, doing):
 * Translate a result ${code}: ENVL_E_LOCKED for locks and timeouts,
 * ENVL_E_NOMEM, ENVL_E_LIMIT, else ENVL_E_DATABASE; ${doing} begins the
 * message, such as "reading accounts".
 */
enum envl_status db_fail(struct envl_store *store, struct envl_error *err,
                         int code, const char *doing);

/**
 * db_refuses(code):
 * True if the store does not take this value here: a constraint, a limit.
 */
bool db_refuses(int code);

/**
 * db_prepare(store, sql, out, err):
 * Compile one statement that will be used often.  ENVL_E_USAGE if it does not
 * compile, with SQLite's reason.
 */
enum envl_status db_prepare(struct envl_store *store, const char *sql,
                            sqlite3_stmt **out, struct envl_error *err);

/**
 * db_prepare_str(store, sql, out, err):
 * The same from a string builder, which is finished and freed.
 */
enum envl_status db_prepare_str(struct envl_store *store, sqlite3_str *sql,
                                sqlite3_stmt **out, struct envl_error *err);

/**
 * db_exec(store, sql, doing, err):
 * Run a statement that gives no rows, or whose rows do not matter.
 */
enum envl_status db_exec(struct envl_store *store, const char *sql,
                         const char *doing, struct envl_error *err);

/**
 * db_number(store, sql, out, err):
 * Run a statement that gives one number; NULL or no row is 0.
 */
enum envl_status db_number(struct envl_store *store, const char *sql,
                           int64_t *out, struct envl_error *err);

/**
 * db_begin(store, err), db_commit(store, err), db_rollback(store):
 * A write transaction, locks taken at once.  A commit that fails is rolled
 * back; rollback is allowed when nothing is open.
 */
enum envl_status db_begin(struct envl_store *store, struct envl_error *err);
enum envl_status db_commit(struct envl_store *store, struct envl_error *err);
void db_rollback(struct envl_store *store);

/**
 * db_step(store, statement):
 * sqlite3_step under the host's statement_ms, counted from here.  Around many
 * steps call db_limit and db_unlimit once, and sqlite3_step between them.
 */
int db_step(struct envl_store *store, sqlite3_stmt *statement);
void db_limit(struct envl_store *store, uint32_t ms);
void db_unlimit(struct envl_store *store);

/**
 * db_bind_text(statement, index, bytes), db_bind_blob(statement, index, bytes):
 * Bind without copying; empty is empty, not NULL.
 */
int db_bind_text(sqlite3_stmt *statement, int index, struct envl_bytes bytes);
int db_bind_blob(sqlite3_stmt *statement, int index, struct envl_bytes bytes);

/**
 * db_text(statement, column):
 * The text of a column, "" for NULL; borrowed until the next step.
 */
const char *db_text(sqlite3_stmt *statement, int column);

/**
 * db_names_one(text, name):
 * True if the SQL identifiers ${text} and ${name} are the same to SQLite:
 * ASCII letters in either case.
 */
bool db_names_one(const char *text, const char *name);

#endif /* SQLITE_DB_H */
