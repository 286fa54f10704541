#include <stdlib.h>
#include <string.h>

#include "postgres/guard_cells.h"
#include "postgres/guard_helper.h"

/* pg_temp comes last, or it would come first. */
#define PINNED " SET search_path = pg_catalog, pg_temp "

/* ---- fields with wildcards ---------------------------------------------- */

/*
 * SELECT where (the members' names that wildcards matched), value and sibling
 * of each leaf in the jsonb ${root}.  An element's number is left out: a
 * value that moves up in its array is no new one.
 */
static void
put_leaves(struct sql *sql, const struct pg_field *field, PGconn *conn,
           const char *root)
{
    const struct envl_path *path = &field->spec->path;
    struct sql at = { 0 }, from = { 0 }, names = { 0 };
    char *parent = NULL;

    sql_put(&at, root);
    sql_put(&from, "(SELECT) AS one");
    for (uint32_t i = 0; i < path->count; i++) {
        const struct envl_segment *segment = &path->segments[i];
        bool member = segment->kind == ENVL_SEGMENT_ANY_MEMBER;
        char *here = sql_take(&at);

        if (segment->kind == ENVL_SEGMENT_MEMBER) {
            sql_format(&at, "(%s OPERATOR(pg_catalog.->) ", here);
            sql_literal(&at, conn, segment->name);
            sql_put(&at, "::pg_catalog.text)");
        } else {
            sql_format(&from, " CROSS JOIN LATERAL pg_catalog.%s(CASE "
                       "pg_catalog.jsonb_typeof(%s) WHEN '%s' THEN %s ELSE "
                       "'%s'::pg_catalog.jsonb END) AS m%u(%svalue)",
                       member ? "jsonb_each" : "jsonb_array_elements", here,
                       member ? "object" : "array", here,
                       member ? "{}" : "[]", i, member ? "name, " : "");
            if (member)
                sql_format(&names, "%sm%u.name", names.buf.len > 0 ? ", " : "",
                           i);
            sql_format(&at, "m%u.value", i);
        }
        free(parent);
        parent = here;
    }
    sql_format(sql, "SELECT ARRAY[%s]::pg_catalog.text[], %s, ",
               names.buf.len > 0 ? sql_text(&names) : "", sql_text(&at));
    if (field->spec->into != NULL) {
        sql_format(sql, "%s OPERATOR(pg_catalog.->) ", parent);
        sql_literal(sql, conn, envl_bytes_of(field->spec->into));
        sql_put(sql, "::pg_catalog.text");
    } else {
        sql_put(sql, "NULL::pg_catalog.jsonb");
    }
    sql_format(sql, " FROM %s", sql_text(&from));
    sql->failed |= at.failed || from.failed || names.failed;
    free(parent);
    sql_free(&at);
    sql_free(&from);
    sql_free(&names);
}

/* Names of the job stand in the body, so it is a literal as a whole. */
static char *
finish(PGconn *conn, struct sql *head, struct sql *body)
{
    const char *text = sql_text(body);
    char *whole = NULL;

    if (text != NULL) {
        sql_literal(head, conn, envl_bytes_of(text));
        whole = sql_take(head);
    }
    sql_free(head);
    sql_free(body);
    return whole;
}

char *
guard_helper_finder(const struct envl_target *target, const char *id,
                    uint32_t index, bool empty_ok)
{
    const struct pg_field *field = &target->fields[index];
    PGconn *conn = target->store->conn;
    char value[] = "l.v", sibling[] = "l.s";
    struct guard_cells leaf = { .value = value,
                                .class = COLUMN_JSONB,
                                .sibling_class = COLUMN_JSONB };
    struct sql head = { 0 }, body = { 0 };

    if (field->spec->into != NULL)
        leaf.sibling = sibling;
    sql_format(&head, "CREATE OR REPLACE FUNCTION envelope.%s_%u("
               "pg_catalog.jsonb, pg_catalog.jsonb) RETURNS pg_catalog.bool "
               "LANGUAGE sql IMMUTABLE" PINNED "AS ", id, index);
    sql_put(&body, "SELECT EXISTS (SELECT l.place, l.v, l.s FROM (");
    put_leaves(&body, field, conn, "$1");
    sql_put(&body, ") AS l(place, v, s) WHERE ");
    guard_cells_put_row(&body, &leaf, field->spec->keep_source, empty_ok);
    sql_put(&body, " EXCEPT ALL ");
    put_leaves(&body, field, conn, "$2");
    sql_put(&body, ")");
    return finish(conn, &head, &body);
}

/* ---- the job's condition ------------------------------------------------ */

/* Could ${where} name ${column}?  Too many do no harm. */
static bool
is_mentioned(const char *where, const struct pg_column *column)
{
    return !column->generated && strcasestr(where, column->name) != NULL;
}

char *
guard_helper_where(const struct envl_target *target, const char *id)
{
    const char *where = target->spec->where, *comma = "";
    PGconn *conn = target->store->conn;
    struct sql head = { 0 }, body = { 0 }, names = { 0 };
    uint32_t count = 0;

    sql_format(&head, "CREATE OR REPLACE FUNCTION envelope.%s_where(",
               id);
    sql_format(&body, "SELECT coalesce((SELECT (%s\n) FROM (SELECT ", where);
    for (uint32_t i = 0; i < target->column_count; i++) {
        const struct pg_column *column = &target->columns[i];

        if (!is_mentioned(where, column))
            continue;
        sql_format(&head, "%s%s", comma, column->type_name);
        sql_format(&body, "%s$%u", comma, ++count);
        sql_format(&names, "%s%s", comma, column->quoted);
        comma = ", ";
    }
    sql_put(&head, ") RETURNS pg_catalog.bool LANGUAGE sql STABLE" PINNED
            "SET standard_conforming_strings = on AS ");
    sql_put(&body, ") AS ");
    sql_name(&body, conn, target->name);
    if (count > 0)
        sql_format(&body, "(%s)", sql_text(&names));
    sql_put(&body, "), false)");
    body.failed |= names.failed;
    sql_free(&names);
    return finish(conn, &head, &body);
}

void
guard_helper_put_where(const struct envl_target *target, const char *id,
                       const char *row, struct sql *sql)
{
    const char *comma = "";

    sql_format(sql, "envelope.%s_where(", id);
    for (uint32_t i = 0; i < target->column_count; i++) {
        if (!is_mentioned(target->spec->where, &target->columns[i]))
            continue;
        sql_format(sql, "%s%s%s", comma, row, target->columns[i].quoted);
        comma = ", ";
    }
    sql_put(sql, ")");
}
