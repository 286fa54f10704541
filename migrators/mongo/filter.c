#include <stdio.h>
#include <string.h>

#include "mongo/change.h"
#include "mongo/filter.h"
#include "mongo/hash.h"
#include "mongo/object.h"

/* ---- what a cell is ----------------------------------------------------- */

/* The cell as a BSON value, in a document of its own that is ${room}. */
static bool
value_of(const struct envl_cell *cell, bson_t *room, bson_iter_t *out)
{
    return object_append(room, envl_bytes_of("v"), cell) &&
           bson_iter_init(out, room) && bson_iter_next(out);
}

/* As the operators $type of queries and of expressions name it. */
static const struct type_name {
    bson_type_t type;
    const char *name;
} type_names[] = {
    { BSON_TYPE_DOUBLE, "double" },   { BSON_TYPE_UTF8, "string" },
    { BSON_TYPE_DOCUMENT, "object" }, { BSON_TYPE_ARRAY, "array" },
    { BSON_TYPE_BINARY, "binData" },  { BSON_TYPE_OID, "objectId" },
    { BSON_TYPE_BOOL, "bool" },       { BSON_TYPE_DATE_TIME, "date" },
    { BSON_TYPE_NULL, "null" },       { BSON_TYPE_REGEX, "regex" },
    { BSON_TYPE_INT32, "int" },       { BSON_TYPE_TIMESTAMP, "timestamp" },
    { BSON_TYPE_INT64, "long" },      { BSON_TYPE_DECIMAL128, "decimal" },
};

static const char *
name_of(bson_type_t type)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (type_names[i].type == type)
            return type_names[i].name;
    }
    return NULL;
}

static bool
in_array(const struct envl_path *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        if (path->segments[i].kind == ENVL_SEGMENT_ELEMENT)
            return true;
    }
    return false;
}

enum filter_form
filter_form(const struct server *server, const struct envl_path *path,
            const struct envl_cell *cell)
{
    bson_t room = BSON_INITIALIZER;
    bool named = cell->kind == ENVL_KIND_ABSENT;
    bson_iter_t at;

    if (server->hash &&
        (cell->kind == ENVL_KIND_TEXT || cell->kind == ENVL_KIND_BYTES))
        return FILTER_HASHED;
    if (!in_array(path))
        return FILTER_PLAIN;
    if (!named && value_of(cell, &room, &at))
        named = name_of(bson_iter_type(&at)) != NULL;
    bson_destroy(&room);
    return server->expressions && named ? FILTER_EXPRESSION : FILTER_NONE;
}

/* ---- the plain form ----------------------------------------------------- */

bool
filter_plain(const struct envl_path *path, const struct envl_cell *cell,
             struct arena *arena, bson_t *q)
{
    bson_t room = BSON_INITIALIZER, is, not;
    struct envl_bytes name;
    bson_iter_t at;
    bool ok = true;

    if (change_dotted(path, arena, &name) != ENVL_OK)
        return false;
    bson_append_document_begin(q, (const char *)name.ptr, (int)name.len, &is);
    if (cell->kind == ENVL_KIND_ABSENT) {
        BSON_APPEND_BOOL(&is, "$exists", false);
    } else if (value_of(cell, &room, &at)) {
        bson_type_t type = bson_iter_type(&at);

        if (type != BSON_TYPE_NULL) /* which would also mean: not there */
            ok = object_append(&is, envl_bytes_of("$eq"), cell);
        BSON_APPEND_INT32(&is, "$type",
                          type == BSON_TYPE_MINKEY ? -1 : (int32_t)type);
        if (type != BSON_TYPE_ARRAY) {
            BSON_APPEND_DOCUMENT_BEGIN(&is, "$not", &not);
            BSON_APPEND_INT32(&not, "$type", BSON_TYPE_ARRAY);
            bson_append_document_end(&is, &not);
        }
    } else {
        ok = false;
    }
    bson_append_document_end(q, &is);
    bson_destroy(&room);
    return ok;
}

/* ---- expressions -------------------------------------------------------- */

/* "$a.b" or "$$s.a.b" of the names in segments [from, to). */
static bool
append_names(const struct envl_path *path, uint32_t from, uint32_t to,
             const char *prefix, struct arena *arena, bson_t *out,
             const char *key)
{
    const struct envl_path names = { path->segments + from, to - from };
    struct envl_bytes dotted;
    char *text;
    bool ok;

    if (change_dotted(&names, arena, &dotted) != ENVL_OK)
        return false;
    text = bson_strdup_printf("%s%s", prefix, (const char *)dotted.ptr);
    ok = BSON_APPEND_UTF8(out, key, text);
    bson_free(text);
    return ok;
}

/*
 * The value at the first ${count} segments of ${path} as the expression
 * ${key} of ${out}.  A number in a field path would be a member's name, so
 * each element is a step of its own: {$arrayElemAt: [..., 2]}, and what
 * follows it {$let: {vars: {s: ...}, in: "$$s.a.b"}}.
 */
static bool
append_place(const struct envl_path *path, uint32_t count,
             struct arena *arena, bson_t *out, const char *key)
{
    uint32_t from = count;
    bson_t step, list, vars;
    bool ok;

    while (from > 0 && path->segments[from - 1].kind != ENVL_SEGMENT_ELEMENT)
        from--;
    if (from == 0)
        return append_names(path, 0, count, "$", arena, out, key);
    if (from == count) {
        BSON_APPEND_DOCUMENT_BEGIN(out, key, &step);
        BSON_APPEND_ARRAY_BEGIN(&step, "$arrayElemAt", &list);
        ok = append_place(path, count - 1, arena, &list, "0") &&
             BSON_APPEND_INT64(&list, "1",
                               (int64_t)path->segments[count - 1].index);
        bson_append_array_end(&step, &list);
        bson_append_document_end(out, &step);
        return ok;
    }
    BSON_APPEND_DOCUMENT_BEGIN(out, key, &step);
    BSON_APPEND_DOCUMENT_BEGIN(&step, "$let", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "vars", &vars);
    ok = append_place(path, from, arena, &vars, "s");
    bson_append_document_end(&list, &vars);
    ok = ok && append_names(path, from, count, "$$s.", arena, &list, "in");
    bson_append_document_end(&step, &list);
    bson_append_document_end(out, &step);
    return ok;
}

/* {$eq: [{OPERATOR: place}, ...]}, or {$eq: [place, ...]}; the caller adds
   the second operand and ends what was begun. */
struct equation {
    bson_t clause, operands;
};

static bool
begin_equation(struct equation *equation, const char *operator,
               const struct envl_path *path, struct arena *arena,
               struct filter_list *list)
{
    char name[16];
    bson_t applied;
    bool ok;

    snprintf(name, sizeof(name), "%u", list->count++);
    BSON_APPEND_DOCUMENT_BEGIN(&list->bson, name, &equation->clause);
    BSON_APPEND_ARRAY_BEGIN(&equation->clause, "$eq", &equation->operands);
    if (operator == NULL)
        return append_place(path, path->count, arena, &equation->operands,
                            "0");
    BSON_APPEND_DOCUMENT_BEGIN(&equation->operands, "0", &applied);
    ok = append_place(path, path->count, arena, &applied, operator);
    bson_append_document_end(&equation->operands, &applied);
    return ok;
}

static void
end_equation(struct equation *equation, struct filter_list *list)
{
    bson_append_array_end(&equation->clause, &equation->operands);
    bson_append_document_end(&list->bson, &equation->clause);
}

bool
filter_expression(const struct envl_path *path, const struct envl_cell *cell,
                  bool hashed, struct arena *arena, struct filter_list *list)
{
    bson_t room = BSON_INITIALIZER, literal;
    const char *type = "missing";
    struct equation equation;
    bson_iter_t at;
    int64_t hash = 0;
    bool ok = true;

    if (cell->kind != ENVL_KIND_ABSENT) {
        ok = value_of(cell, &room, &at) &&
             (type = name_of(bson_iter_type(&at))) != NULL &&
             (!hashed || hash_value(&at, &hash));
    }
    if (ok) {
        ok = begin_equation(&equation, "$type", path, arena, list);
        BSON_APPEND_UTF8(&equation.operands, "1", type);
        end_equation(&equation, list);
    }
    if (ok && hashed) {
        ok = begin_equation(&equation, "$toHashedIndexKey", path, arena,
                            list);
        BSON_APPEND_INT64(&equation.operands, "1", hash);
        end_equation(&equation, list);
    } else if (ok && cell->kind != ENVL_KIND_ABSENT) {
        ok = begin_equation(&equation, NULL, path, arena, list);
        BSON_APPEND_DOCUMENT_BEGIN(&equation.operands, "1", &literal);
        ok = ok && object_append(&literal, envl_bytes_of("$literal"), cell);
        bson_append_document_end(&equation.operands, &literal);
        end_equation(&equation, list);
    }
    bson_destroy(&room);
    return ok;
}
