/*
 * value.h - a SQLite value outside SQLite: its storage class and its bytes.
 */
#ifndef SQLITE_VALUE_H
#define SQLITE_VALUE_H

#include <stdbool.h>

#include <sqlite3.h>

#include <envelope/migrator.h>

#include "common/arena.h"

struct value {
    int type; /* SQLITE_INTEGER, _FLOAT, _TEXT, _BLOB, _NULL */
    union {
        int64_t integer;
        double real;
        struct envl_bytes bytes; /* TEXT in UTF-8, BLOB */
    } as;
};

/**
 * value_take(statement, column, arena, out):
 * Copy the value of a result column.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status value_take(sqlite3_stmt *statement, int column,
                            struct arena *arena, struct value *out);

/**
 * value_bind(statement, index, value):
 * Bind without copying.  Return SQLite's code.
 */
int value_bind(sqlite3_stmt *statement, int index, const struct value *value);

/**
 * value_type_name(value):
 * What typeof() says of it; a static string.
 */
struct envl_bytes value_type_name(const struct value *value);

/**
 * value_cell(value):
 * As the engine sees it: TEXT if well-formed UTF-8, BYTES, NULL, else OTHER.
 */
struct envl_cell value_cell(const struct value *value);

/**
 * value_text(value, arena, out):
 * As contexts and names write a key (spec JOB-35): int:42, str:..., bin:0:...
 * ${out} has no bytes (ptr NULL) if it cannot be written: a null, a fraction,
 * text that is not UTF-8.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status value_text(const struct value *value, struct arena *arena,
                            struct envl_bytes *out);

/**
 * value_json_text(cell, arena, out):
 * The same for what json_path.h found as an element's identifier.
 */
enum envl_status value_json_text(const struct envl_cell *cell,
                                 struct arena *arena, struct envl_bytes *out);

#endif /* SQLITE_VALUE_H */
