/*
 * keys.h - a row's key: in SQL, as opaque bytes, and as a person reads it.
 *
 * The server orders keys; the bytes are only a way to write them down.  A key
 * of one column is '=' and the value's text; of several, for each its length
 * (4 bytes, big-endian) and its text.
 */
#ifndef POSTGRES_KEYS_H
#define POSTGRES_KEYS_H

#include "postgres/store.h"

/**
 * keys_has_ids(target):
 * Whether every key column is of a type that writes as a default id does
 * (spec: JOB-34).
 */
bool keys_has_ids(const struct envl_target *target);

/**
 * keys_id_name(column, count):
 * The name of a column's pair: "id", or "id." and the escaped column
 * (spec: JOB-37); to be freed.  NULL if memory is short.
 */
char *keys_id_name(const char *column, uint32_t count);

/**
 * keys_put_list(target, sql):
 * Append the key columns as a page selects them.
 */
void keys_put_list(const struct envl_target *target, struct sql *sql);

/**
 * keys_put_order(target, sql, how):
 * Append an ORDER BY list; ${how} is "" or " DESC".
 */
void keys_put_order(const struct envl_target *target, struct sql *sql,
                    const char *how);

/**
 * keys_put_compare(target, sql, op, first):
 * Append a comparison of the row's key with the parameters that begin at
 * $${first}.
 */
void keys_put_compare(const struct envl_target *target, struct sql *sql,
                      const char *op, uint32_t first);

/**
 * keys_put_among(target, sql):
 * Append the condition that the row's key is among the arrays $1, $2, ...
 */
void keys_put_among(const struct envl_target *target, struct sql *sql);

/**
 * keys_array_type(column), keys_put_unnest(column, sql, parameter):
 * The element type of a column's array in a write, and the SQL that turns
 * the parameter of that number into its values again.
 */
Oid keys_array_type(const struct pg_column *column);
void keys_put_unnest(const struct pg_column *column, struct sql *sql,
                     uint32_t parameter);

/* Texts of keys, ended by 0, for text parameters. */
struct key_texts {
    struct envl_buf buf;
    size_t at[STORE_KEYS_MAX];
    uint32_t len[STORE_KEYS_MAX];
};

/**
 * keys_split(target, key, texts, err):
 * Take an opaque key apart.  Fails with ENVL_E_USAGE if it is none of this
 * target, and with ENVL_E_NOMEM.
 */
enum envl_status keys_split(const struct envl_target *target,
                            struct envl_bytes key, struct key_texts *texts,
                            struct envl_error *err);

/**
 * keys_params(texts, count, params):
 * Add the ${count} texts as parameters; they borrow from ${texts}.
 */
void keys_params(const struct key_texts *texts, uint32_t count,
                 struct pipe_params *params);

/**
 * keys_take(target, result, at, arena, out, raw):
 * Fill in the key, name and ids of ${out} from the result's row at[0] and its
 * columns from at[1] on, as keys_put_list selects them; copies are in
 * ${arena}.  ${raw} (may be NULL) receives the columns in their binary form.
 * Return ENVL_OK, ENVL_E_LIMIT if the key is too long, ENVL_E_USAGE if it is
 * null, or ENVL_E_NOMEM.
 */
enum envl_status keys_take(const struct envl_target *target,
                           const PGresult *result, const int at[2],
                           struct arena *arena, struct envl_row *out,
                           struct envl_bytes **raw);

#endif /* POSTGRES_KEYS_H */
