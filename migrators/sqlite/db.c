#include <string.h>
#include <time.h>

#include "sqlite/db.h"

#define SCRUB_PAGES ((int64_t)1 << 23) /* half of what scrub.h allows */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- errors ------------------------------------------------------------- */

static enum envl_status
fail_locked(struct envl_store *store, struct envl_error *err, int code,
            const char *doing)
{
    if ((code & 0xff) == SQLITE_INTERRUPT)
        return say_fail(store->host, err, ENVL_E_LOCKED,
                        "%s: took longer than %u ms", doing,
                        store->host->statement_ms);
    say_fail(store->host, err, ENVL_E_LOCKED,
             "%s: the database is locked by another connection (waited "
             "%u ms)", doing, store->host->lock_ms);
    return ENVL_E_LOCKED;
}

static enum envl_status
fail_read_only(struct envl_store *store, struct envl_error *err, int code,
               const char *doing)
{
    if (code == SQLITE_READONLY_DBMOVED)
        return say_fail(store->host, err, ENVL_E_DATABASE,
                        "%s: the database file was moved or replaced while "
                        "in use", doing);
    say_fail(store->host, err, ENVL_E_DATABASE,
             "%s: the database is read-only", doing);
    say_hint(store->host, err, "the file, its folder (for the journal) and "
             "the file system must be writable for this user");
    return ENVL_E_DATABASE;
}

enum envl_status
db_fail(struct envl_store *store, struct envl_error *err, int code,
        const char *doing)
{
    const struct envl_host *host = store->host;

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return fail_locked(store, err, code, doing);
    case SQLITE_READONLY:
        return fail_read_only(store, err, code, doing);
    case SQLITE_NOMEM:
        return say_fail(host, err, ENVL_E_NOMEM, "%s: out of memory", doing);
    case SQLITE_TOOBIG:
        return say_fail(host, err, ENVL_E_LIMIT,
                        "%s: a value is longer than SQLite allows", doing);
    case SQLITE_FULL:
        say_fail(host, err, ENVL_E_DATABASE, "%s: the disk is full", doing);
        say_hint(host, err, "nothing of this batch was written; make room "
                 "(or raise max_page_count) and run the job again");
        return ENVL_E_DATABASE;
    case SQLITE_CORRUPT:
        say_fail(host, err, ENVL_E_DATABASE,
                 "%s: the database file is damaged", doing);
        say_hint(host, err, "look at it with PRAGMA integrity_check and "
                 "restore it before the job is run again");
        return ENVL_E_DATABASE;
    case SQLITE_NOTADB:
        return say_fail(host, err, ENVL_E_DATABASE,
                        "%s: the file is not a SQLite database, or is "
                        "encrypted", doing);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            return say_fail(host, err, ENVL_E_NOMEM, "%s: out of memory",
                            doing);
        return say_fail(host, err, ENVL_E_DATABASE,
                        "%s: input or output failed (SQLite code %d)", doing,
                        code);
    default:
        return say_fail(host, err, ENVL_E_DATABASE, "%s: %s (SQLite code %d)",
                        doing, sqlite3_errstr(code), code);
    }
}

bool
db_refuses(int code)
{
    code &= 0xff;
    return code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG ||
           code == SQLITE_MISMATCH;
}

/* ---- statements --------------------------------------------------------- */

enum envl_status
db_prepare(struct envl_store *store, const char *sql, sqlite3_stmt **out,
           struct envl_error *err)
{
    int code = sqlite3_prepare_v3(store->db, sql, -1,
                                  SQLITE_PREPARE_PERSISTENT, out, NULL);

    if (code == SQLITE_OK)
        return ENVL_OK;
    if ((code & 0xff) == SQLITE_ERROR || (code & 0xff) == SQLITE_AUTH)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "SQLite refuses a statement of this job: %s",
                        sqlite3_errmsg(store->db));
    return db_fail(store, err, code, "preparing a statement");
}

enum envl_status
db_prepare_str(struct envl_store *store, sqlite3_str *sql,
               sqlite3_stmt **out, struct envl_error *err)
{
    char *text = sqlite3_str_finish(sql);
    enum envl_status status;

    if (text == NULL)
        return say_fail(store->host, err, ENVL_E_NOMEM,
                        "out of memory for a statement");
    status = db_prepare(store, text, out, err);
    sqlite3_free(text);
    return status;
}

enum envl_status
db_exec(struct envl_store *store, const char *sql, const char *doing,
        struct envl_error *err)
{
    int code;

    db_limit(store, store->host->statement_ms);
    code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    db_unlimit(store);
    return code == SQLITE_OK ? ENVL_OK : db_fail(store, err, code, doing);
}

enum envl_status
db_number(struct envl_store *store, const char *sql, int64_t *out,
          struct envl_error *err)
{
    sqlite3_stmt *statement;
    enum envl_status status = db_prepare(store, sql, &statement, err);
    int code;

    if (status != ENVL_OK)
        return status;
    code = db_step(store, statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else if (code == SQLITE_DONE)
        *out = 0;
    else
        status = db_fail(store, err, code, "reading the database");
    sqlite3_finalize(statement);
    return status;
}

/* ---- transactions ------------------------------------------------------- */

/* What pages we write can be told to be; nobody changes that now. */
static enum scrub_mode
choose_scrub(struct envl_store *store)
{
    enum scrub_mode mode = SCRUB_OFF;

    if (sqlite3_step(store->shape) == SQLITE_ROW &&
        sqlite3_column_int64(store->shape, 2) < SCRUB_PAGES) {
        /* A log is moved into the file later, and with it what others do. */
        bool wal = strcmp(db_text(store->shape, 0), "wal") == 0;
        bool maps = sqlite3_column_int(store->shape, 1) != 0;

        mode = wal || maps ? SCRUB_CAREFUL : SCRUB_SURE;
    }
    sqlite3_reset(store->shape);
    return mode;
}

/* What is written after the end of a transaction is not only ours. */
static void
end_scrub(struct envl_store *store)
{
    if (sqlite3_get_autocommit(store->db) != 0)
        scrub_turn(store->scrub, SCRUB_CAREFUL);
}

enum envl_status
db_begin(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = db_exec(store, "BEGIN IMMEDIATE",
                                      "beginning to write", err);

    if (status == ENVL_OK)
        scrub_turn(store->scrub, choose_scrub(store));
    return status;
}

enum envl_status
db_commit(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = db_exec(store, "COMMIT", "committing a batch",
                                      err);

    end_scrub(store);
    /* A commit that only found readers in its way is still open. */
    if (status != ENVL_OK)
        db_rollback(store);
    return status;
}

void
db_rollback(struct envl_store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    end_scrub(store);
}

/* ---- time --------------------------------------------------------------- */

static int
out_of_time(void *cookie)
{
    const struct envl_store *store = cookie;

    return store->deadline_ms != 0 && now_ms() > store->deadline_ms;
}

void
db_limit(struct envl_store *store, uint32_t ms)
{
    /* Looked at every 20,000 steps of SQLite's machine, some 200 us. */
    if (store->deadline_ms == 0)
        sqlite3_progress_handler(store->db, 20000, out_of_time, store);
    store->deadline_ms = now_ms() + ms;
}

void
db_unlimit(struct envl_store *store)
{
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    store->deadline_ms = 0;
}

int
db_step(struct envl_store *store, sqlite3_stmt *statement)
{
    int code;

    db_limit(store, store->host->statement_ms);
    code = sqlite3_step(statement);
    db_unlimit(store);
    return code;
}

/* ---- values ------------------------------------------------------------- */

int
db_bind_text(sqlite3_stmt *statement, int index, struct envl_bytes bytes)
{
    return sqlite3_bind_text64(statement, index,
                               bytes.len == 0 ? "" : (const char *)bytes.ptr,
                               bytes.len, SQLITE_STATIC, SQLITE_UTF8);
}

int
db_bind_blob(sqlite3_stmt *statement, int index, struct envl_bytes bytes)
{
    return sqlite3_bind_blob64(statement, index,
                               bytes.len == 0 ? (const void *)"" : bytes.ptr,
                               bytes.len, SQLITE_STATIC);
}

const char *
db_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text == NULL ? "" : (const char *)text;
}

bool
db_names_one(const char *text, const char *name)
{
    return sqlite3_stricmp(text, name) == 0;
}
