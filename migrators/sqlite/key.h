/*
 * key.h - the key of a table: in SQL, as opaque bytes, and for people.
 */
#ifndef SQLITE_KEY_H
#define SQLITE_KEY_H

#include "sqlite/table.h"
#include "sqlite/value.h"

#define KEY_COLUMNS 16

struct key_column {
    const struct table_column *column;
    const char *collation;     /* of the order                          */
    struct envl_bytes id_name; /* "id", or "id." and the name (JOB-37)  */
    bool nullable;
};

/* Columns in the order in which rows are read. */
struct key {
    struct key_column columns[KEY_COLUMNS];
    uint32_t count;
    bool is_rowid;             /* one column, and it is the rowid       */
};

/**
 * key_choose(store, table, spec, arena, out, err):
 * The key that ${spec} names, or the primary key, led by the columns of the
 * unique index that proves it.  Fails with ENVL_E_NOTFOUND (no such column)
 * or ENVL_E_POLICY (nothing proves that it is unique).  spec: JOB-11
 */
enum envl_status key_choose(struct envl_store *store,
                            const struct table *table,
                            const struct envl_target_spec *spec,
                            struct arena *arena, struct key *out,
                            struct envl_error *err);

/**
 * key_sql_list(sql, key), key_sql_order(sql, key, suffix):
 * Append `"a", "b"`, and the same as ORDER BY terms, each with ${suffix}.
 */
void key_sql_list(sqlite3_str *sql, const struct key *key);
void key_sql_order(sqlite3_str *sql, const struct key *key,
                   const char *suffix);

/**
 * key_sql_bound(sql, key, operator, first):
 * Append a comparison of the key with parameters from ?${first} on, such as
 * `("a","b") > (?1 COLLATE "BINARY",?2 COLLATE "BINARY")`.
 */
void key_sql_bound(sqlite3_str *sql, const struct key *key,
                   const char *operator, int first);

/**
 * key_encode(values, key, arena, out):
 * The opaque form: for each column a letter for its type, and the value.
 * ENVL_OK, ENVL_E_NOMEM, or ENVL_E_LIMIT (it would not be below 4 KiB).
 */
enum envl_status key_encode(const struct value *values, const struct key *key,
                            struct arena *arena, struct envl_bytes *out);

/**
 * key_decode(bytes, key, values):
 * The reverse, borrowing ${bytes}; false if it is no key of this table.
 */
bool key_decode(struct envl_bytes bytes, const struct key *key,
                struct value *values);

/**
 * key_bind(statement, first, values, key):
 * Bind the values from ?${first} on; SQLite's code.
 */
int key_bind(sqlite3_stmt *statement, int first, const struct value *values,
             const struct key *key);

/**
 * key_name(values, key, arena, out):
 * For people: "id=42", "a=1, b=x"; long text is cut.  ENVL_OK or NOMEM.
 */
enum envl_status key_name(const struct value *values, const struct key *key,
                          struct arena *arena, struct envl_bytes *out);

/**
 * key_ids(values, key, arena, ids, count):
 * The pairs of the default context; ${count} is 0 if one cannot be written.
 */
enum envl_status key_ids(const struct value *values, const struct key *key,
                         struct arena *arena, const struct envl_pair **ids,
                         uint32_t *count);

#endif /* SQLITE_KEY_H */
