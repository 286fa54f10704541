/*
 * sql_scan.h - read SQL text as far as names, brackets and quotes go.
 *
 * Enough to find out whether a trigger or a CHECK mentions a column, whether
 * a job's condition stays inside its brackets, and what table a job names.
 */
#ifndef SQLITE_SQL_SCAN_H
#define SQLITE_SQL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum sql_token {
    SQL_END,
    SQL_NAME,    /* bare, or quoted in any of SQLite's four ways */
    SQL_STRING,  /* '...'                                        */
    SQL_OPEN,    /* (                                            */
    SQL_CLOSE,   /* )                                            */
    SQL_DOT,
    SQL_SEMICOLON,
    SQL_OTHER,
    SQL_BROKEN   /* a quote or comment that is not closed        */
};

struct sql_scan {
    const char *at;
    char name[256];    /* SQL_NAME: unquoted; cut to fit */
    bool quoted;
};

/**
 * sql_scan_next(scan):
 * The next token from scan->at on, comments left out.
 */
enum sql_token sql_scan_next(struct sql_scan *scan);

/**
 * sql_scan_mentions(sql, name):
 * True if ${name} stands in ${sql} (NULL: no) as an identifier.
 */
bool sql_scan_mentions(const char *sql, const char *name);

/**
 * sql_scan_checks(create_table, name), sql_scan_generates(...):
 * True if ${name} stands inside a CHECK (...) of CREATE TABLE, or inside the
 * expression of a generated column.
 */
bool sql_scan_checks(const char *create_table, const char *name);
bool sql_scan_generates(const char *create_table, const char *name);

/**
 * sql_scan_closed(condition):
 * True if ${condition} has its quotes, comments and brackets closed, never
 * closes one it has not opened, and holds no ';'.
 */
bool sql_scan_closed(const char *condition);

/**
 * sql_scan_table(text, schema, table, size):
 * Parse `name`, `schema.name`, either quoted.  ${schema} is "" without.
 * False if it is anything else, or longer than ${size}.
 */
bool sql_scan_table(const char *text, char *schema, char *table, size_t size);

#endif /* SQLITE_SQL_SCAN_H */
