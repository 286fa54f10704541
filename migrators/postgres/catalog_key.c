#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/catalog.h"
#include "postgres/fault.h"

/*
 * Every unique index over whole columns of all rows that is checked at once,
 * the primary key first: its columns, in its order.
 */
static const char find_indexes[] =
    "SELECT i.indisprimary, "
    "(SELECT pg_catalog.string_agg(k.number::pg_catalog.text, ' ' "
    "ORDER BY k.place) FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) "
    "WITH ORDINALITY k(number, place) WHERE k.place <= i.indnkeyatts) "
    "FROM pg_catalog.pg_index i WHERE i.indrelid = $1::pg_catalog.oid "
    "AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate "
    "AND i.indpred IS NULL AND i.indexprs IS NULL "
    "ORDER BY i.indisprimary DESC, i.indexrelid";

static struct pg_column *
by_number(struct envl_target *target, long number)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (target->columns[i].number == number)
            return &target->columns[i];
    }
    return NULL;
}

static bool
among(struct pg_column *column, struct pg_column *const *columns,
      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i] == column)
            return true;
    }
    return false;
}

/* The columns of an index, such as "1 3"; 0 if there are too many. */
static uint32_t
index_columns(struct envl_target *target, const char *numbers,
              struct pg_column **out)
{
    uint32_t count = 0;
    char *rest;

    for (const char *at = numbers; *at != '\0'; at = rest) {
        struct pg_column *column = by_number(target, strtol(at, &rest, 10));

        if (rest == at || column == NULL || count == STORE_KEYS_MAX)
            return 0;
        out[count++] = column;
    }
    return count;
}

/*
 * Take the index that has exactly the columns wanted (any primary key if
 * none are named), and its order, so that pages come from it.
 */
static bool
use_index(struct envl_target *target, const PGresult *result, int row,
          struct pg_column *const *wanted, uint32_t wanted_count)
{
    struct pg_column *columns[STORE_KEYS_MAX];
    uint32_t count;

    if (wanted_count == 0 && PQgetvalue(result, row, 0)[0] != 't')
        return false;
    count = index_columns(target, PQgetvalue(result, row, 1), columns);
    if (count == 0 || (wanted_count > 0 && count != wanted_count))
        return false;
    for (uint32_t i = 0; i < wanted_count; i++) {
        if (!among(wanted[i], columns, count))
            return false;
    }
    memcpy(target->keys, columns, count * sizeof(*columns));
    target->key_count = count;
    return true;
}

static enum envl_status
find_wanted(struct envl_target *target, struct pg_column **wanted,
            struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;

    if (spec->key_count > STORE_KEYS_MAX)
        return store_fail(target->store, err, ENVL_E_LIMIT,
                          "%s: a key of more than %u columns", target->label,
                          STORE_KEYS_MAX);
    for (uint32_t i = 0; i < spec->key_count; i++) {
        wanted[i] = catalog_column(target, spec->keys[i]);
        if (wanted[i] == NULL)
            return store_fail(target->store, err, ENVL_E_NOTFOUND,
                              "%s has no column %s for its key",
                              target->label, spec->keys[i]);
    }
    return ENVL_OK;
}

static enum envl_status
not_unique(struct envl_target *target, struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;

    if (spec->key_count == 0) {
        store_fail(target->store, err, ENVL_E_USAGE,
                   "%s has no primary key", target->label);
        store_hint(target->store, err, "name the columns of a unique index "
                   "as the target's \"key\"");
        return ENVL_E_USAGE;
    }
    store_fail(target->store, err, ENVL_E_USAGE,
               "the key of %s is not unique: no unique index has exactly its "
               "columns", target->label);
    store_hint(target->store, err, "CREATE UNIQUE INDEX CONCURRENTLY ON %s "
               "(%s%s);  partial, expression and deferrable ones do not "
               "count", target->label, spec->keys[0],
               spec->key_count > 1 ? ", ..." : "");
    return ENVL_E_USAGE;
}

static enum envl_status
check_type(struct envl_target *target, const struct pg_column *key,
           struct envl_error *err)
{
    struct envl_store *store = target->store;

    if (key->class == COLUMN_CHAR || strcmp(key->type_name, "citext") == 0 ||
        strstr(key->type_name, ".citext") != NULL)
        return store_fail(store, err, ENVL_E_USAGE,
                          "%s.%s is of type %s: its text stands for several "
                          "keys", target->label, key->name, key->type_name);
    if (!key->plain_collation)
        return store_fail(store, err, ENVL_E_USAGE,
                          "%s.%s has a nondeterministic collation: different "
                          "texts are one key", target->label, key->name);
    if (key->class == COLUMN_JSON || key->class == COLUMN_JSONB)
        return store_fail(store, err, ENVL_E_USAGE,
                          "%s.%s is of type %s, which makes no key",
                          target->label, key->name, key->type_name);
    if (!key->not_null && target->kind != 'v') {
        store_fail(store, err, ENVL_E_USAGE,
                   "%s.%s is part of the key and can be null", target->label,
                   key->name);
        store_hint(store, err, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;",
                   target->label, key->quoted);
        return ENVL_E_USAGE;
    }
    return ENVL_OK;
}

/* A view has no index: its rows are looked through once. */
static enum envl_status
check_view(struct envl_target *target, struct envl_error *err)
{
    struct sql sql = { 0 }, keys = { 0 }, nulls = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    const char *list;

    for (uint32_t i = 0; i < target->key_count; i++) {
        sql_format(&keys, "%s%s", i == 0 ? "" : ", ", target->keys[i]->sql);
        sql_format(&nulls, " OR pg_catalog.bool_or(%s IS NULL)",
                   target->keys[i]->sql);
    }
    list = sql_text(&keys);
    sql_format(&sql, "SELECT 1 FROM %s GROUP BY %s HAVING "
               "pg_catalog.count(*) > 1%s LIMIT 1", target->sql,
               list == NULL ? "" : list,
               sql_text(&nulls) == NULL ? "" : sql_text(&nulls));
    status = store_ask(target->store, sql_text(&sql), NULL, &result, err);
    if (status == ENVL_E_LOCKED) {
        store_note(target->store, ENVL_NOTE_DECIDE, target->label,
                   "a view: whether its key is unique could not be checked "
                   "in the time that a statement has");
        status = ENVL_OK;
    } else if (status == ENVL_OK && PQntuples(result) > 0) {
        status = store_fail(target->store, err, ENVL_E_USAGE,
                            "the key of the view %s is null or not unique",
                            target->label);
    }
    PQclear(result);
    sql_free(&sql);
    sql_free(&keys);
    sql_free(&nulls);
    return status;
}

static enum envl_status
match_index(struct envl_target *target, struct pg_column *const *wanted,
            struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char oid[16];

    snprintf(oid, sizeof(oid), "%u", target->oid);
    pipe_text(&params, oid);
    status = store_ask(target->store, find_indexes, &params, &result, err);
    pipe_params_free(&params);
    if (status != ENVL_OK)
        return status;
    for (int row = 0; row < PQntuples(result); row++) {
        if (use_index(target, result, row, wanted, target->spec->key_count))
            break;
    }
    PQclear(result);
    return target->key_count > 0 ? ENVL_OK : not_unique(target, err);
}

enum envl_status
catalog_key(struct envl_target *target, struct envl_error *err)
{
    struct pg_column *wanted[STORE_KEYS_MAX] = { NULL };
    enum envl_status status = find_wanted(target, wanted, err);

    if (status == ENVL_OK && target->kind == 'v' &&
        target->spec->key_count > 0) {
        memcpy(target->keys, wanted, sizeof(wanted));
        target->key_count = target->spec->key_count;
    } else if (status == ENVL_OK) {
        status = match_index(target, wanted, err);
    }
    for (uint32_t i = 0; status == ENVL_OK && i < target->key_count; i++)
        status = check_type(target, target->keys[i], err);
    if (status == ENVL_OK && target->kind == 'v')
        status = check_view(target, err);
    return status;
}
