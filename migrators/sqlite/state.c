#include <string.h>

#include "sqlite/db.h"
#include "common/process.h"
#include "sqlite/schema.h"
#include "sqlite/state.h"

static enum envl_status
state_failed(struct envl_store *store, int code, struct envl_error *err)
{
    return db_fail(store, err, code, "reading or writing the state of a job");
}

/* Are the three tables there? */
static enum envl_status
have_tables(struct envl_store *store, bool *have, struct envl_error *err)
{
    int64_t count = 0;
    enum envl_status status = db_number(store, SCHEMA_COUNT, &count, err);

    *have = count == 3;
    return status;
}

/* Two processes may do this at once: only the first finds nothing. */
enum envl_status
state_setup(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status;
    bool have;

    status = have_tables(store, &have, err);
    if (status != ENVL_OK || have)
        return status;
    status = db_begin(store, err);
    if (status == ENVL_OK)
        status = db_exec(store, SCHEMA_TABLES, "making the tables of jobs",
                         err);
    if (status == ENVL_OK)
        status = db_commit(store, err);
    if (status != ENVL_OK)
        db_rollback(store);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

/* Borrows from the statement. */
static void
take_record(sqlite3_stmt *row, const char *job, struct envl_record *out)
{
    const void *mac = sqlite3_column_blob(row, 6);

    memset(out, 0, sizeof(*out));
    out->job = job;
    out->number = (uint32_t)sqlite3_column_int64(row, 0);
    out->epoch = (uint64_t)sqlite3_column_int64(row, 1);
    out->owner = db_text(row, 2);
    out->lease_ms = sqlite3_column_int64(row, 4);
    out->owner_gone = out->owner[0] != '\0' && process_gone(db_text(row, 3));
    out->body.ptr = sqlite3_column_blob(row, 5);
    out->body.len = (size_t)sqlite3_column_bytes(row, 5);
    /* One of another length is not ours: zeros will not be its MAC. */
    if (mac != NULL && sqlite3_column_bytes(row, 6) == 32)
        memcpy(out->mac, mac, 32);
}

enum envl_status
state_read(struct envl_store *store, const char *job, envl_record_fn *each,
           void *cookie, struct envl_error *err)
{
    sqlite3_stmt *rows;
    enum envl_status status;
    int code = SQLITE_DONE;
    bool have;

    status = have_tables(store, &have, err);
    if (status != ENVL_OK || !have)
        return status;
    status = db_prepare(store, "SELECT 0 AS n, epoch, owner, process, "
                        "lease_until - " SCHEMA_NOW ", body, mac "
                        "FROM envelope_job WHERE job = ?1 UNION ALL "
                        "SELECT number, epoch, owner, process, "
                        "lease_until - " SCHEMA_NOW ", body, mac "
                        "FROM envelope_range WHERE job = ?1 ORDER BY n",
                        &rows, err);
    if (status != ENVL_OK)
        return status;
    db_bind_text(rows, 1, envl_bytes_of(job));
    while (status == ENVL_OK &&
           (code = db_step(store, rows)) == SQLITE_ROW) {
        struct envl_record record;

        take_record(rows, job, &record);
        status = each(cookie, &record, err);
    }
    if (status == ENVL_OK && code != SQLITE_DONE)
        status = state_failed(store, code, err);
    sqlite3_finalize(rows);
    return status;
}

enum envl_status
state_quarantine_read(struct envl_store *store, const char *job,
                      uint32_t limit, envl_quarantine_fn *each, void *cookie,
                      struct envl_error *err)
{
    sqlite3_stmt *rows;
    enum envl_status status;
    int code = SQLITE_DONE;
    bool have;

    status = have_tables(store, &have, err);
    if (status != ENVL_OK || !have)
        return status;
    status = db_prepare(store, "SELECT target, field, key, digest, row, state "
                        "FROM envelope_quarantine WHERE job = ?1 "
                        "ORDER BY target, field, key LIMIT ?2", &rows, err);
    if (status != ENVL_OK)
        return status;
    db_bind_text(rows, 1, envl_bytes_of(job));
    sqlite3_bind_int64(rows, 2, limit);
    while (status == ENVL_OK &&
           (code = db_step(store, rows)) == SQLITE_ROW) {
        struct envl_quarantine item = {
            .target = db_text(rows, 0),
            .field = db_text(rows, 1),
            .key = { sqlite3_column_blob(rows, 2),
                     (size_t)sqlite3_column_bytes(rows, 2) },
            .row = db_text(rows, 4),
            .state = db_text(rows, 5),
        };

        if (sqlite3_column_bytes(rows, 3) == 32)
            memcpy(item.digest, sqlite3_column_blob(rows, 3), 32);
        status = each(cookie, &item, err);
    }
    if (status == ENVL_OK && code != SQLITE_DONE)
        status = state_failed(store, code, err);
    sqlite3_finalize(rows);
    return status;
}

/* ---- leases ------------------------------------------------------------- */

/* Bind those of a record's members that ${statement} names. */
static void
bind_record(struct envl_store *store, sqlite3_stmt *statement,
            const struct envl_record *record, uint32_t ttl_ms)
{
    const struct { const char *name; struct envl_bytes text; } texts[] = {
        { ":job", envl_bytes_of(record->job) },
        { ":owner", envl_bytes_of(record->owner) },
        { ":process", envl_bytes_of(store->process) },
    };
    const struct { const char *name; struct envl_bytes blob; } blobs[] = {
        { ":body", record->body }, { ":mac", { record->mac, 32 } },
    };
    const struct { const char *name; int64_t number; } numbers[] = {
        { ":number", record->number },
        { ":epoch", (int64_t)record->epoch },
        { ":ttl", ttl_ms },
    };
    int at;

    for (size_t i = 0; i < 3; i++) {
        at = sqlite3_bind_parameter_index(statement, texts[i].name);
        if (at > 0)
            db_bind_text(statement, at, texts[i].text);
        at = sqlite3_bind_parameter_index(statement, numbers[i].name);
        if (at > 0)
            sqlite3_bind_int64(statement, at, numbers[i].number);
    }
    for (size_t i = 0; i < 2; i++) {
        at = sqlite3_bind_parameter_index(statement, blobs[i].name);
        if (at > 0)
            db_bind_blob(statement, at, blobs[i].blob);
    }
}

static enum envl_status
run(struct envl_store *store, const char *sql,
    const struct envl_record *record, uint32_t ttl_ms, struct envl_error *err)
{
    sqlite3_stmt *statement;
    enum envl_status status = db_prepare(store, sql, &statement, err);
    int code;

    if (status != ENVL_OK)
        return status;
    bind_record(store, statement, record, ttl_ms);
    code = db_step(store, statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? ENVL_OK : state_failed(store, code, err);
}

/* What stands there decides whether ${next} may have it.  spec: MIG-42 */
static enum envl_status
judge(struct envl_store *store, const struct envl_record *next,
      sqlite3_stmt *found, bool there, struct envl_error *err)
{
    uint64_t epoch = there ? (uint64_t)sqlite3_column_int64(found, 0) : 0;
    const char *owner = there ? db_text(found, 1) : "";

    if (epoch != next->epoch - 1)
        return say_fail(store->host, err, ENVL_E_CONFLICT,
                        "job %s: record %u was taken by another process",
                        next->job, next->number);
    if (owner[0] == '\0' || strcmp(owner, next->owner) == 0 ||
        sqlite3_column_int64(found, 3) <= 0 ||
        process_gone(db_text(found, 2)))
        return ENVL_OK;
    say_fail(store->host, err, ENVL_E_LOCKED,
             "job %s: record %u is held by %s", next->job, next->number,
             owner);
    say_hint(store->host, err, "it ends by itself, or its lease runs out in "
             "%lld ms", (long long)sqlite3_column_int64(found, 3));
    return ENVL_E_LOCKED;
}

static enum envl_status
check_free(struct envl_store *store, const struct envl_record *next,
           struct envl_error *err)
{
    sqlite3_stmt *found;
    enum envl_status status;
    int code;

    status = db_prepare(store, next->number == 0
        ? "SELECT epoch, owner, process, lease_until - " SCHEMA_NOW
          " FROM envelope_job WHERE job = ?1"
        : "SELECT epoch, owner, process, lease_until - " SCHEMA_NOW
          " FROM envelope_range WHERE job = ?1 AND number = ?2", &found, err);
    if (status != ENVL_OK)
        return status;
    db_bind_text(found, 1, envl_bytes_of(next->job));
    if (next->number > 0)
        sqlite3_bind_int64(found, 2, next->number);
    code = db_step(store, found);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        status = judge(store, next, found, code == SQLITE_ROW, err);
    else
        status = state_failed(store, code, err);
    sqlite3_finalize(found);
    return status;
}

enum envl_status
state_take(struct envl_store *store, const struct envl_record *next,
           uint32_t ttl_ms, struct envl_error *err)
{
    enum envl_status status;

    if (next->epoch == 0)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "job %s: an epoch begins at 1", next->job);
    status = db_begin(store, err);
    if (status != ENVL_OK)
        return status;
    status = check_free(store, next, err);
    if (status == ENVL_OK)
        status = run(store, next->number == 0
            ? "INSERT OR REPLACE INTO envelope_job (job, epoch, owner, "
              "process, lease_until, body, mac) VALUES (:job, :epoch, "
              ":owner, :process, " SCHEMA_NOW " + :ttl, :body, :mac)"
            : "INSERT OR REPLACE INTO envelope_range (job, number, epoch, "
              "owner, process, lease_until, body, mac) VALUES (:job, "
              ":number, :epoch, :owner, :process, " SCHEMA_NOW " + :ttl, "
              ":body, :mac)", next, ttl_ms, err);
    if (status == ENVL_OK)
        status = db_commit(store, err);
    if (status != ENVL_OK)
        db_rollback(store);
    return status;
}

enum envl_status
state_release(struct envl_store *store, const struct envl_record *record,
              struct envl_error *err)
{
    return run(store, record->number == 0
        ? "UPDATE envelope_job SET owner = '', process = '', lease_until = 0 "
          "WHERE job = :job AND epoch = :epoch AND owner = :owner"
        : "UPDATE envelope_range SET owner = '', process = '', "
          "lease_until = 0 WHERE job = :job AND number = :number "
          "AND epoch = :epoch AND owner = :owner", record, 0, err);
}

/* ---- a new pass --------------------------------------------------------- */

static enum envl_status
reset(struct envl_store *store, const struct envl_record *job,
      const struct envl_record *ranges, uint32_t count,
      struct envl_error *err)
{
    enum envl_status status;

    status = run(store, "UPDATE envelope_job SET body = :body, mac = :mac "
                 "WHERE job = :job AND epoch = :epoch AND owner = :owner",
                 job, 0, err);
    if (status == ENVL_OK && sqlite3_changes(store->db) != 1)
        status = say_fail(store->host, err, ENVL_E_CONFLICT,
                          "job %s: another process took it over", job->job);
    if (status == ENVL_OK)
        status = run(store, "DELETE FROM envelope_range WHERE job = :job",
                     job, 0, err);
    if (status == ENVL_OK)
        status = run(store, "DELETE FROM envelope_quarantine "
                     "WHERE job = :job", job, 0, err);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = run(store, "INSERT INTO envelope_range (job, number, epoch, "
                     "owner, process, lease_until, body, mac) VALUES (:job, "
                     ":number, :epoch, '', '', 0, :body, :mac)", &ranges[i],
                     0, err);
    return status;
}

enum envl_status
state_reset(struct envl_store *store, const struct envl_record *job,
            const struct envl_record *ranges, uint32_t count,
            struct envl_error *err)
{
    enum envl_status status = db_begin(store, err);

    if (status == ENVL_OK)
        status = reset(store, job, ranges, count, err);
    if (status == ENVL_OK)
        status = db_commit(store, err);
    if (status != ENVL_OK)
        db_rollback(store);
    return status;
}
