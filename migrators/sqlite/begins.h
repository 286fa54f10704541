/*
 * begins.h - how SQL tells an envelope by its beginning (spec ENV-7, ENV-8.2).
 *
 * The one place that knows: the search for what is left (MIG-51) and the
 * guards (MIG-60) judge alike.
 */
#ifndef SQLITE_BEGINS_H
#define SQLITE_BEGINS_H

#include <stdbool.h>

#include <sqlite3.h>

/**
 * begins_add(sql, cell, kid):
 * Append a condition, 1 or 0: ${cell}, an SQL expression, begins like an
 * envelope under ${kid} ("": under any).  A kid is of [a-z0-9.-] (spec
 * ENV-3), none of which means anything to GLOB.
 */
void begins_add(sqlite3_str *sql, const char *cell, const char *kid);

/**
 * begins_add_plain(sql, cell, empty_ok):
 * Append a condition, 1 or 0: ${cell} holds plaintext, being not null, not
 * empty if ${empty_ok}, and no beginning.  spec: MIG-60
 */
void begins_add_plain(sqlite3_str *sql, const char *cell, bool empty_ok);

/**
 * begins_add_plain_json(sql, row, empty_ok):
 * The same for a row ${row} of json_each.
 */
void begins_add_plain_json(sqlite3_str *sql, const char *row, bool empty_ok);

#endif /* SQLITE_BEGINS_H */
