#include <string.h>

#include "postgres/grants.h"

bool
grants_is_written(const struct envl_target *target,
                  const struct pg_column *column)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct pg_field *field = &target->fields[i];
        bool cleared = field->into != NULL && !field->spec->keep_source;

        if (column == field->into ||
            (column == field->column && (field->into == NULL || cleared)))
            return true;
    }
    return false;
}

static bool
is_read(const struct envl_target *target, const struct pg_column *column)
{
    for (uint32_t i = 0; i < target->key_count; i++) {
        if (target->keys[i] == column)
            return true;
    }
    for (uint32_t i = 0; i < target->spec->extra_count; i++) {
        if (target->extras[i] == column)
            return true;
    }
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        if (target->fields[i].column == column ||
            target->fields[i].into == column)
            return true;
    }
    return false;
}

/*
 * Row versions are in the system columns ctid and xmin: a grant on them is
 * part of a grant on the whole table, or is given by name.
 */
static bool
has_versions(const struct envl_target *target)
{
    return target->kind != 'v';
}

/* The columns read (or written), and how many. */
static uint32_t
put_columns(const struct envl_target *target, bool written, bool missing,
            struct sql *sql)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < target->column_count; i++) {
        const struct pg_column *column = &target->columns[i];
        bool has = written ? column->can_write : column->can_read;

        if (!(written ? grants_is_written(target, column)
                      : is_read(target, column)) || (missing && has))
            continue;
        sql_format(sql, "%s%s", count++ == 0 ? "" : ", ", column->quoted);
    }
    return count;
}

enum envl_status
grants_put(const struct envl_target *target, const char *role,
           void (*append)(void *cookie, const char *text), void *cookie,
           struct envl_error *err)
{
    PGconn *conn = target->store->conn;
    struct sql sql = { 0 };
    const char *text;

    sql_put(&sql, "GRANT USAGE ON SCHEMA ");
    sql_name(&sql, conn, target->schema);
    sql_format(&sql, " TO %s;\nGRANT SELECT (", role);
    put_columns(target, false, false, &sql);
    sql_format(&sql, "%s) ON %s TO %s;\nGRANT UPDATE (",
               has_versions(target) ? ", ctid, xmin" : "", target->label,
               role);
    put_columns(target, true, false, &sql);
    sql_format(&sql, ") ON %s TO %s;\n", target->label, role);
    if (target->spec->where != NULL)
        sql_format(&sql, "-- and SELECT on what the condition of %s names\n",
                   target->label);
    text = sql_text(&sql);
    if (text != NULL)
        append(cookie, text);
    sql_free(&sql);
    return text == NULL ? store_nomem(target->store, err) : ENVL_OK;
}

enum envl_status
grants_note(const struct envl_target *target, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status = ENVL_OK;

    for (int written = 0; written < 2 && status == ENVL_OK; written++) {
        struct sql columns = { 0 };
        uint32_t count = put_columns(target, written, true, &columns);
        const char *text = sql_text(&columns);

        if (text == NULL)
            status = store_nomem(store, err);
        else if (count > 0)
            store_note(store, ENVL_NOTE_GRANT, target->label,
                       "GRANT %s (%s) ON %s TO CURRENT_USER;",
                       written ? "UPDATE" : "SELECT", text, target->label);
        sql_free(&columns);
    }
    return status;
}
