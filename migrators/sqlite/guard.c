#include <string.h>

#include <sodium.h>

#include "sqlite/db.h"
#include "sqlite/guard.h"
#include "sqlite/guard_sql.h"
#include "sqlite/schema.h"

#define TRIES 40

static const char *const stages[] = { "off", "observe", "moderate",
                                      "strict" };

/* ---- reading ------------------------------------------------------------ */

/* The row of the counter's table; *there is false without it. */
static enum envl_status
read_row(struct envl_store *store, const char *id,
         struct envl_guard_info *out, bool *there, struct envl_error *err)
{
    sqlite3_stmt *row;
    int64_t tables = 0;
    enum envl_status status;
    int code;

    *there = false;
    status = db_number(store, "SELECT count(*) FROM sqlite_schema WHERE "
                       "type = 'table' AND name = 'envelope_guard'", &tables,
                       err);
    if (status != ENVL_OK || tables == 0)
        return status;
    status = db_prepare(store, "SELECT stage, since, writes FROM "
                        "envelope_guard WHERE guard = ?1", &row, err);
    if (status != ENVL_OK)
        return status;
    db_bind_text(row, 1, envl_bytes_of(id));
    code = db_step(store, row);
    if (code == SQLITE_ROW) {
        *there = true;
        for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
            if (strcmp(db_text(row, 0), stages[i]) == 0)
                out->asked = (enum envl_guard_stage)i;
        }
        out->since_ms = sqlite3_column_int64(row, 1);
        out->writes = (uint64_t)sqlite3_column_int64(row, 2);
    } else if (code != SQLITE_DONE) {
        status = db_fail(store, err, code, "looking for the guard");
    }
    sqlite3_finalize(row);
    return status;
}

/* Are both triggers in the schema, to the letter? */
static enum envl_status
read_triggers(struct envl_target *target, const struct guard_sql *guard,
              bool *same, struct envl_error *err)
{
    struct envl_store *store = target->store;
    enum envl_status status = ENVL_OK;

    *same = true;
    for (int i = 0; status == ENVL_OK && i < 2; i++) {
        sqlite3_stmt *row;
        int code;

        status = db_prepare(store, "SELECT 1 FROM sqlite_schema WHERE type = "
                            "'trigger' AND tbl_name = ?1 COLLATE NOCASE AND "
                            "sql = ?2", &row, err);
        if (status != ENVL_OK)
            break;
        db_bind_text(row, 1, envl_bytes_of(target->table.name));
        db_bind_text(row, 2, envl_bytes_of(guard->trigger[i]));
        code = db_step(store, row);
        *same &= code == SQLITE_ROW;
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            status = db_fail(store, err, code, "looking for the guard");
        sqlite3_finalize(row);
    }
    return status;
}

static bool
has_path(const struct envl_target *target)
{
    for (uint32_t i = 0; i < target->spec->field_count; i++) {
        if (target->spec->fields[i].path.count > 0)
            return true;
    }
    return false;
}

/* spec: MIG-69 */
static void
name_gaps(struct envl_target *target, struct envl_guard_info *out)
{
    uint32_t count = 0;

    if (out->stage != out->asked)
        target->guard_gaps[count++] = "its triggers are gone or changed, or "
            "the job's fields are others than when it was set: set it again";
    if (out->stage != ENVL_GUARD_OFF)
        target->guard_gaps[count++] = "a program that turns triggers off for "
            "its connection, or writes the file by other means than SQL";
    if (out->stage != ENVL_GUARD_OFF && has_path(target))
        target->guard_gaps[count++] = "text that is no JSON where a path "
            "leads into it";
    out->gaps = target->guard_gaps;
    out->gap_count = count;
}

enum envl_status
guard_read(struct envl_target *target, const struct envl_guard_spec *spec,
           struct envl_guard_info *out, struct envl_error *err)
{
    struct envl_guard_info info = { .asked = ENVL_GUARD_OFF };
    struct envl_guard_spec asked = *spec;
    struct guard_sql guard = { .id = "" };
    bool there = false, same = false;
    enum envl_status status = guard_sql_make(target, &asked, &guard, err);

    if (status == ENVL_OK)
        status = read_row(target->store, guard.id, &info, &there, err);
    guard_sql_free(&guard);
    asked.stage = info.asked;
    if (status == ENVL_OK && there)
        status = guard_sql_make(target, &asked, &guard, err);
    if (status == ENVL_OK && there)
        status = read_triggers(target, &guard, &same, err);
    guard_sql_free(&guard);
    if (status != ENVL_OK)
        return status;
    info.stage = same ? info.asked : ENVL_GUARD_OFF;
    info.enforced = info.stage >= ENVL_GUARD_MODERATE;
    info.counted = there;
    name_gaps(target, &info);
    *out = info;
    return ENVL_OK;
}

/* ---- setting ------------------------------------------------------------ */

static enum envl_status
run(struct envl_store *store, char *sql, struct envl_error *err)
{
    enum envl_status status;

    if (sql == NULL)
        return say_fail(store->host, err, ENVL_E_NOMEM,
                        "out of memory for a guard");
    status = db_exec(store, sql, "setting the guard", err);
    sqlite3_free(sql);
    return status;
}

static enum envl_status
drop_triggers(struct envl_store *store, const char *id,
              struct envl_error *err)
{
    return run(store, sqlite3_mprintf(
        "DROP TRIGGER IF EXISTS \"" GUARD_SQL_PREFIX "%s_i\"; "
        "DROP TRIGGER IF EXISTS \"" GUARD_SQL_PREFIX "%s_u\"", id, id), err);
}

/* Inside the transaction nobody else writes: what is counted stands. */
static enum envl_status
check_left(struct envl_target *target, const struct guard_sql *guard,
           struct envl_error *err)
{
    struct envl_store *store = target->store;
    sqlite3_stmt *count;
    int64_t left = 0;
    enum envl_status status = db_prepare(store, guard->left, &count, err);
    int code;

    if (status != ENVL_OK)
        return status;
    code = sqlite3_step(count); /* as long as it takes */
    if (code == SQLITE_ROW)
        left = sqlite3_column_int64(count, 0);
    else
        status = db_fail(store, err, code, "counting plaintext");
    sqlite3_finalize(count);
    if (status != ENVL_OK || left == 0)
        return status;
    say_fail(store->host, err, ENVL_E_FINDINGS, "%s%lld rows of %s hold "
             "plaintext", left >= 1000 ? "at least " : "", (long long)left,
             target->table.name);
    say_hint(store->host, err, "the guard stays as it was: run envelope "
             "migrate, then set strict again");
    return ENVL_E_FINDINGS;
}

static enum envl_status
make(struct envl_target *target, const struct envl_guard_spec *spec,
     const struct guard_sql *guard, struct envl_error *err)
{
    struct envl_store *store = target->store;
    const char *stage = stages[spec->stage];
    enum envl_status status = ENVL_OK;

    if (spec->stage == ENVL_GUARD_STRICT)
        status = check_left(target, guard, err);
    if (status == ENVL_OK)
        status = db_exec(store, SCHEMA_GUARD, "making the counter", err);
    if (status == ENVL_OK)
        status = run(store, sqlite3_mprintf(
            "INSERT INTO envelope_guard (guard, job, stage, since, writes) "
            "VALUES ('%s', %Q, '%s', " SCHEMA_NOW ", 0) ON CONFLICT (guard) "
            "DO UPDATE SET stage = excluded.stage", guard->id, spec->job,
            stage), err);
    if (status == ENVL_OK)
        status = drop_triggers(store, guard->id, err);
    for (int i = 0; status == ENVL_OK && i < 2; i++)
        status = db_exec(store, guard->trigger[i], "setting the guard", err);
    return status;
}

static enum envl_status
undo(struct envl_store *store, const char *id, struct envl_error *err)
{
    enum envl_status status = drop_triggers(store, id, err);
    int64_t tables = 0, left = 1;

    if (status == ENVL_OK)
        status = db_number(store, "SELECT count(*) FROM sqlite_schema WHERE "
                           "type = 'table' AND name = 'envelope_guard'",
                           &tables, err);
    if (status != ENVL_OK || tables == 0)
        return status;
    status = run(store, sqlite3_mprintf("DELETE FROM envelope_guard WHERE "
                                        "guard = '%s'", id), err);
    if (status == ENVL_OK)
        status = db_number(store, "SELECT count(*) FROM envelope_guard",
                           &left, err);
    if (status == ENVL_OK && left == 0)
        status = db_exec(store, "DROP TABLE envelope_guard",
                         "removing the counter", err);
    return status;
}

/* Others get their turns between.  spec: MIG-66 */
static enum envl_status
begin(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = ENVL_E_LOCKED;

    for (int i = 0; i < TRIES && status == ENVL_E_LOCKED; i++) {
        if (i > 0)
            sqlite3_sleep(20 + (int)randombytes_uniform(80));
        status = db_begin(store, err);
    }
    return status;
}

enum envl_status
guard_set(struct envl_target *target, const struct envl_guard_spec *spec,
          struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct guard_sql guard = { .id = "" };
    enum envl_status status = guard_sql_make(target, spec, &guard, err);

    if (status == ENVL_OK)
        status = begin(store, err);
    if (status == ENVL_OK)
        status = spec->stage == ENVL_GUARD_OFF
                     ? undo(store, guard.id, err)
                     : make(target, spec, &guard, err);
    if (status == ENVL_OK)
        status = db_commit(store, err);
    if (status != ENVL_OK)
        db_rollback(store);
    if (status == ENVL_E_DATABASE && target->spec->where != NULL)
        say_hint(store->host, err, "\"where\" of %s has to be an expression "
                 "that a trigger may hold", target->table.name);
    guard_sql_free(&guard);
    return status;
}
