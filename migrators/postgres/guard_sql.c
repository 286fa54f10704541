#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "postgres/guard_cells.h"
#include "postgres/guard_helper.h"
#include "postgres/guard_sql.h"

/* What is put together; the first failure is kept by the builders. */
struct making {
    const struct envl_target *target;
    const struct envl_guard_spec *spec;
    struct guard_sql *out;
    bool failed;
};

/* ---- names -------------------------------------------------------------- */

const char *
guard_sql_gap(const struct pg_field *field)
{
    if (field->mode == FIELD_SPLICE)
        return "json that is no jsonb cannot be looked into without a risk "
               "that a write fails";
    if (field->column->class == COLUMN_JSON)
        return "a column of type json cannot be compared; jsonb can";
    if (field->into != NULL && field->into->class == COLUMN_JSON)
        return "its sibling is of type json, which cannot be compared; jsonb "
               "can";
    return NULL;
}

void
guard_sql_field_name(const struct pg_field *field, struct sql *sql)
{
    const struct envl_path *path = &field->spec->path;

    sql_put(sql, field->column->name);
    for (uint32_t i = 0; i < path->count; i++) {
        const struct envl_segment *segment = &path->segments[i];

        if (segment->kind == ENVL_SEGMENT_ANY_ELEMENT)
            sql_put(sql, "[*]");
        else if (segment->kind == ENVL_SEGMENT_ANY_MEMBER)
            sql_put(sql, ".*");
        else
            sql_format(sql, ".%.*s", (int)segment->name.len,
                       (const char *)segment->name.ptr);
    }
}

static void
digest_add(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const uint8_t *)text, strlen(text) + 1);
}

static void
digest_end(crypto_generichash_state *state, char out[17])
{
    uint8_t sum[16];

    crypto_generichash_final(state, sum, sizeof(sum));
    sodium_bin2hex(out, 17, sum, 8);
}

/* ---- the conditions ----------------------------------------------------- */

static void
put_field(struct making *making, uint32_t index, const char *row,
          struct sql *sql)
{
    const struct pg_field *field = &making->target->fields[index];
    PGconn *conn = making->target->store->conn;
    struct guard_cells cells;

    if (field->mode == FIELD_WILD) {
        sql_format(sql, "envelope.%s_%u(%s%s, NULL)", making->out->id, index,
                   row, field->column->quoted);
        return;
    }
    making->failed |= !guard_cells_make(field, conn, row, &cells);
    if (!making->failed)
        guard_cells_put_row(sql, &cells, field->spec->keep_source,
                            making->spec->empty_ok[index]);
    guard_cells_free(&cells);
}

static void
put_field_update(struct making *making, uint32_t index, struct sql *sql)
{
    const struct pg_field *field = &making->target->fields[index];
    PGconn *conn = making->target->store->conn;
    const char *name = field->column->quoted;
    struct guard_cells now, before = { .value = NULL };

    if (field->mode == FIELD_WILD) {
        sql_format(sql, "(NEW.%s IS DISTINCT FROM OLD.%s AND "
                   "envelope.%s_%u(NEW.%s, OLD.%s))", name, name,
                   making->out->id, index, name, name);
        return;
    }
    making->failed |= !guard_cells_make(field, conn, "NEW.", &now) ||
                      !guard_cells_make(field, conn, "OLD.", &before);
    if (!making->failed)
        guard_cells_put_update(sql, &now, &before, field->spec->keep_source,
                               making->spec->empty_ok[index]);
    guard_cells_free(&now);
    guard_cells_free(&before);
}

/* Any field of the row, of which ${row} is the prefix. */
static void
put_any(struct making *making, const char *row, struct sql *sql)
{
    const char *or = "";

    sql_put(sql, "(");
    for (uint32_t i = 0; i < making->target->spec->field_count; i++) {
        if (guard_sql_gap(&making->target->fields[i]) != NULL)
            continue;
        sql_put(sql, or);
        put_field(making, i, row, sql);
        or = " OR ";
    }
    sql_put(sql, ")");
}

static char *
row_sql(struct making *making, const char *row)
{
    struct sql sql = { 0 };

    put_any(making, row, &sql);
    if (making->target->spec->where != NULL) {
        sql_put(&sql, " AND ");
        guard_helper_put_where(making->target, making->out->id, row, &sql);
    }
    return sql_take(&sql);
}

/* Old plaintext is new to the guard if the row comes under the condition. */
static char *
update_sql(struct making *making)
{
    const char *or = "((";
    struct sql sql = { 0 };

    for (uint32_t i = 0; i < making->target->spec->field_count; i++) {
        if (guard_sql_gap(&making->target->fields[i]) != NULL)
            continue;
        sql_put(&sql, or);
        put_field_update(making, i, &sql);
        or = " OR ";
    }
    sql_put(&sql, ")");
    if (making->target->spec->where != NULL) {
        sql_put(&sql, " OR (");
        put_any(making, "NEW.", &sql);
        sql_put(&sql, " AND NOT ");
        guard_helper_put_where(making->target, making->out->id, "OLD.", &sql);
        sql_put(&sql, ")) AND ");
        guard_helper_put_where(making->target, making->out->id, "NEW.", &sql);
    } else {
        sql_put(&sql, ")");
    }
    return sql_take(&sql);
}

static void
add_helper(struct making *making, char *text)
{
    making->failed |= text == NULL;
    if (text != NULL)
        making->out->helpers[making->out->helper_count++] = text;
}

static void
make_helpers(struct making *making)
{
    const char *id = making->out->id;
    const struct envl_target *target = making->target;
    struct sql places = { 0 };

    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        if (guard_sql_gap(&target->fields[i]) != NULL)
            continue;
        if (making->out->covered++ > 0)
            sql_put(&places, ", ");
        guard_sql_field_name(&target->fields[i], &places);
        if (target->fields[i].mode == FIELD_WILD)
            add_helper(making,
                       guard_helper_finder(target, id, i,
                                           making->spec->empty_ok[i]));
    }
    if (target->spec->where != NULL)
        add_helper(making, guard_helper_where(target, id));
    making->out->places = sql_take(&places);
}

enum envl_status
guard_sql_make(const struct envl_target *target,
               const struct envl_guard_spec *spec, struct guard_sql *out,
               struct envl_error *err)
{
    crypto_generichash_state state;
    struct making making = { target, spec, out, false };

    crypto_generichash_init(&state, NULL, 0, 16);
    digest_add(&state, spec->job);
    digest_add(&state, target->label);
    out->job = spec->job;
    memcpy(out->id, "guard_", 6);
    digest_end(&state, out->id + 6);
    out->helpers = calloc(target->spec->field_count + 1u,
                          sizeof(*out->helpers));
    if (out->helpers == NULL)
        return store_nomem(target->store, err);
    make_helpers(&making);
    out->on_insert = row_sql(&making, "NEW.");
    out->on_update = update_sql(&making);
    out->of_row = row_sql(&making, "");
    if (making.failed || out->places == NULL || out->on_insert == NULL ||
        out->on_update == NULL || out->of_row == NULL)
        return store_nomem(target->store, err);

    crypto_generichash_init(&state, NULL, 0, 16);
    digest_add(&state, out->on_insert);
    digest_add(&state, out->on_update);
    for (uint32_t i = 0; i < out->helper_count; i++)
        digest_add(&state, out->helpers[i]);
    digest_end(&state, out->digest);
    return ENVL_OK;
}

void
guard_sql_free(struct guard_sql *guard)
{
    for (uint32_t i = 0; i < guard->helper_count; i++)
        free(guard->helpers[i]);
    free(guard->helpers);
    free(guard->on_insert);
    free(guard->on_update);
    free(guard->of_row);
    free(guard->places);
    *guard = (struct guard_sql){ .covered = 0 };
}
