/*
 * sql.h - SQL text and binary arrays, with one failure to look at.
 *
 * Both builders remember that memory was short and do nothing from then on,
 * so that a caller checks once, at the end.  Names and literals are quoted
 * here and nowhere else.
 */
#ifndef POSTGRES_SQL_H
#define POSTGRES_SQL_H

#include <stdbool.h>

#include <libpq-fe.h>

#include <envelope/bytes.h>

/* Operators by their schema, so that no search_path can put others there. */
#define SQL_EQ " OPERATOR(pg_catalog.=) "
#define SQL_GT " OPERATOR(pg_catalog.>) "
#define SQL_LE " OPERATOR(pg_catalog.<=) "
#define SQL_CAT " OPERATOR(pg_catalog.||) "

/* Zero-initialise. */
struct sql {
    struct envl_buf buf;
    bool failed;
};

/**
 * sql_put(sql, text):
 * Append ${text} as it is.
 */
void sql_put(struct sql *sql, const char *text);

/**
 * sql_format(sql, format, ...):
 * Append as printf does; for numbers and for text that is already SQL.
 */
void sql_format(struct sql *sql, const char *format, ...) ENVL_PRINTF(2, 3);

/**
 * sql_name(sql, conn, name):
 * Append ${name} as a quoted identifier.
 */
void sql_name(struct sql *sql, PGconn *conn, const char *name);

/**
 * sql_literal(sql, conn, text):
 * Append ${text} as a string literal.
 */
void sql_literal(struct sql *sql, PGconn *conn, struct envl_bytes text);

/**
 * sql_text(sql):
 * The text, ended by a 0 byte and borrowed until ${sql} changes, or NULL if
 * memory was short.
 */
const char *sql_text(struct sql *sql);

/**
 * sql_take(sql):
 * The same as the caller's own, to be freed; ${sql} is empty afterwards.
 */
char *sql_take(struct sql *sql);

/**
 * sql_free(sql):
 * Release; ${sql} is empty and may be used again.
 */
void sql_free(struct sql *sql);

/* A one-dimensional array in the binary form of a parameter. */
struct sql_array {
    struct envl_buf buf;
    uint32_t count;
    bool failed;
};

/**
 * sql_array_begin(array, type):
 * Empty ${array} (its memory is kept) for elements of the type with the oid
 * ${type}.
 */
void sql_array_begin(struct sql_array *array, Oid type);

/**
 * sql_array_add(array, element):
 * Append an element in its type's binary form.
 */
void sql_array_add(struct sql_array *array, struct envl_bytes element);

/**
 * sql_array_add_int4(array, value):
 * Append an int4.
 */
void sql_array_add_int4(struct sql_array *array, int32_t value);

/**
 * sql_array_room(array, len):
 * Append an element of ${len} bytes and return where they go, or NULL.
 */
uint8_t *sql_array_room(struct sql_array *array, size_t len);

/**
 * sql_array_end(array):
 * Borrow the finished parameter, until ${array} changes; ptr NULL if memory
 * was short.
 */
struct envl_bytes sql_array_end(struct sql_array *array);

/**
 * sql_array_free(array):
 * Wipe and release.
 */
void sql_array_free(struct sql_array *array);

#endif /* POSTGRES_SQL_H */
