#include <string.h>

#include "sqlite/db.h"
#include "sqlite/depend.h"
#include "sqlite/sql_scan.h"

struct look {
    struct envl_target *target;
    const char *table, *column;
    struct envl_error *err;
};

static const struct envl_host *
host_of(const struct look *look)
{
    return look->target->store->host;
}

/* Run ${sql} with the table for ?1 and the column for ?2, if it has them. */
static enum envl_status
each_row(const struct look *look, const char *sql,
         enum envl_status (*take)(const struct look *look, sqlite3_stmt *row))
{
    struct envl_store *store = look->target->store;
    sqlite3_stmt *rows;
    enum envl_status status = db_prepare(store, sql, &rows, look->err);
    int code = SQLITE_DONE;

    if (status != ENVL_OK)
        return status;
    db_bind_text(rows, 1, envl_bytes_of(look->table));
    if (sqlite3_bind_parameter_count(rows) > 1)
        db_bind_text(rows, 2, envl_bytes_of(look->column));
    while (status == ENVL_OK && (code = db_step(store, rows)) == SQLITE_ROW)
        status = take(look, rows);
    if (status == ENVL_OK && code != SQLITE_DONE)
        status = db_fail(store, look->err, code, "reading the schema");
    sqlite3_finalize(rows);
    return status;
}

/* ---- indexes ------------------------------------------------------------ */

static enum envl_status
note_index(const struct look *look, sqlite3_stmt *row)
{
    const char *name = db_text(row, 0);
    bool unique = sqlite3_column_int(row, 1) != 0;
    bool covers = sqlite3_column_int(row, 2) != 0;

    if (!covers && !sql_scan_mentions(db_text(row, 3), look->column))
        return ENVL_OK;
    if (unique)
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table,
                 "%s is in the unique index %s: equal values get different "
                 "envelopes, so it would no longer keep them apart. Give the "
                 "field a blind_index with a unique index of its own, then "
                 "DROP INDEX (or make the table anew without UNIQUE).",
                 look->column, name);
    else
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table,
                 "%s is in the index %s: it would hold envelopes and find "
                 "nothing. DROP INDEX \"%s\"; equality search needs a "
                 "blind_index.", look->column, name, name);
    return ENVL_OK;
}

static enum envl_status
check_indexes(const struct look *look)
{
    return each_row(look,
        "SELECT l.name, l.\"unique\", "
        "EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name, 'main') AS x "
        "WHERE x.key AND x.name = ?2 COLLATE NOCASE), s.sql "
        "FROM pragma_index_list(?1, 'main') AS l "
        "LEFT JOIN sqlite_schema AS s "
        "ON s.type = 'index' AND s.name = l.name", note_index);
}

/* ---- triggers ----------------------------------------------------------- */

/* Does CREATE TRIGGER ... run after an update of ${column}? */
static bool
fires(const char *sql, const char *column)
{
    struct sql_scan scan = { .at = sql };
    enum sql_token token;
    bool update = false, of = false;

    while ((token = sql_scan_next(&scan)) != SQL_END && token != SQL_BROKEN) {
        if (token != SQL_NAME)
            continue;
        if (!scan.quoted && !update &&
            (sqlite3_stricmp(scan.name, "INSERT") == 0 ||
             sqlite3_stricmp(scan.name, "DELETE") == 0))
            return false;
        if (!scan.quoted && sqlite3_stricmp(scan.name, "UPDATE") == 0)
            update = true;
        else if (!scan.quoted && update &&
                 sqlite3_stricmp(scan.name, "OF") == 0)
            of = true;
        else if (!scan.quoted && update &&
                 sqlite3_stricmp(scan.name, "ON") == 0)
            return !of;
        else if (of && sqlite3_stricmp(scan.name, column) == 0)
            return true;
    }
    return false;
}

static enum envl_status
note_trigger(const struct look *look, sqlite3_stmt *row)
{
    const char *name = db_text(row, 0), *sql = db_text(row, 1);

    /* Those of a guard change nothing, and let envelopes pass. */
    if (!fires(sql, look->column) ||
        strncmp(name, "envelope_guard_", 15) == 0)
        return ENVL_OK;
    look->target->triggers = true;
    if (sql_scan_mentions(sql, look->column))
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table,
                 "the trigger %s depends on %s and runs for every row that "
                 "is sealed: what it copies or compares will be envelopes. "
                 "DROP TRIGGER \"%s\" for the sweep if that is not wanted.",
                 name, look->column, name);
    else
        say_note(host_of(look), ENVL_NOTE_WARN, look->table,
                 "the trigger %s runs for every row in which %s is sealed. "
                 "DROP TRIGGER \"%s\" for the sweep if that is not wanted.",
                 name, look->column, name);
    return ENVL_OK;
}

/* ---- views, virtual tables, the table itself ---------------------------- */

static enum envl_status
note_reader(const struct look *look, sqlite3_stmt *row)
{
    const char *sql = db_text(row, 2);
    bool view = strcmp(db_text(row, 1), "view") == 0;

    if (!sql_scan_mentions(sql, look->table) ||
        (view && !sql_scan_mentions(sql, look->column)))
        return ENVL_OK;
    if (view)
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table, "%s is read "
                 "by the view %s, which will show envelopes.", look->column,
                 db_text(row, 0));
    else
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table, "%s may be "
                 "indexed by the virtual table %s, which keeps plaintext of "
                 "its own and does not follow the sweep. Make it anew "
                 "without the column.", look->column, db_text(row, 0));
    return ENVL_OK;
}

static enum envl_status
check_table(const struct look *look)
{
    const char *sql = look->target->table.sql;

    if (sql_scan_checks(sql, look->column))
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table, "%s stands in "
                 "a CHECK: rows whose envelope it does not allow will be "
                 "refused and listed. Make the table anew without it.",
                 look->column);
    if (sql_scan_generates(sql, look->column))
        say_note(host_of(look), ENVL_NOTE_DECIDE, look->table, "%s is used "
                 "by a generated column, which will be computed from "
                 "envelopes.", look->column);
    return ENVL_OK;
}

/* ---- foreign keys ------------------------------------------------------- */

static enum envl_status
refuse_foreign(const struct look *look, sqlite3_stmt *row)
{
    say_fail(host_of(look), look->err, ENVL_E_POLICY,
             "%s.%s takes part in a foreign key (%s): a sealed value would "
             "join nothing", look->table, look->column, db_text(row, 0));
    say_hint(host_of(look), look->err, "seal a column that is no "
             "reference, or remove the foreign key first");
    return ENVL_E_POLICY;
}

static enum envl_status
check_foreign(const struct look *look)
{
    enum envl_status status;

    status = each_row(look, "SELECT \"table\" FROM "
                      "pragma_foreign_key_list(?1, 'main') "
                      "WHERE \"from\" = ?2 COLLATE NOCASE", refuse_foreign);
    if (status != ENVL_OK)
        return status;
    return each_row(look, "SELECT t.name FROM pragma_table_list AS t "
                    "JOIN pragma_foreign_key_list(t.name, 'main') AS f "
                    "WHERE t.schema = 'main' AND t.type = 'table' "
                    "AND f.\"table\" = ?1 COLLATE NOCASE "
                    "AND f.\"to\" = ?2 COLLATE NOCASE", refuse_foreign);
}

static enum envl_status
check_column(const struct look *look)
{
    enum envl_status status = check_foreign(look);

    if (status == ENVL_OK)
        status = check_indexes(look);
    if (status == ENVL_OK)
        status = each_row(look, "SELECT name, sql FROM sqlite_schema "
                          "WHERE type = 'trigger' AND "
                          "tbl_name = ?1 COLLATE NOCASE", note_trigger);
    if (status == ENVL_OK)
        status = each_row(look, "SELECT name, type, sql FROM sqlite_schema "
                          "WHERE ?1 IS NOT NULL AND (type = 'view' OR "
                          "sql LIKE 'CREATE VIRTUAL TABLE%')", note_reader);
    if (status == ENVL_OK)
        status = check_table(look);
    return status;
}

/* Is the slot written by a sweep, not only read? */
static bool
written(const struct envl_target *target, uint32_t slot)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        const struct field *field = &target->fields[i];

        if (field->into == (int)slot)
            return true;
        if (field->slot == slot && (field->into < 0 ||
                                    !target->spec->fields[i].keep_source))
            return true;
    }
    return false;
}

enum envl_status
depend_check(struct envl_target *target, struct envl_error *err)
{
    struct look look = { target, target->table.name, NULL, err };
    enum envl_status status = ENVL_OK;
    int64_t pages = 0;

    for (uint32_t i = 0; i < target->slot_count && status == ENVL_OK; i++) {
        look.column = target->slots[i].name;
        if (written(target, i))
            status = check_column(&look);
    }
    if (status == ENVL_OK)
        status = db_number(target->store, "PRAGMA freelist_count", &pages,
                           err);
    if (status == ENVL_OK && pages > 0)
        say_note(target->store->host, ENVL_NOTE_WARN, NULL, "the file has "
                 "%lld free pages, which may hold deleted values in clear "
                 "text: VACUUM after the sweep.", (long long)pages);
    return status;
}
