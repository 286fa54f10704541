#include <stdlib.h>

#include "postgres/cells.h"
#include "postgres/keys.h"
#include "postgres/shape.h"

#define TYPE_TEXT  25u
#define TYPE_BYTEA 17u

/* The parameter of the first slot's first array. */
static uint32_t
first_slot(const struct envl_target *target)
{
    return SHAPE_KEYS + target->key_count;
}

/* The column that receives what is put. */
static const struct pg_column *
where_to(const struct pg_field *field, const struct slot *slot)
{
    return (slot->flags & ENVL_EDIT_INTO) != 0 && field->into != NULL
               ? field->into
               : field->column;
}

struct slot_arrays
shape_arrays(const struct envl_target *target, const struct slot *slot)
{
    const struct pg_field *field = &target->fields[slot->field];
    struct slot_arrays arrays = {
        .value = slot->kind != ENVL_KIND_ABSENT,
        .type = where_to(field, slot)->class == COLUMN_BYTEA ? TYPE_BYTEA
                                                             : TYPE_TEXT,
    };

    if (field->mode == FIELD_WILD) {
        arrays.into = (slot->flags & ENVL_EDIT_INTO) != 0;
        arrays.source = !arrays.into || (slot->flags & ENVL_EDIT_CLEAR) != 0;
    }
    return arrays;
}

/* ---- one slot's SQL ----------------------------------------------------- */

/* A slot and its place among the arrays, which are columns v, s and i with
   its number in the list of new values. */
struct place {
    const struct envl_target *target;
    const struct pg_field *field;
    const struct slot *slot;
    uint32_t number;
};

static struct place
place_of(const struct envl_target *target, const struct shape *shape,
         uint32_t number)
{
    return (struct place){ target,
                           &target->fields[shape->slots[number].field],
                           &shape->slots[number], number };
}

/* What is put, of the type of its place. */
static void
put_value(const struct place *place, struct sql *sql)
{
    enum column_class class = where_to(place->field, place->slot)->class;
    bool document = place->field->mode == FIELD_SPLICE ||
                    place->slot->kind == ENVL_KIND_JSON;

    if (class == COLUMN_JSONB)
        sql_format(sql, document ? "envl_new.v%u::pg_catalog.jsonb"
                                 : "pg_catalog.to_jsonb(envl_new.v%u)",
                   place->number);
    else if (class == COLUMN_JSON)
        sql_format(sql, document ? "envl_new.v%u::pg_catalog.json"
                                 : "pg_catalog.to_json(envl_new.v%u)",
                   place->number);
    else
        sql_format(sql, "envl_new.v%u", place->number);
}

static void
put_path(const struct place *place, bool into, struct sql *sql)
{
    if (place->field->mode == FIELD_WILD)
        sql_format(sql, "envl_new.%c%u::pg_catalog.text[]", into ? 'i' : 's',
                   place->number);
    else
        sql_put(sql, into ? place->field->into_sql : place->field->path_sql);
}

static bool
is_member(const struct place *place)
{
    return place->field->mode == FIELD_MEMBER ||
           place->field->mode == FIELD_WILD;
}

/* Put a member of the document ${inner}, and remove its source. */
static void
put_member(const struct place *place, struct sql *sql, const char *inner)
{
    bool into = (place->slot->flags & ENVL_EDIT_INTO) != 0;
    bool clear = (place->slot->flags & ENVL_EDIT_CLEAR) != 0;

    sql_put(sql, clear ? "(" : "");
    if (place->slot->kind == ENVL_KIND_ABSENT) {
        sql_put(sql, inner);
    } else {
        sql_format(sql, "pg_catalog.jsonb_set(%s, ", inner);
        put_path(place, into, sql);
        sql_put(sql, ", ");
        put_value(place, sql);
        sql_put(sql, into ? ", true)" : ", false)");
    }
    if (clear) {
        sql_put(sql, " OPERATOR(pg_catalog.#-) ");
        put_path(place, false, sql);
        sql_put(sql, ")");
    }
}

/* ---- SET ---------------------------------------------------------------- */

/* All members of one jsonb column, set one inside the other. */
static void
put_document(const struct envl_target *target, const struct shape *shape,
             uint32_t first, struct sql *sql)
{
    const struct pg_column *column =
        target->fields[shape->slots[first].field].column;
    struct sql inner = { 0 };

    sql_put(&inner, column->sql);
    for (uint32_t i = first; i < shape->count; i++) {
        struct place place = place_of(target, shape, i);
        struct sql outer = { 0 };
        const char *text = sql_text(&inner);

        if (!is_member(&place) || place.field->column != column)
            continue;
        put_member(&place, &outer, text == NULL ? "" : text);
        outer.failed |= text == NULL;
        sql_free(&inner);
        inner = outer;
    }
    sql_format(sql, "%s = %s", column->quoted,
               sql_text(&inner) == NULL ? "" : sql_text(&inner));
    sql->failed |= inner.failed;
    sql_free(&inner);
}

/* Has an earlier slot set this slot's column? */
static bool
is_done(const struct envl_target *target, const struct shape *shape,
        uint32_t number)
{
    struct place place = place_of(target, shape, number);

    for (uint32_t i = 0; i < number; i++) {
        struct place other = place_of(target, shape, i);

        if (is_member(&other) && other.field->column == place.field->column)
            return true;
    }
    return false;
}

static void
put_column(const struct place *place, struct sql *sql)
{
    bool clear = (place->slot->flags & ENVL_EDIT_CLEAR) != 0;

    if (place->slot->kind != ENVL_KIND_ABSENT) {
        sql_format(sql, "%s = ",
                   where_to(place->field, place->slot)->quoted);
        put_value(place, sql);
        sql_put(sql, clear ? ", " : "");
    }
    if (clear)
        sql_format(sql, "%s = NULL", place->field->column->quoted);
}

static void
put_assignments(const struct envl_target *target, const struct shape *shape,
                struct sql *sql)
{
    const char *comma = "";

    for (uint32_t i = 0; i < shape->count; i++) {
        struct place place = place_of(target, shape, i);

        if (is_member(&place) && is_done(target, shape, i))
            continue;
        sql_put(sql, comma);
        comma = ", ";
        if (is_member(&place))
            put_document(target, shape, i, sql);
        else
            put_column(&place, sql);
    }
}

/* ---- RETURNING: is it what was sent (MIG-34) ---------------------------- */

static void
check_member(const struct place *place, struct sql *sql)
{
    const char *column = place->field->column->sql;
    bool into = (place->slot->flags & ENVL_EDIT_INTO) != 0;
    bool text = place->slot->kind == ENVL_KIND_TEXT;

    if (place->slot->kind != ENVL_KIND_ABSENT) {
        sql_format(sql, " AND %s OPERATOR(pg_catalog.%s) ", column,
                   text ? "#>>" : "#>");
        put_path(place, into, sql);
        sql_format(sql, SQL_EQ "envl_new.v%u%s", place->number,
                   text ? "" : "::pg_catalog.jsonb");
    }
    if ((place->slot->flags & ENVL_EDIT_CLEAR) != 0) {
        sql_format(sql, " AND %s OPERATOR(pg_catalog.#>) ", column);
        put_path(place, false, sql);
        sql_put(sql, " IS NULL");
    }
}

static void
check_column(const struct place *place, struct sql *sql)
{
    const struct pg_column *column = where_to(place->field, place->slot);

    if (place->slot->kind != ENVL_KIND_ABSENT) {
        bool json = column->class == COLUMN_JSON; /* has no equality */

        sql_format(sql, " AND %s%s" SQL_EQ "(", column->sql,
                   json ? "::pg_catalog.text" : "");
        put_value(place, sql);
        sql_put(sql, json ? ")::pg_catalog.text" : ")");
    }
    if ((place->slot->flags & ENVL_EDIT_CLEAR) != 0)
        sql_format(sql, " AND %s IS NULL", place->field->column->sql);
}

static void
put_check(const struct envl_target *target, const struct shape *shape,
          struct sql *sql)
{
    sql_put(sql, " RETURNING CASE WHEN true");
    for (uint32_t i = 0; i < shape->count; i++) {
        struct place place = place_of(target, shape, i);

        if (is_member(&place))
            check_member(&place, sql);
        else
            check_column(&place, sql);
    }
    sql_put(sql, " THEN envl_new.n ELSE OPERATOR(pg_catalog.~) envl_new.n "
            "END");
}

/* ---- which rows --------------------------------------------------------- */

/* The arrays side by side, a row each. */
static void
put_arrays(const struct envl_target *target, const struct shape *shape,
           enum row_form form, struct sql *sql)
{
    uint32_t next = first_slot(target);

    sql_put(sql, "(SELECT ");
    if (form == ROW_VALUE)
        sql_put(sql, "pg_catalog.unnest($2::pg_catalog.bytea[]) AS digest");
    else
        sql_put(sql, "pg_catalog.unnest($1::pg_catalog.tid[]) AS tid, "
                "pg_catalog.unnest($2::pg_catalog.xid[]) AS xid");
    sql_put(sql, ", pg_catalog.unnest($3::pg_catalog.int4[]) AS n");
    for (uint32_t i = 0; i < target->key_count; i++) {
        sql_put(sql, ", ");
        keys_put_unnest(target->keys[i], sql, SHAPE_KEYS + i);
        sql_format(sql, " AS k%u", i);
    }
    for (uint32_t i = 0; shape != NULL && i < shape->count; i++) {
        struct slot_arrays arrays = shape_arrays(target, &shape->slots[i]);
        const char *type = arrays.type == TYPE_BYTEA ? "bytea" : "text";

        if (arrays.value)
            sql_format(sql, ", pg_catalog.unnest($%u::pg_catalog.%s[]) AS v%u",
                       next++, type, i);
        if (arrays.source)
            sql_format(sql, ", pg_catalog.unnest($%u::pg_catalog.text[]) AS "
                       "s%u", next++, i);
        if (arrays.into)
            sql_format(sql, ", pg_catalog.unnest($%u::pg_catalog.text[]) AS "
                       "i%u", next++, i);
    }
    sql_put(sql, ")");
}

/* The compare of the compare-and-swap (spec: JOB-51). */
static void
put_match(const struct envl_target *target, enum row_form form,
          struct sql *sql)
{
    const char *table = target->sql;

    if (form == ROW_TID)
        sql_format(sql, "%s.ctid" SQL_EQ "ANY($1::pg_catalog.tid[]) AND ",
                   table);
    if (form == ROW_VALUE) {
        cells_put_digest(target, sql, 1);
        sql_put(sql, SQL_EQ "envl_new.digest");
        if (target->spec->where != NULL)
            sql_format(sql, " AND (%s\n)", target->spec->where);
    } else {
        sql_format(sql, "%s.ctid" SQL_EQ "envl_new.tid AND %s.xmin" SQL_EQ
                   "envl_new.xid", table, table);
    }
    for (uint32_t i = 0; i < target->key_count; i++)
        sql_format(sql, " AND %s" SQL_EQ "envl_new.k%u", target->keys[i]->sql,
                   i);
}

static void
put_lock(const struct envl_target *target, struct sql *sql)
{
    sql_put(sql, " ORDER BY envl_new.n FOR NO KEY UPDATE OF ");
    sql_name(sql, target->store->conn, target->name);
    sql_put(sql, " SKIP LOCKED");
}

char *
shape_update(const struct envl_target *target, const struct shape *shape,
             enum row_form form, bool locking)
{
    struct sql sql = { 0 };

    if (locking) {
        sql_put(&sql, "WITH envl_new AS MATERIALIZED (SELECT envl_new.* FROM ");
        put_arrays(target, shape, form, &sql);
        sql_format(&sql, " AS envl_new, %s%s WHERE ", target->only,
                   target->sql);
        put_match(target, form, &sql);
        put_lock(target, &sql);
        sql_put(&sql, ") ");
    }
    sql_format(&sql, "UPDATE %s%s SET ", target->only, target->sql);
    put_assignments(target, shape, &sql);
    sql_put(&sql, " FROM ");
    if (!locking)
        put_arrays(target, shape, form, &sql);
    sql_put(&sql, locking ? "envl_new WHERE " : " AS envl_new WHERE ");
    put_match(target, form, &sql);
    put_check(target, shape, &sql);
    return sql_take(&sql);
}

char *
shape_probe(const struct envl_target *target, enum row_form form)
{
    struct sql sql = { 0 };

    sql_put(&sql, "SELECT envl_new.n FROM ");
    put_arrays(target, NULL, form, &sql);
    sql_format(&sql, " AS envl_new, %s%s WHERE ", target->only, target->sql);
    put_match(target, form, &sql);
    return sql_take(&sql);
}
