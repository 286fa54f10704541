#include <string.h>

#include "sqlite/db.h"
#include "sqlite/sql_scan.h"
#include "sqlite/statement.h"
#include "sqlite/survey.h"

static const struct envl_host *
host_of(const struct envl_target *target)
{
    return target->store->host;
}

/* ---- checks ------------------------------------------------------------- */

enum envl_status
survey_keys(struct envl_target *target, struct envl_error *err)
{
    int code;

    if (target->keyless == NULL)
        return ENVL_OK;
    code = db_step(target->store, target->keyless);
    sqlite3_reset(target->keyless);
    if (code == SQLITE_DONE)
        return ENVL_OK;
    if (code != SQLITE_ROW)
        return db_fail(target->store, err, code, "looking for rows without "
                       "a key");
    say_fail(host_of(target), err, ENVL_E_POLICY, "%s has rows with NULL in "
             "the key: they cannot be told apart", target->table.name);
    say_hint(host_of(target), err, "give them a key, or declare the column "
             "NOT NULL");
    return ENVL_E_POLICY;
}

static enum envl_status
prepare_keyless(struct envl_target *target, struct envl_error *err)
{
    const struct key *key = &target->key;
    sqlite3_str *sql = sqlite3_str_new(target->store->db);
    bool any = false;

    sqlite3_str_appendall(sql, "SELECT 1");
    sqlite3_str_appendf(sql, " FROM \"main\".\"%w\"", target->table.name);
    sqlite3_str_appendall(sql, " WHERE 0");
    for (uint32_t i = 0; i < key->count; i++) {
        if (!key->columns[i].nullable)
            continue;
        any = true;
        sqlite3_str_appendf(sql, " OR \"%w\" IS NULL",
                            key->columns[i].column->name);
    }
    sqlite3_str_appendall(sql, " LIMIT 1");
    if (any)
        return db_prepare_str(target->store, sql, &target->keyless, err);
    sqlite3_free(sqlite3_str_finish(sql));
    return ENVL_OK;
}

/* Classes lie one behind the other, so the ends tell whether they differ. */
static enum envl_status
note_mixed(struct envl_target *target, struct envl_error *err)
{
    const struct key_column *first = &target->key.columns[0];
    sqlite3_stmt *ends;
    enum envl_status status;
    sqlite3_str *sql;
    int code;

    if (target->key.is_rowid)
        return ENVL_OK;
    sql = sqlite3_str_new(target->store->db);
    sqlite3_str_appendf(sql, "SELECT a, b FROM "
                        "(SELECT typeof(\"%w\") AS a FROM \"main\".\"%w\" "
                        "ORDER BY \"%w\" COLLATE \"%w\" LIMIT 1), "
                        "(SELECT typeof(\"%w\") AS b FROM \"main\".\"%w\" "
                        "ORDER BY \"%w\" COLLATE \"%w\" DESC LIMIT 1)",
                        first->column->name, target->table.name,
                        first->column->name, first->collation,
                        first->column->name, target->table.name,
                        first->column->name, first->collation);
    status = db_prepare_str(target->store, sql, &ends, err);
    if (status != ENVL_OK)
        return status;
    code = db_step(target->store, ends);
    if (code == SQLITE_ROW && strcmp(db_text(ends, 0), db_text(ends, 1)) != 0)
        say_note(host_of(target), ENVL_NOTE_WARN, target->table.name, "the "
                 "key %s holds values of type %s and of type %s: an "
                 "application must say the right one in the context.",
                 first->column->name, db_text(ends, 0), db_text(ends, 1));
    if (code == SQLITE_ROW && (strcmp(db_text(ends, 0), "real") == 0 ||
                               strcmp(db_text(ends, 1), "real") == 0))
        say_note(host_of(target), ENVL_NOTE_WARN, target->table.name, "the "
                 "key %s holds fractions, which have no id: such rows need "
                 "\"context\" in the job.", first->column->name);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = db_fail(target->store, err, code, "reading the key");
    sqlite3_finalize(ends);
    return status;
}

enum envl_status
survey_check(struct envl_target *target, struct envl_error *err)
{
    const char *where = target->spec->where;
    enum envl_status status;
    sqlite3_stmt *unused;

    if (where != NULL && !sql_scan_closed(where))
        return say_fail(host_of(target), err, ENVL_E_USAGE, "%s: \"where\" "
                        "must be one condition, its quotes and brackets "
                        "closed, without ';'", target->table.name);
    status = statement_page(target, true, true, &unused, err);
    if (status == ENVL_OK)
        status = statement_row(target, STATEMENT_ONE, &unused, err);
    if (status == ENVL_OK)
        status = prepare_keyless(target, err);
    if (status == ENVL_OK)
        status = survey_keys(target, err);
    if (status == ENVL_OK)
        status = note_mixed(target, err);
    return status;
}

/* ---- how many ----------------------------------------------------------- */

enum envl_status
survey_estimate(struct envl_target *target, uint64_t *rows,
                   struct envl_error *err)
{
    struct envl_store *store = target->store;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_stmt *count;
    enum envl_status status;
    int code;

    sqlite3_str_appendall(sql, "SELECT count(*)");
    sqlite3_str_appendf(sql, " FROM \"main\".\"%w\"", target->table.name);
    status = db_prepare_str(store, sql, &count, err);
    if (status != ENVL_OK)
        return status;
    db_limit(store, 500);
    code = sqlite3_step(count);
    db_unlimit(store);
    if (code == SQLITE_ROW) {
        *rows = (uint64_t)sqlite3_column_int64(count, 0);
        sqlite3_finalize(count);
        return ENVL_OK;
    }
    sqlite3_finalize(count);
    if (code != SQLITE_INTERRUPT)
        return db_fail(store, err, code, "counting rows");
    *rows = 0;
    if (target->rowid == NULL)
        return ENVL_OK;
    sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "SELECT (SELECT max(%s) FROM \"main\".\"%w\") - "
                        "(SELECT min(%s) FROM \"main\".\"%w\") + 1",
                        target->rowid, target->table.name, target->rowid,
                        target->table.name);
    status = db_prepare_str(store, sql, &count, err);
    if (status == ENVL_OK && db_step(store, count) == SQLITE_ROW)
        *rows = (uint64_t)sqlite3_column_int64(count, 0);
    sqlite3_finalize(status == ENVL_OK ? count : NULL);
    return status;
}
