#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/begins.h"
#include "postgres/fault.h"
#include "postgres/keys.h"
#include "postgres/select.h"

#define SAMPLE_PER_PART 200u /* keys looked at for each part */

/* ---- pages -------------------------------------------------------------- */

bool
select_is_measured(const struct envl_target *target)
{
    return target->has_toast;
}

void
select_measure(struct envl_target *target)
{
    target->has_toast = true;
    for (uint32_t i = 0; i < SELECT_COUNT; i++) {
        free(target->selects[i]);
        target->selects[i] = NULL;
    }
}

/* What a row's values weigh, as far as that is known without fetching them. */
static void
put_size(const struct envl_target *target, struct sql *sql)
{
    sql_put(sql, "(0");
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];
        bool raw = field->column->class == COLUMN_TEXT ||
                   field->column->class == COLUMN_BYTEA;

        if (field->mode != FIELD_MEMBER)
            sql_format(sql, " + coalesce(pg_catalog.%s(%s), 0)"
                       "::pg_catalog.float8",
                       raw ? "octet_length" : "pg_column_size",
                       field->column->sql);
    }
    sql_put(sql, ")");
}

static void
put_columns(const struct envl_target *target, uint32_t variant,
            struct sql *sql)
{
    if ((variant & SELECT_VALUE) == 0)
        sql_format(sql, "%s.ctid, %s.xmin, ", target->sql, target->sql);
    keys_put_list(target, sql);
    for (uint32_t i = 0; i < target->cell_count; i++)
        sql_format(sql, ", %s", target->cells[i]);
}

/* A condition may end in a comment: it gets a line of its own. */
static void
put_where(const struct envl_target *target, struct sql *sql)
{
    if (target->spec->where != NULL)
        sql_format(sql, " AND (%s\n)", target->spec->where);
}

/* Returns the number of the next parameter. */
static uint32_t
put_bounds(const struct envl_target *target, uint32_t variant,
           struct sql *sql)
{
    uint32_t next = 1;

    sql_format(sql, " FROM %s%s WHERE ", target->only, target->sql);
    if (variant & SELECT_KEYS) {
        keys_put_among(target, sql);
        put_where(target, sql);
        return next;
    }
    sql_put(sql, "true");
    if (variant & SELECT_AFTER) {
        sql_put(sql, " AND ");
        keys_put_compare(target, sql, SQL_GT, next);
        next += target->key_count;
    }
    if (variant & SELECT_UNTIL) {
        sql_put(sql, " AND ");
        keys_put_compare(target, sql, SQL_LE, next);
        next += target->key_count;
    }
    put_where(target, sql);
    return next;
}

static void
put_plain(const struct envl_target *target, uint32_t variant, struct sql *sql)
{
    uint32_t next;

    sql_put(sql, "SELECT ");
    put_columns(target, variant, sql);
    next = put_bounds(target, variant, sql);
    sql_put(sql, " ORDER BY ");
    keys_put_order(target, sql, "");
    if ((variant & SELECT_KEYS) == 0)
        sql_format(sql, " LIMIT $%u::pg_catalog.int8", next);
}

/*
 * The inner query takes rows in order and adds up their sizes without
 * fetching what is stored out of line; the outer one keeps the first that
 * fit, and one at least.  A filter does not change the order.
 */
static void
put_measured(const struct envl_target *target, uint32_t variant,
             struct sql *sql)
{
    uint32_t columns = target->key_count + target->cell_count, next;

    columns += (variant & SELECT_VALUE) == 0 ? 2 : 0;
    sql_put(sql, "SELECT envl_page.* FROM (SELECT ");
    put_columns(target, variant, sql);
    sql_put(sql, ", pg_catalog.sum");
    put_size(target, sql);
    sql_put(sql, " OVER (ORDER BY ");
    keys_put_order(target, sql, "");
    sql_put(sql, " ROWS UNBOUNDED PRECEDING), ");
    put_size(target, sql);
    next = put_bounds(target, variant, sql);
    sql_put(sql, " ORDER BY ");
    keys_put_order(target, sql, "");
    sql_format(sql, " LIMIT $%u::pg_catalog.int8) AS envl_page(", next);
    for (uint32_t i = 0; i < columns; i++)
        sql_format(sql, "c%u, ", i);
    sql_format(sql, "total, own) WHERE envl_page.total - envl_page.own < "
               "$%u::pg_catalog.float8", next + 1);
}

/* ---- what is left ------------------------------------------------------- */

bool
select_can_find_unsealed(const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];

        if (field->mode != FIELD_MEMBER &&
            (field->mode != FIELD_COLUMN ||
             (field->column->class != COLUMN_TEXT &&
              field->column->class != COLUMN_BYTEA)))
            return false;
    }
    return true;
}

void
select_for_kid(struct envl_target *target, const char *kid)
{
    if (strcmp(target->unsealed_kid, kid) == 0)
        return;
    snprintf(target->unsealed_kid, sizeof(target->unsealed_kid), "%s", kid);
    for (uint32_t i = SELECT_UNSEALED; i < SELECT_COUNT; i++) {
        free(target->selects[i]);
        target->selects[i] = NULL;
    }
}

/*
 * True if the row may hold something that is not sealed.
 */
static void
put_unsealed(const struct envl_target *target, struct sql *sql)
{
    sql_put(sql, "(false");
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];
        const char *value = target->cells[field->value_at];
        const char *sibling = field->sibling_at < 0
                                  ? NULL
                                  : target->cells[field->sibling_at];
        enum column_class class = field->mode == FIELD_MEMBER
                                      ? COLUMN_JSONB
                                      : field->column->class;
        bool members = field->mode == FIELD_MEMBER;

        sql_format(sql, " OR (%s) IS NOT NULL", value);
        if (sibling != NULL && !field->spec->keep_source) {
            /* A source beside a sibling should be gone; and in a rotation
               the sibling is what counts. */
            sql_format(sql, " OR ((%s) IS NOT NULL AND NOT ", sibling);
            begins_put(sql, members ? COLUMN_JSONB : field->into->class,
                       sibling, target->unsealed_kid);
            sql_put(sql, ")");
        } else if (sibling != NULL) {
            /* A rotation turns siblings whose source is gone, too. */
            sql_format(sql, " AND (%s) IS NULL OR ((%s) IS NOT NULL AND NOT ",
                       sibling, sibling);
            begins_put(sql, members ? COLUMN_JSONB : field->into->class,
                       sibling, target->unsealed_kid);
            sql_put(sql, ")");
        } else {
            sql_put(sql, " AND NOT ");
            begins_put(sql, class, value, target->unsealed_kid);
        }
    }
    sql_put(sql, ")");
}

/* In any order: one scan of the heap in one snapshot, which no row escapes. */
static void
put_search(const struct envl_target *target, uint32_t variant, struct sql *sql)
{
    uint32_t next;

    sql_put(sql, "SELECT ");
    put_columns(target, variant, sql);
    next = put_bounds(target, variant, sql);
    sql_put(sql, " AND ");
    put_unsealed(target, sql);
    sql_format(sql, " LIMIT $%u::pg_catalog.int8", next);
}

const char *
select_page(struct envl_target *target, uint32_t variant)
{
    struct sql sql = { 0 };

    if (target->selects[variant] != NULL)
        return target->selects[variant];
    if (variant & SELECT_UNSEALED)
        put_search(target, variant, &sql);
    else if (select_is_measured(target) && (variant & SELECT_KEYS) == 0)
        put_measured(target, variant, &sql);
    else
        put_plain(target, variant, &sql);
    target->selects[variant] = sql_take(&sql);
    return target->selects[variant];
}

/* ---- single keys -------------------------------------------------------- */

static enum envl_status
ask(struct envl_target *target, const char *sql, PGresult **out,
    struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct pipe_op *op = pipe_open(&store->pipe);
    enum envl_status status = ENVL_OK;

    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op, sql, NULL, true);
    pipe_sync(&store->pipe, op);
    if (!pipe_wait(&store->pipe, op) || pipe_error(op) != NULL)
        status = fault_tell(store, pipe_error(op), "looking for keys",
                            FAULT_NAMES, err);
    else
        *out = pipe_take(op, 0);
    pipe_close(op);
    return status;
}

static enum envl_status
give(struct envl_target *target, const PGresult *result, int row,
     envl_key_fn *each, void *cookie, struct envl_error *err)
{
    struct arena arena = ARENA_INIT;
    struct envl_row found = { .ids = NULL };
    const int at[2] = { row, 0 };
    enum envl_status status;

    status = keys_take(target, result, at, &arena, &found, NULL);
    if (status == ENVL_OK)
        status = each(cookie, found.key, err);
    else
        status = store_fail(target->store, err, status,
                            "%s: a key that cannot be kept", target->label);
    arena_free(&arena);
    return status;
}

enum envl_status
select_last_key(struct envl_target *target, envl_key_fn *each, void *cookie,
                struct envl_error *err)
{
    struct sql sql = { 0 };
    PGresult *result = NULL;
    enum envl_status status;

    sql_put(&sql, "SELECT ");
    keys_put_list(target, &sql);
    put_bounds(target, 0, &sql);
    sql_put(&sql, " ORDER BY ");
    keys_put_order(target, &sql, " DESC");
    sql_put(&sql, " LIMIT 1");
    status = ask(target, sql_text(&sql), &result, err);
    if (status == ENVL_OK && PQntuples(result) > 0)
        status = give(target, result, 0, each, cookie, err);
    PQclear(result);
    sql_free(&sql);
    return status;
}

/* A sample of whole blocks, in order; small tables are taken whole. */
static char *
sample_sql(const struct envl_target *target, uint32_t parts)
{
    double rows = (double)target->info.rows;
    double percent = 100;
    struct sql sql = { 0 };

    /* Blocks hold about a hundred rows that are near each other: so many
       more are looked at. */
    if (rows > 0)
        percent = 100.0 * parts * SAMPLE_PER_PART * 20 / rows;
    sql_put(&sql, "SELECT ");
    keys_put_list(target, &sql);
    sql_format(&sql, " FROM %s%s", target->only, target->sql);
    if (percent < 100)
        sql_format(&sql, " TABLESAMPLE pg_catalog.system(%.6f)", percent);
    sql_put(&sql, " WHERE true");
    put_where(target, &sql);
    sql_put(&sql, " ORDER BY ");
    keys_put_order(target, &sql, "");
    return sql_take(&sql);
}

enum envl_status
select_split(struct envl_target *target, uint32_t parts, envl_key_fn *each,
             void *cookie, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;
    int64_t rows, last = -1;
    char *sql;

    if (parts < 2 || target->kind == 'v')
        return ENVL_OK;
    sql = sample_sql(target, parts);
    if (sql == NULL)
        return store_nomem(target->store, err);
    status = ask(target, sql, &result, err);
    free(sql);
    if (status != ENVL_OK)
        return status;
    rows = PQntuples(result);
    for (uint32_t part = 1; part < parts && status == ENVL_OK; part++) {
        int64_t at = rows * part / parts - 1;

        if (at > last)
            status = give(target, result, (int)at, each, cookie, err);
        if (at > last)
            last = at;
    }
    PQclear(result);
    return status;
}
