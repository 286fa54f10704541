#include <string.h>

#include <sodium.h>

#include "sqlite/begins.h"
#include "sqlite/guard_leaf.h"
#include "sqlite/guard_sql.h"

struct making {
    struct envl_target *target;
    const struct envl_guard_spec *spec;
};

/* ---- columns ------------------------------------------------------------ */

static void
add_cell_plain(sqlite3_str *sql, const char *row, const struct slot *slot,
               bool empty_ok)
{
    char *cell = sqlite3_mprintf("%s\"%w\"", row, slot->name);

    if (cell != NULL)
        begins_add_plain(sql, cell, empty_ok);
    sqlite3_free(cell);
}

static void
add_cell_begins(sqlite3_str *sql, const char *row, const struct slot *slot)
{
    char *cell = sqlite3_mprintf("%s\"%w\"", row, slot->name);

    if (cell != NULL)
        begins_add(sql, cell, "");
    sqlite3_free(cell);
}

/* Exactly, whatever the column's collation says. */
static void
add_moved(sqlite3_str *sql, const struct slot *slot)
{
    sqlite3_str_appendf(sql, "(+NEW.\"%w\") COLLATE BINARY IS NOT "
                        "OLD.\"%w\"", slot->name, slot->name);
}

/* In sibling mode a source may stand beside its envelope. */
static void
add_row(sqlite3_str *sql, const struct making *making, uint32_t index,
        const char *row)
{
    const struct envl_target *target = making->target;
    const struct field *field = &target->fields[index];
    bool empty_ok = making->spec->empty_ok[index];

    sqlite3_str_appendall(sql, "(");
    add_cell_plain(sql, row, &target->slots[field->slot], empty_ok);
    if (field->into >= 0) {
        const struct slot *into = &target->slots[field->into];

        if (target->spec->fields[index].keep_source) {
            sqlite3_str_appendall(sql, " AND NOT ");
            add_cell_begins(sql, row, into);
        }
        sqlite3_str_appendall(sql, " OR ");
        add_cell_plain(sql, row, into, empty_ok);
    }
    sqlite3_str_appendall(sql, ")");
}

/* A source that changes without its envelope is one that nobody sealed. */
static void
add_update(sqlite3_str *sql, const struct making *making, uint32_t index)
{
    const struct envl_target *target = making->target;
    const struct field *field = &target->fields[index];
    const struct slot *source = &target->slots[field->slot];
    bool empty_ok = making->spec->empty_ok[index];

    sqlite3_str_appendall(sql, "((");
    add_cell_plain(sql, "NEW.", source, empty_ok);
    sqlite3_str_appendall(sql, " AND (");
    add_moved(sql, source);
    if (field->into >= 0) {
        const struct slot *into = &target->slots[field->into];

        if (target->spec->fields[index].keep_source) {
            sqlite3_str_appendall(sql, " AND NOT ");
            add_moved(sql, into);
            sqlite3_str_appendall(sql, " OR ");
            add_moved(sql, into);
            sqlite3_str_appendall(sql, " AND NOT ");
            add_cell_begins(sql, "NEW.", into);
        }
        sqlite3_str_appendall(sql, ")) OR (");
        add_cell_plain(sql, "NEW.", into, empty_ok);
        sqlite3_str_appendall(sql, " AND (");
        add_moved(sql, into);
    }
    sqlite3_str_appendall(sql, ")))");
}

/* ---- rows --------------------------------------------------------------- */

static void
add_any(sqlite3_str *sql, const struct making *making, const char *row,
        bool update)
{
    const struct envl_target *target = making->target;

    sqlite3_str_appendall(sql, "(");
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        sqlite3_str_appendall(sql, i > 0 ? " OR " : "");
        if (target->spec->fields[i].path.count > 0)
            guard_leaf_add(sql, target, i, row, update ? "OLD." : NULL,
                           making->spec->empty_ok[i]);
        else if (update)
            add_update(sql, making, i);
        else
            add_row(sql, making, i, row);
    }
    sqlite3_str_appendall(sql, ")");
}

/* The job's condition, over the columns of ${row} by their own names. */
static void
add_where(sqlite3_str *sql, const struct making *making, const char *row)
{
    const struct table *table = &making->target->table;

    sqlite3_str_appendf(sql, "(SELECT CASE WHEN (%s\n) THEN 1 ELSE 0 END "
                        "FROM (SELECT ", making->target->spec->where);
    for (uint32_t i = 0; i < table->column_count; i++)
        sqlite3_str_appendf(sql, "%s%s\"%w\" AS \"%w\"", i > 0 ? ", " : "",
                            row, table->columns[i].name,
                            table->columns[i].name);
    sqlite3_str_appendf(sql, ") AS \"%w\")", table->name);
}

/* Old plaintext is new to the guard if the row comes under the condition. */
static void
add_when(sqlite3_str *sql, const struct making *making, bool update)
{
    const char *where = making->target->spec->where;
    bool spares_old = update && making->spec->stage != ENVL_GUARD_STRICT;

    if (spares_old && where != NULL)
        sqlite3_str_appendall(sql, "(");
    add_any(sql, making, "NEW.", spares_old);
    if (spares_old && where != NULL) {
        sqlite3_str_appendall(sql, " OR ");
        add_any(sql, making, "NEW.", false);
        sqlite3_str_appendall(sql, " AND NOT ");
        add_where(sql, making, "OLD.");
        sqlite3_str_appendall(sql, ")");
    }
    if (where == NULL)
        return;
    sqlite3_str_appendall(sql, " AND ");
    add_where(sql, making, "NEW.");
}

static void
add_places(sqlite3_str *sql, const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct envl_field_spec *spec = &target->spec->fields[i];

        sqlite3_str_appendf(sql, "%s%s", i > 0 ? ", " : "", spec->column);
        for (uint32_t j = 0; j < spec->path.count; j++) {
            const struct envl_segment *at = &spec->path.segments[j];

            if (at->kind == ENVL_SEGMENT_ANY_ELEMENT)
                sqlite3_str_appendall(sql, "[*]");
            else if (at->kind == ENVL_SEGMENT_ANY_MEMBER)
                sqlite3_str_appendall(sql, ".*");
            else
                sqlite3_str_appendf(sql, ".%.*s", (int)at->name.len,
                                    (const char *)at->name.ptr);
        }
    }
}

static void
add_body(sqlite3_str *sql, const struct making *making, const char *id)
{
    sqlite3_str *said = sqlite3_str_new(NULL);
    char *text;

    if (making->spec->stage <= ENVL_GUARD_OBSERVE) {
        sqlite3_str_appendf(sql, "UPDATE envelope_guard SET writes = "
                            "writes + 1 WHERE guard = '%s'", id);
        sqlite3_free(sqlite3_str_finish(said));
        return;
    }
    sqlite3_str_appendf(said, "plaintext is refused in %s (",
                        making->target->table.name);
    add_places(said, making->target);
    sqlite3_str_appendf(said, ") by the envelope guard of job %s: seal the "
                        "value before it is written", making->spec->job);
    text = sqlite3_str_finish(said);
    sqlite3_str_appendf(sql, "SELECT RAISE(ABORT, %Q)", text);
    sqlite3_free(text);
}

/* AFTER: the row is what other triggers and conversions have made of it. */
static char *
make_trigger(const struct making *making, const char *id, bool update)
{
    sqlite3_str *sql = sqlite3_str_new(making->target->store->db);

    sqlite3_str_appendf(sql, "CREATE TRIGGER \"" GUARD_SQL_PREFIX "%s_%s\" "
                        "AFTER %s ON \"%w\" WHEN ", id, update ? "u" : "i",
                        update ? "UPDATE" : "INSERT",
                        making->target->table.name);
    add_when(sql, making, update);
    sqlite3_str_appendall(sql, " BEGIN ");
    add_body(sql, making, id);
    sqlite3_str_appendall(sql, "; END");
    return sqlite3_str_finish(sql);
}

static char *
make_left(const struct making *making)
{
    const struct envl_target *target = making->target;
    sqlite3_str *sql = sqlite3_str_new(target->store->db);

    sqlite3_str_appendf(sql, "SELECT count(*) FROM (SELECT 1 FROM "
                        "\"main\".\"%w\" WHERE ", target->table.name);
    add_any(sql, making, "", false);
    if (target->spec->where != NULL)
        sqlite3_str_appendf(sql, " AND (%s\n)", target->spec->where);
    sqlite3_str_appendall(sql, " LIMIT 1000)");
    return sqlite3_str_finish(sql);
}

enum envl_status
guard_sql_make(struct envl_target *target, const struct envl_guard_spec *spec,
               struct guard_sql *out, struct envl_error *err)
{
    struct making making = { target, spec };
    const char *const parts[] = { spec->job, target->table.name };
    crypto_generichash_state state;
    uint8_t sum[16];

    crypto_generichash_init(&state, NULL, 0, sizeof(sum));
    for (size_t i = 0; i < 2; i++)
        crypto_generichash_update(&state, (const uint8_t *)parts[i],
                                  strlen(parts[i]) + 1);
    crypto_generichash_final(&state, sum, sizeof(sum));
    sodium_bin2hex(out->id, sizeof(out->id), sum, 8);
    out->trigger[0] = make_trigger(&making, out->id, false);
    out->trigger[1] = make_trigger(&making, out->id, true);
    out->left = make_left(&making);
    if (out->trigger[0] == NULL || out->trigger[1] == NULL ||
        out->left == NULL)
        return say_fail(target->store->host, err, ENVL_E_NOMEM,
                        "out of memory for a guard");
    return ENVL_OK;
}

void
guard_sql_free(struct guard_sql *guard)
{
    sqlite3_free(guard->trigger[0]);
    sqlite3_free(guard->trigger[1]);
    sqlite3_free(guard->left);
    *guard = (struct guard_sql){ .id = "" };
}
