#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/catalog.h"
#include "postgres/fields.h"
#include "postgres/session.h"

/* ---- SQL of places in a jsonb document ---------------------------------- */

/*
 * #> takes a name that reads as a number for an element's index where it
 * meets an array; -> with text is for members only.
 */
static bool
reads_as_index(struct envl_bytes name)
{
    uint8_t c = name.len == 0 ? 'x' : name.ptr[0];

    return isdigit(c) || isspace(c) || c == '-' || c == '+';
}

/* The names of ${path}, the last replaced by ${into} unless it is NULL. */
static struct envl_bytes
name_at(const struct envl_path *path, uint32_t count, uint32_t index,
        const char *into)
{
    return into != NULL && index + 1 == count ? envl_bytes_of(into)
                                              : path->segments[index].name;
}

char *
fields_member_sql(const struct pg_field *field, PGconn *conn,
                  const char *base, uint32_t count, const char *into)
{
    const struct envl_path *path = &field->spec->path;
    struct sql sql = { 0 };
    bool members_only = count == 1;

    for (uint32_t i = 0; i < count; i++)
        members_only |= reads_as_index(name_at(path, count, i, into));
    sql_put(&sql, base);
    if (members_only) {
        for (uint32_t i = 0; i < count; i++) {
            sql_put(&sql, " OPERATOR(pg_catalog.->) ");
            sql_literal(&sql, conn, name_at(path, count, i, into));
            sql_put(&sql, "::pg_catalog.text");
        }
    } else if (count > 0) {
        sql_put(&sql, " OPERATOR(pg_catalog.#>) ARRAY[");
        for (uint32_t i = 0; i < count; i++) {
            sql_put(&sql, i == 0 ? "" : ", ");
            sql_literal(&sql, conn, name_at(path, count, i, into));
        }
        sql_put(&sql, "]::pg_catalog.text[]");
    }
    return sql_take(&sql);
}

static char *
path_sql(const struct pg_field *field, PGconn *conn, const char *into)
{
    const struct envl_path *path = &field->spec->path;
    struct sql sql = { 0 };

    sql_put(&sql, "ARRAY[");
    for (uint32_t i = 0; i < path->count; i++) {
        sql_put(&sql, i == 0 ? "" : ", ");
        sql_literal(&sql, conn, name_at(path, path->count, i, into));
    }
    sql_put(&sql, "]::pg_catalog.text[]");
    return sql_take(&sql);
}

/* ---- cells: what a page's result holds of each row ---------------------- */

/* The bytes that the client will see of ${cell}, for the server to digest. */
static char *
digest_sql(const char *cell, enum column_class class)
{
    struct sql sql = { 0 };

    if (class == COLUMN_BYTEA)
        sql_format(&sql, "(%s)", cell);
    else
        sql_format(&sql, "pg_catalog.textsend((%s)::pg_catalog.text)", cell);
    return sql_take(&sql);
}

/* Add a cell, owning ${sql}; its place, or -1 if memory was short. */
static int
add_cell(struct envl_target *target, char *sql, enum column_class class)
{
    size_t count = target->cell_count;
    char *digest = sql == NULL ? NULL : digest_sql(sql, class);

    if (digest == NULL) {
        free(sql);
        return -1;
    }
    target->cells[count] = sql;
    target->digests[count] = digest;
    target->cell_count++;
    return (int)count;
}

static int
add_column_cell(struct envl_target *target, const struct pg_column *column)
{
    return add_cell(target, strdup(column->sql), column->class);
}

static uint32_t
first_wildcard(const struct envl_path *path)
{
    uint32_t i = 0;

    while (i < path->count && path->segments[i].kind == ENVL_SEGMENT_MEMBER)
        i++;
    return i;
}

static bool
add_member_cells(struct envl_target *target, struct pg_field *field)
{
    PGconn *conn = target->store->conn;
    const struct envl_field_spec *spec = field->spec;

    field->path_sql = path_sql(field, conn, NULL);
    field->value_at = add_cell(target,
                               fields_member_sql(field, conn,
                                                 field->column->sql,
                                                 spec->path.count, NULL),
                               COLUMN_JSONB);
    if (spec->into != NULL) {
        field->into_sql = path_sql(field, conn, spec->into);
        field->sibling_at = add_cell(target,
                                     fields_member_sql(field, conn,
                                                       field->column->sql,
                                                       spec->path.count,
                                                       spec->into),
                                     COLUMN_JSONB);
    }
    return field->path_sql != NULL && field->value_at >= 0 &&
           (spec->into == NULL ||
            (field->into_sql != NULL && field->sibling_at >= 0));
}

static bool
add_document_cell(struct envl_target *target, uint32_t index)
{
    struct pg_field *field = &target->fields[index];
    uint32_t first = fields_document(target, index);

    if (field->mode == FIELD_WILD)
        field->value_at = add_cell(target,
                                   fields_member_sql(field,
                                                     target->store->conn,
                                                     field->column->sql,
                                                     field->prefix, NULL),
                                   COLUMN_JSONB);
    else if (first != index)
        field->value_at = target->fields[first].value_at;
    else
        field->value_at = add_column_cell(target, field->column);
    return field->value_at >= 0;
}

static bool
add_field_cells(struct envl_target *target, uint32_t index)
{
    struct pg_field *field = &target->fields[index];

    field->value_at = field->sibling_at = -1;
    switch (field->mode) {
    case FIELD_COLUMN:
    case FIELD_ROOT:
        field->value_at = add_column_cell(target, field->column);
        if (field->into != NULL)
            field->sibling_at = add_column_cell(target, field->into);
        return field->value_at >= 0 &&
               (field->into == NULL || field->sibling_at >= 0);
    case FIELD_MEMBER:
        return add_member_cells(target, field);
    case FIELD_WILD:
    case FIELD_SPLICE:
        break;
    }
    return add_document_cell(target, index);
}

uint32_t
fields_document(const struct envl_target *target, uint32_t field)
{
    for (uint32_t i = 0; i < field; i++) {
        if (target->fields[i].mode == FIELD_SPLICE &&
            target->fields[i].column == target->fields[field].column)
            return i;
    }
    return field;
}

/* ---- columns against the job -------------------------------------------- */

static enum envl_status
find_column(struct envl_target *target, const char *name,
            struct pg_column **out, struct envl_error *err)
{
    *out = name == NULL ? NULL : catalog_column(target, name);
    if (name == NULL)
        return store_fail(target->store, err, ENVL_E_USAGE,
                          "%s: every field needs a column", target->label);
    if (*out == NULL) {
        store_fail(target->store, err, ENVL_E_NOTFOUND,
                   "%s has no column %s", target->label, name);
        store_hint(target->store, err, "columns are spelled as the catalog "
                   "spells them: lower case unless they were quoted");
        return ENVL_E_NOTFOUND;
    }
    return ENVL_OK;
}

static enum envl_status
refuse_type(const struct envl_target *target, const struct pg_column *column,
            const char *why, struct envl_error *err)
{
    store_fail(target->store, err, ENVL_E_USAGE, "%s.%s is of type %s: %s",
               target->label, column->name, column->type_name, why);
    store_hint(target->store, err, "text, varchar, bytea, json and jsonb "
               "columns can be sealed; let \"into\" name a column of such a "
               "type, or ALTER TABLE %s ALTER COLUMN %s TYPE text;",
               target->label, column->quoted);
    return ENVL_E_USAGE;
}

/* Can ${column} be read and written exactly? */
static enum envl_status
check_column(const struct envl_target *target, const struct pg_column *column,
             struct envl_error *err)
{
    switch (column->class) {
    case COLUMN_TEXT:
    case COLUMN_BYTEA:
    case COLUMN_JSON:
    case COLUMN_JSONB:
        break;
    case COLUMN_CHAR:
        return refuse_type(target, column, "the server pads it with spaces",
                           err);
    case COLUMN_INT2:
    case COLUMN_INT4:
    case COLUMN_INT8:
    case COLUMN_UUID:
    case COLUMN_OTHER:
        return refuse_type(target, column, "it cannot hold an envelope", err);
    }
    if (!column->plain_collation)
        return refuse_type(target, column, "its collation is "
                           "nondeterministic, so different texts are equal",
                           err);
    if (column->generated)
        return store_fail(target->store, err, ENVL_E_USAGE,
                          "%s.%s is a generated column: seal what it is "
                          "computed from", target->label, column->name);
    for (uint32_t i = 0; i < target->key_count; i++) {
        if (target->keys[i] == column)
            return store_fail(target->store, err, ENVL_E_USAGE,
                              "%s.%s is part of the key: it cannot be sealed",
                              target->label, column->name);
    }
    return ENVL_OK;
}

static bool
is_json(const struct pg_column *column)
{
    return column->class == COLUMN_JSON || column->class == COLUMN_JSONB;
}

static enum envl_status
choose_mode(struct envl_target *target, struct pg_field *field,
            struct envl_error *err)
{
    const struct envl_path *path = &field->spec->path;

    if (path->count == 0) {
        field->mode = is_json(field->column) ? FIELD_ROOT : FIELD_COLUMN;
        return ENVL_OK;
    }
    if (field->column->class == COLUMN_BYTEA)
        return refuse_type(target, field->column, "a path needs JSON", err);
    field->prefix = field->column->class == COLUMN_JSONB ? first_wildcard(path)
                                                         : 0;
    if (field->column->class != COLUMN_JSONB) {
        field->mode = FIELD_SPLICE;
        return session_check_log(target->store, "whole json documents", err);
    }
    field->mode = field->prefix == path->count ? FIELD_MEMBER : FIELD_WILD;
    return ENVL_OK;
}

static enum envl_status
make_finder(struct pg_field *field, struct envl_error *err)
{
    struct json_path_spec spec = {
        .pattern = field->spec->path,
        .prefix = field->prefix,
        .into = field->spec->into,
        .element_id = field->spec->element_id,
    };

    if (field->mode != FIELD_WILD && field->mode != FIELD_SPLICE)
        return ENVL_OK;
    return json_path_new(&spec, &field->finder, err);
}

/* ---- what the engine is told -------------------------------------------- */

/* Inside JSON an envelope is a string or an object. */
static enum envl_kind
takes(const struct pg_field *field)
{
    const struct pg_column *where = field->into != NULL ? field->into
                                                        : field->column;

    if (where->class == COLUMN_BYTEA)
        return ENVL_KIND_BYTES;
    return is_json(where) || field->spec->path.count > 0 ? ENVL_KIND_JSON
                                                         : ENVL_KIND_TEXT;
}

static enum envl_status
bind_field(struct envl_target *target, uint32_t index, struct envl_error *err)
{
    struct pg_field *field = &target->fields[index];
    struct pg_column *where;
    enum envl_status status;

    field->spec = &target->spec->fields[index];
    status = find_column(target, field->spec->column, &field->column, err);
    if (status == ENVL_OK && field->spec->into != NULL &&
        field->spec->path.count == 0)
        status = find_column(target, field->spec->into, &field->into, err);
    if (status == ENVL_OK)
        status = check_column(target, field->column, err);
    if (status == ENVL_OK && field->into != NULL)
        status = check_column(target, field->into, err);
    if (status == ENVL_OK && field->into == field->column)
        status = store_fail(target->store, err, ENVL_E_USAGE,
                            "%s.%s: \"into\" names the column itself",
                            target->label, field->column->name);
    if (status == ENVL_OK)
        status = choose_mode(target, field, err);
    if (status == ENVL_OK)
        status = make_finder(field, err);
    if (status == ENVL_OK && !add_field_cells(target, index))
        status = store_nomem(target->store, err);
    if (status != ENVL_OK)
        return status;

    where = field->into != NULL ? field->into : field->column;
    target->field_infos[index] = (struct envl_field_info){
        .takes = takes(field),
        .max_len = field->spec->path.count == 0 ? where->max_chars : 0,
        .source_not_null = field->spec->path.count == 0 &&
                           field->column->not_null,
        .column = where->name,
    };
    return ENVL_OK;
}

/* A column whose text contexts need: of a type that writes as keys do. */
static enum envl_status
bind_extra(struct envl_target *target, uint32_t index, struct envl_error *err)
{
    struct pg_column *column;
    enum envl_status status;
    char *sql;

    status = find_column(target, target->spec->extras[index], &column, err);
    if (status != ENVL_OK)
        return status;
    if (column->class > COLUMN_TEXT)
        return store_fail(target->store, err, ENVL_E_USAGE,
                          "%s.%s is of type %s: a context takes integer, "
                          "uuid, text and varchar columns", target->label,
                          column->name, column->type_name);
    target->extras[index] = column;
    if (asprintf(&sql, "%s::pg_catalog.text", column->sql) < 0)
        sql = NULL;
    return add_cell(target, sql, COLUMN_TEXT) < 0
               ? store_nomem(target->store, err)
               : ENVL_OK;
}

enum envl_status
fields_bind(struct envl_target *target, struct envl_error *err)
{
    const struct envl_target_spec *spec = target->spec;
    size_t cells = spec->extra_count + 2 * (size_t)spec->field_count + 1;
    enum envl_status status = ENVL_OK;

    target->fields = calloc(spec->field_count + 1, sizeof(*target->fields));
    target->extras = calloc(spec->extra_count + 1, sizeof(*target->extras));
    target->cells = calloc(cells, sizeof(*target->cells));
    target->digests = calloc(cells, sizeof(*target->digests));
    target->field_infos = calloc(spec->field_count + 1,
                                 sizeof(*target->field_infos));
    if (target->fields == NULL || target->extras == NULL ||
        target->cells == NULL || target->digests == NULL ||
        target->field_infos == NULL)
        return store_nomem(target->store, err);
    for (uint32_t i = 0; i < spec->extra_count && status == ENVL_OK; i++)
        status = bind_extra(target, i, err);
    for (uint32_t i = 0; i < spec->field_count && status == ENVL_OK; i++)
        status = bind_field(target, i, err);
    return status;
}

void
fields_free(struct envl_target *target)
{
    for (uint32_t i = 0; target->fields != NULL &&
                         i < target->spec->field_count; i++) {
        free(target->fields[i].path_sql);
        free(target->fields[i].into_sql);
        json_path_free(target->fields[i].finder);
    }
    for (uint32_t i = 0; i < target->cell_count; i++) {
        free(target->cells[i]);
        free(target->digests[i]);
    }
    free(target->fields);
    free(target->extras);
    free(target->cells);
    free(target->digests);
    free(target->field_infos);
}
