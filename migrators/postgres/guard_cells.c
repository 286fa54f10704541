#include <stdio.h>
#include <stdlib.h>

#include "postgres/begins.h"
#include "postgres/fields.h"
#include "postgres/guard_cells.h"

/* ${row} is "NEW.", "OLD." or nothing. */
static char *
column_sql(const char *row, const struct pg_column *column)
{
    char *text;

    return asprintf(&text, "%s%s", row, column->quoted) < 0 ? NULL : text;
}

bool
guard_cells_make(const struct pg_field *field, PGconn *conn, const char *row,
                 struct guard_cells *out)
{
    const struct envl_field_spec *spec = field->spec;
    char *base = column_sql(row, field->column);

    *out = (struct guard_cells){ .class = field->column->class };
    if (base == NULL)
        return false;
    if (field->mode == FIELD_MEMBER) {
        out->value = fields_member_sql(field, conn, base, spec->path.count,
                                       NULL);
        out->class = out->sibling_class = COLUMN_JSONB;
        if (spec->into != NULL)
            out->sibling = fields_member_sql(field, conn, base,
                                             spec->path.count, spec->into);
        free(base);
    } else {
        out->value = base;
        if (field->into != NULL) {
            out->sibling = column_sql(row, field->into);
            out->sibling_class = field->into->class;
        }
    }
    return out->value != NULL && (spec->into == NULL || out->sibling != NULL);
}

void
guard_cells_free(struct guard_cells *cells)
{
    free(cells->value);
    free(cells->sibling);
}

/* No envelope stands at the sibling. */
static void
put_alone(struct sql *sql, const struct guard_cells *cells)
{
    sql_format(sql, " AND NOT ((%s) IS NOT NULL AND ", cells->sibling);
    begins_put(sql, cells->sibling_class, cells->sibling, "");
    sql_put(sql, ")");
}

void
guard_cells_put_row(struct sql *sql, const struct guard_cells *cells,
                    bool keep, bool empty_ok)
{
    sql_put(sql, "(");
    begins_put_plain(sql, cells->class, cells->value, empty_ok);
    if (cells->sibling != NULL && keep)
        put_alone(sql, cells);
    if (cells->sibling != NULL) {
        sql_put(sql, " OR ");
        begins_put_plain(sql, cells->sibling_class, cells->sibling, empty_ok);
    }
    sql_put(sql, ")");
}

static void
put_moved(struct sql *sql, const char *now, const char *before)
{
    sql_format(sql, "(%s) IS DISTINCT FROM (%s)", now, before);
}

/*
 * In sibling mode a source that changes without its envelope is one that
 * nobody sealed.
 */
void
guard_cells_put_update(struct sql *sql, const struct guard_cells *now,
                       const struct guard_cells *before, bool keep,
                       bool empty_ok)
{
    sql_put(sql, "((");
    begins_put_plain(sql, now->class, now->value, empty_ok);
    sql_put(sql, " AND ");
    if (now->sibling != NULL && keep) {
        sql_put(sql, "(");
        put_moved(sql, now->value, before->value);
        sql_put(sql, " AND NOT ");
        put_moved(sql, now->sibling, before->sibling);
        sql_put(sql, " OR ");
        put_moved(sql, now->sibling, before->sibling);
        put_alone(sql, now);
        sql_put(sql, ")");
    } else {
        put_moved(sql, now->value, before->value);
    }
    sql_put(sql, ")");
    if (now->sibling != NULL) {
        sql_put(sql, " OR (");
        begins_put_plain(sql, now->sibling_class, now->sibling, empty_ok);
        sql_put(sql, " AND ");
        put_moved(sql, now->sibling, before->sibling);
        sql_put(sql, ")");
    }
    sql_put(sql, ")");
}
