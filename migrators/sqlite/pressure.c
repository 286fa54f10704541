#include <stdio.h>
#include <string.h>

#include "sqlite/db.h"
#include "sqlite/pressure.h"

#define ANSWER_MS 2000u

static enum envl_status
refuse(struct envl_store *store, struct envl_error *err)
{
    say_fail(store->host, err, ENVL_E_USAGE, "yield_to.query has to be one "
             "SELECT that gives one value and writes nothing");
    return ENVL_E_USAGE;
}

static enum envl_status
ask(struct envl_store *store, const char *sql, bool *wait,
    struct envl_error *err)
{
    sqlite3_stmt *query;
    enum envl_status status = db_prepare(store, sql, &query, err);
    int code;

    if (status != ENVL_OK)
        return status;
    if (query == NULL || !sqlite3_stmt_readonly(query) ||
        sqlite3_column_count(query) != 1 ||
        sqlite3_stmt_isexplain(query) != 0) {
        sqlite3_finalize(query);
        return refuse(store, err);
    }
    db_limit(store, ANSWER_MS);
    code = sqlite3_step(query);
    if (code == SQLITE_ROW)
        *wait = sqlite3_column_double(query, 0) != 0;
    db_unlimit(store);
    sqlite3_finalize(query);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return ENVL_OK;
    return db_fail(store, err, code, "yield_to.query");
}

enum envl_status
pressure_look(struct envl_store *store, struct envl_pressure *pressure,
              struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    pressure->limit = pressure->limit_count;
    pressure->why[0] = '\0';
    for (uint32_t i = 0; status == ENVL_OK && i < pressure->limit_count;
         i++) {
        const struct envl_limit *limit = &pressure->limits[i];
        bool wait = false;

        if (strcmp(limit->name, "query") == 0)
            status = ask(store, limit->text, &wait, err);
        else if (!limit->by_default)
            status = say_fail(store->host, err, ENVL_E_USAGE, "yield_to.%s: "
                              "SQLite has no such thing", limit->name);
        if (status == ENVL_OK && wait && pressure->limit ==
                                             pressure->limit_count) {
            pressure->limit = i;
            snprintf(pressure->why, sizeof(pressure->why),
                     "the job's yield_to.query says so");
        }
    }
    return status == ENVL_E_LOCKED && pressure->check ? ENVL_OK : status;
}
