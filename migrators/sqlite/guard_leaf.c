#include "sqlite/begins.h"
#include "sqlite/guard_leaf.h"

/* One walk along a field's path, to its source or to its sibling. */
struct walk {
    const struct envl_target *target;
    uint32_t field;
    const char *row;
    bool sibling;  /* the path's last name is `into`            */
    bool paired;   /* and is there an envelope beside the leaf? */
    bool only_plain, empty_ok;
};

static const struct envl_field_spec *
spec_of(const struct walk *walk)
{
    return &walk->target->spec->fields[walk->field];
}

static struct envl_bytes
name_at(const struct walk *walk, uint32_t index)
{
    const struct envl_field_spec *spec = spec_of(walk);

    return walk->sibling && index + 1 == spec->path.count
               ? envl_bytes_of(spec->into)
               : spec->path.segments[index].name;
}

/* What json_each is to look into: a container of the kind that is meant. */
static void
add_container(sqlite3_str *sql, const struct walk *walk, uint32_t index)
{
    bool array = spec_of(walk)->path.segments[index].kind ==
                 ENVL_SEGMENT_ANY_ELEMENT;
    const char *kind = array ? "array" : "object", *none = array ? "[]" : "{}";
    const char *name =
        walk->target->slots[walk->target->fields[walk->field].slot].name;

    if (index > 0)
        sqlite3_str_appendf(sql, "CASE m%u.type WHEN '%s' THEN m%u.value "
                            "ELSE '%s' END", index - 1, kind, index - 1,
                            none);
    else
        sqlite3_str_appendf(sql, "CASE WHEN typeof(%s\"%w\") = 'text' THEN "
                            "CASE WHEN json_valid(%s\"%w\") THEN "
                            "CASE json_type(%s\"%w\") WHEN '%s' THEN "
                            "%s\"%w\" ELSE '%s' END ELSE '%s' END "
                            "ELSE '%s' END", walk->row, name, walk->row, name,
                            walk->row, name, kind, walk->row, name, none,
                            none, none);
}

/* SELECT where, type, value [, is there an envelope beside it]. */
static void
add_walk(sqlite3_str *sql, const struct walk *walk)
{
    const struct envl_path *path = &spec_of(walk)->path;
    const char *comma = "", *and = " WHERE ";
    uint32_t last = path->count - 1;
    char leaf[16];

    sqlite3_str_appendall(sql, "SELECT json_array(");
    for (uint32_t i = 0; i < path->count; i++) {
        if (path->segments[i].kind != ENVL_SEGMENT_ANY_MEMBER)
            continue;
        sqlite3_str_appendf(sql, "%sm%u.key", comma, i);
        comma = ", ";
    }
    sqlite3_str_appendf(sql, "), m%u.type, m%u.value", last, last);
    if (walk->paired) {
        sqlite3_str_appendall(sql, ", coalesce((SELECT NOT (");
        begins_add_plain_json(sql, "s", true);
        sqlite3_str_appendall(sql, ") AND s.type IN ('text', 'object') AND "
                              "s.value <> '' FROM json_each(");
        add_container(sql, walk, last);
        sqlite3_str_appendf(sql, ") AS s WHERE s.key = %Q), 0) AS paired",
                            spec_of(walk)->into);
    }
    sqlite3_str_appendall(sql, " FROM ");
    for (uint32_t i = 0; i < path->count; i++) {
        sqlite3_str_appendall(sql, i == 0 ? "json_each(" : ", json_each(");
        add_container(sql, walk, i);
        sqlite3_str_appendf(sql, ") AS m%u", i);
    }
    for (uint32_t i = 0; i < path->count; i++) {
        struct envl_bytes name = name_at(walk, i);

        if (path->segments[i].kind != ENVL_SEGMENT_MEMBER)
            continue;
        sqlite3_str_appendf(sql, "%sm%u.key = '%.*q'", and, i, (int)name.len,
                            (const char *)name.ptr);
        and = " AND ";
    }
    if (!walk->only_plain)
        return;
    sqlite3_snprintf(sizeof(leaf), leaf, "m%u", last);
    sqlite3_str_appendall(sql, and);
    begins_add_plain_json(sql, leaf, walk->empty_ok);
    if (walk->paired)
        sqlite3_str_appendall(sql, " AND NOT paired");
}

static void
add_exists(sqlite3_str *sql, struct walk *walk, const char *before)
{
    const char *row = walk->row;

    sqlite3_str_appendall(sql, "EXISTS (");
    walk->only_plain = true;
    add_walk(sql, walk);
    if (before != NULL) {
        walk->only_plain = false;
        walk->row = before;
        sqlite3_str_appendall(sql, " EXCEPT ");
        add_walk(sql, walk);
        walk->row = row;
    }
    sqlite3_str_appendall(sql, ")");
}

void
guard_leaf_add(sqlite3_str *sql, const struct envl_target *target,
               uint32_t field, const char *row, const char *before,
               bool empty_ok)
{
    const struct envl_field_spec *spec = &target->spec->fields[field];
    struct walk walk = { .target = target, .field = field, .row = row,
                         .paired = spec->into != NULL && spec->keep_source,
                         .empty_ok = empty_ok };

    sqlite3_str_appendall(sql, "(");
    add_exists(sql, &walk, before);
    if (spec->into != NULL) {
        walk.sibling = true;
        walk.paired = false;
        sqlite3_str_appendall(sql, " OR ");
        add_exists(sql, &walk, before);
    }
    sqlite3_str_appendall(sql, ")");
}
