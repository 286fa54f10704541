#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/catalog.h"

enum table_answer {
    TABLE_OID, TABLE_SCHEMA, TABLE_NAME, TABLE_LABEL, TABLE_KIND, TABLE_HEAP,
    TABLE_ROWS, TABLE_BYTES, TABLE_TOAST, TABLE_PARENT, TABLE_HIDDEN
};

/* A partitioned table's own figures are empty: its leaves' are added up. */
static const char find_table[] =
    "SELECT c.oid, n.nspname, c.relname, "
    "pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind, "
    "coalesce(a.amname = 'heap', false), "
    "(SELECT pg_catalog.sum(greatest(l.reltuples, 0)) "
    "FROM pg_catalog.pg_class l WHERE l.oid = c.oid OR l.oid IN "
    "(SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf)), "
    "pg_catalog.pg_table_size(c.oid), "
    "c.reltoastrelid <> 0 AND "
    "pg_catalog.pg_relation_size(c.reltoastrelid) > 0, "
    "c.relhassubclass AND c.relkind = 'r', "
    "pg_catalog.row_security_active(c.oid) "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam "
    "WHERE c.oid = pg_catalog.to_regclass($1::pg_catalog.text)";

enum column_answer {
    COLUMN_NAME, COLUMN_NUMBER, COLUMN_TYPE, COLUMN_MODIFIER, COLUMN_NOT_NULL,
    COLUMN_GENERATED, COLUMN_TYPE_NAME, COLUMN_PLAIN, COLUMN_READ,
    COLUMN_WRITE, COLUMN_QUOTED
};

static const char find_columns[] =
    "WITH RECURSIVE base(number, type, modifier, required) AS ("
    "SELECT a.attnum, a.atttypid, a.atttypmod, a.attnotnull "
    "FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::pg_catalog.oid "
    "AND a.attnum > 0 AND NOT a.attisdropped "
    "UNION ALL SELECT b.number, t.typbasetype, "
    "CASE WHEN t.typtypmod <> -1 THEN t.typtypmod ELSE b.modifier END, "
    "b.required OR t.typnotnull "
    "FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type "
    "WHERE t.typtype = 'd') "
    "SELECT a.attname, a.attnum, b.type, b.modifier, b.required, "
    "a.attgenerated <> '', pg_catalog.format_type(b.type, NULL), "
    "coalesce(l.collisdeterministic, true), "
    "pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), "
    "pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE'), "
    "pg_catalog.quote_ident(a.attname) "
    "FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::pg_catalog.oid "
    "AND a.attnum = b.number "
    "LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "
    "WHERE t.typtype <> 'd' ORDER BY a.attnum";

static bool
is_true(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

static char *
copy(const PGresult *result, int row, int column)
{
    return strdup(PQgetvalue(result, row, column));
}

/* ---- the table ---------------------------------------------------------- */

static enum envl_status
check_kind(struct envl_target *target, bool is_parent, struct envl_error *err)
{
    const char *what = NULL;

    switch (target->kind) {
    case 'r':
    case 'p':
    case 'v':
        break;
    case 'm':
        what = "a materialized view: sweep the tables behind it";
        break;
    case 'f':
        what = "a foreign table: sweep it where it lives";
        break;
    default:
        what = "no table";
    }
    if (what != NULL)
        return store_fail(target->store, err, ENVL_E_USAGE, "%s is %s",
                          target->label, what);
    target->only = strdup(is_parent ? "ONLY " : "");
    if (is_parent)
        store_note(target->store, ENVL_NOTE_DECIDE, target->label,
                   "other tables inherit from it: their rows are swept only "
                   "if they are targets of their own");
    return ENVL_OK;
}

/* Rows that are hidden from us would be neither swept nor missed: a census
   that cannot see everything is no census. */
static enum envl_status
refuse_hidden(const struct envl_target *target, struct envl_error *err)
{
    store_fail(target->store, err, ENVL_E_POLICY,
               "%s: row security may hide rows from this role, and what is "
               "hidden cannot be swept or verified", target->label);
    store_hint(target->store, err, "connect as a role with BYPASSRLS, or as "
               "the owner where row security is not forced");
    return ENVL_E_POLICY;
}

static enum envl_status
take_table(struct envl_target *target, const PGresult *result,
           struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct sql sql = { 0 };
    enum envl_status status;
    double rows, bytes;

    target->oid = (Oid)strtoul(PQgetvalue(result, 0, TABLE_OID), NULL, 10);
    target->schema = copy(result, 0, TABLE_SCHEMA);
    target->name = copy(result, 0, TABLE_NAME);
    target->label = copy(result, 0, TABLE_LABEL);
    target->kind = PQgetvalue(result, 0, TABLE_KIND)[0];
    target->has_toast = is_true(result, 0, TABLE_TOAST);
    rows = strtod(PQgetvalue(result, 0, TABLE_ROWS), NULL);
    bytes = strtod(PQgetvalue(result, 0, TABLE_BYTES), NULL);
    if (rows < 1) /* never analyzed: a guess from its size */
        rows = bytes / 100;
    target->info.rows = (uint64_t)rows;
    target->row_bytes = rows < 1 || bytes < rows ? 1024
                                                 : (uint64_t)(bytes / rows);
    target->form = target->kind == 'p' ? ROW_KEY
                   : is_true(result, 0, TABLE_HEAP) ? ROW_TID
                                                    : ROW_VALUE;
    if (target->schema == NULL || target->name == NULL ||
        target->label == NULL)
        return store_nomem(store, err);
    status = check_kind(target, is_true(result, 0, TABLE_PARENT), err);
    if (status == ENVL_OK && is_true(result, 0, TABLE_HIDDEN))
        status = refuse_hidden(target, err);
    if (status != ENVL_OK)
        return status;

    sql_name(&sql, store->conn, target->schema);
    sql_put(&sql, ".");
    sql_name(&sql, store->conn, target->name);
    target->sql = sql_take(&sql);
    if (target->sql == NULL || target->only == NULL)
        return store_nomem(store, err);
    target->place[0] = target->schema;
    target->place[1] = target->name;
    return ENVL_OK;
}

static enum envl_status
load_table(struct envl_target *target, struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;

    pipe_text(&params, target->spec->table);
    status = store_ask(target->store, find_table, &params, &result, err);
    pipe_params_free(&params);
    if (status == ENVL_E_POLICY)
        store_hint(target->store, err, "GRANT USAGE ON SCHEMA %.*s TO "
                   "CURRENT_USER;", (int)strcspn(target->spec->table, "."),
                   target->spec->table);
    if (status != ENVL_OK)
        return status;
    if (PQntuples(result) == 1) {
        status = take_table(target, result, err);
    } else {
        status = store_fail(target->store, err, ENVL_E_NOTFOUND,
                            "there is no table %s", target->spec->table);
        store_hint(target->store, err, "names in capitals are quoted, as in "
                   "\"Schema\".\"Table\"; the role needs USAGE on the schema");
    }
    PQclear(result);
    return status;
}

/* ---- its columns -------------------------------------------------------- */

/* The types' own numbers; they are the same on every server. */
static enum column_class
class_of(Oid type)
{
    switch (type) {
    case 21:
        return COLUMN_INT2;
    case 23:
        return COLUMN_INT4;
    case 20:
        return COLUMN_INT8;
    case 2950:
        return COLUMN_UUID;
    case 25:
    case 1043:
        return COLUMN_TEXT;
    case 17:
        return COLUMN_BYTEA;
    case 114:
        return COLUMN_JSON;
    case 3802:
        return COLUMN_JSONB;
    case 1042:
        return COLUMN_CHAR;
    default:
        return COLUMN_OTHER;
    }
}

static bool
take_column(struct envl_target *target, const PGresult *result, int row)
{
    struct pg_column *column = &target->columns[target->column_count++];
    long modifier = strtol(PQgetvalue(result, row, COLUMN_MODIFIER), NULL, 10);
    struct sql sql = { 0 };

    column->name = copy(result, row, COLUMN_NAME);
    column->quoted = copy(result, row, COLUMN_QUOTED);
    column->type_name = copy(result, row, COLUMN_TYPE_NAME);
    column->number = (int32_t)strtol(PQgetvalue(result, row, COLUMN_NUMBER),
                                     NULL, 10);
    column->type = (Oid)strtoul(PQgetvalue(result, row, COLUMN_TYPE), NULL,
                                10);
    column->class = class_of(column->type);
    if (column->class == COLUMN_TEXT && modifier > 4)
        column->max_chars = (uint32_t)modifier - 4;
    column->not_null = is_true(result, row, COLUMN_NOT_NULL);
    column->generated = is_true(result, row, COLUMN_GENERATED);
    column->plain_collation = is_true(result, row, COLUMN_PLAIN);
    column->can_read = is_true(result, row, COLUMN_READ);
    column->can_write = is_true(result, row, COLUMN_WRITE);
    if (column->name == NULL || column->quoted == NULL ||
        column->type_name == NULL)
        return false;
    sql_format(&sql, "%s.", target->sql);
    sql_name(&sql, target->store->conn, column->name);
    column->sql = sql_take(&sql);
    return column->sql != NULL;
}

static enum envl_status
load_columns(struct envl_target *target, struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char oid[16];
    int rows;

    snprintf(oid, sizeof(oid), "%u", target->oid);
    pipe_text(&params, oid);
    status = store_ask(target->store, find_columns, &params, &result, err);
    pipe_params_free(&params);
    if (status != ENVL_OK)
        return status;
    rows = PQntuples(result);
    target->columns = calloc((size_t)rows + 1, sizeof(*target->columns));
    if (target->columns == NULL)
        status = store_nomem(target->store, err);
    for (int row = 0; row < rows && status == ENVL_OK; row++) {
        if (!take_column(target, result, row))
            status = store_nomem(target->store, err);
    }
    PQclear(result);
    return status;
}

enum envl_status
catalog_load(struct envl_target *target, struct envl_error *err)
{
    enum envl_status status;

    if (target->spec->table == NULL)
        return store_fail(target->store, err, ENVL_E_USAGE,
                          "a PostgreSQL target needs \"table\"");
    status = load_table(target, err);
    if (status == ENVL_OK)
        status = load_columns(target, err);
    return status;
}

void
catalog_free(struct envl_target *target)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        free(target->columns[i].name);
        free(target->columns[i].sql);
        free(target->columns[i].quoted);
        free(target->columns[i].type_name);
    }
    free(target->columns);
    free(target->schema);
    free(target->name);
    free(target->label);
    free(target->sql);
    free(target->only);
}

struct pg_column *
catalog_column(struct envl_target *target, const char *name)
{
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (strcmp(target->columns[i].name, name) == 0)
            return &target->columns[i];
    }
    return NULL;
}

enum envl_status
catalog_can_read(struct envl_target *target, const char *column, bool *can,
                 struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char oid[16];

    snprintf(oid, sizeof(oid), "%u", target->oid);
    pipe_text(&params, oid);
    pipe_text(&params, column);
    status = store_ask(target->store,
                       "SELECT pg_catalog.has_column_privilege("
                       "$1::pg_catalog.oid, $2::pg_catalog.text, 'SELECT')",
                       &params, &result, err);
    pipe_params_free(&params);
    if (status != ENVL_OK)
        return status;
    *can = is_true(result, 0, 0);
    PQclear(result);
    return ENVL_OK;
}
