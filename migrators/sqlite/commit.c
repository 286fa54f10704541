#include <string.h>

#include "sqlite/commit.h"
#include "sqlite/db.h"
#include "sqlite/schema.h"

static enum envl_status
commit_failed(struct envl_store *store, int code, struct envl_error *err)
{
    return db_fail(store, err, code, "committing a batch");
}

/* ?1 job, ?2 epoch, ?3 owner, ?4 body, ?5 mac, ?6 ttl, ?7 number */
static enum envl_status
put_statement(struct envl_store *store, bool range, sqlite3_stmt **out,
              struct envl_error *err)
{
    static const char *const sql[] = {
        "UPDATE envelope_job SET body = ?4, mac = ?5, "
        "lease_until = " SCHEMA_NOW " + ?6 "
        "WHERE job = ?1 AND epoch = ?2 AND owner = ?3",
        "UPDATE envelope_range SET body = ?4, mac = ?5, "
        "lease_until = " SCHEMA_NOW " + ?6 "
        "WHERE job = ?1 AND number = ?7 AND epoch = ?2 AND owner = ?3",
    };
    sqlite3_stmt **kept = &store->put[range ? 1 : 0];
    enum envl_status status = ENVL_OK;

    if (*kept == NULL)
        status = db_prepare(store, sql[range ? 1 : 0], kept, err);
    *out = *kept;
    return status;
}

/* The record behind its fence: spec MIG-36, JOB-64 */
static enum envl_status
put_record(struct envl_store *store, const struct envl_commit *commit,
           struct envl_error *err)
{
    const struct envl_record *record = commit->record;
    bool range = record->number > 0;
    sqlite3_stmt *put;
    enum envl_status status = put_statement(store, range, &put, err);
    int code;

    if (status != ENVL_OK)
        return status;
    db_bind_text(put, 1, envl_bytes_of(record->job));
    sqlite3_bind_int64(put, 2, (int64_t)record->epoch);
    db_bind_text(put, 3, envl_bytes_of(record->owner));
    db_bind_blob(put, 4, record->body);
    db_bind_blob(put, 5, (struct envl_bytes){ record->mac, 32 });
    sqlite3_bind_int64(put, 6, commit->ttl_ms);
    if (range)
        sqlite3_bind_int64(put, 7, record->number);
    code = db_step(store, put);
    sqlite3_reset(put);
    sqlite3_clear_bindings(put);
    if (code != SQLITE_DONE)
        return commit_failed(store, code, err);
    if (sqlite3_changes(store->db) == 1)
        return ENVL_OK;
    return say_fail(store->host, err, ENVL_E_CONFLICT, "job %s: another "
                    "process took over record %u; this batch was not written",
                    record->job, record->number);
}

static enum envl_status
put_quarantine(struct envl_store *store, const char *job,
               const struct envl_quarantine *item, struct envl_error *err)
{
    sqlite3_stmt *put = store->quarantine;
    enum envl_status status;
    int code;

    if (put == NULL) {
        status = db_prepare(store, "INSERT INTO envelope_quarantine "
                            "(job, target, field, key, digest, row, state) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
                            "ON CONFLICT DO UPDATE SET row = excluded.row, "
                            "state = excluded.state",
                            &store->quarantine, err);
        if (status != ENVL_OK)
            return status;
        put = store->quarantine;
    }
    db_bind_text(put, 1, envl_bytes_of(job));
    db_bind_text(put, 2, envl_bytes_of(item->target));
    db_bind_text(put, 3, envl_bytes_of(item->field));
    db_bind_blob(put, 4, item->key);
    db_bind_blob(put, 5, (struct envl_bytes){ item->digest, 32 });
    db_bind_text(put, 6, envl_bytes_of(item->row));
    db_bind_text(put, 7, envl_bytes_of(item->state));
    code = db_step(store, put);
    sqlite3_reset(put);
    sqlite3_clear_bindings(put);
    return code == SQLITE_DONE ? ENVL_OK : commit_failed(store, code, err);
}

/*
 * Done here and not in commit_end: the next batch begins its transaction
 * before that is called.
 */
enum envl_status
commit_begin(struct envl_store *store, const struct envl_commit *commit,
                   struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (commit->quarantine_count > 0 && commit->record == NULL)
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "a quarantine without a record");
    if (sqlite3_get_autocommit(store->db) != 0)
        status = db_begin(store, err);
    if (status == ENVL_OK && commit->record != NULL)
        status = put_record(store, commit, err);
    for (uint32_t i = 0; i < commit->quarantine_count && status == ENVL_OK;
         i++)
        status = put_quarantine(store, commit->record->job,
                                &commit->quarantine[i], err);
    if (status == ENVL_OK)
        status = db_commit(store, err);
    if (status != ENVL_OK)
        db_rollback(store);
    return status;
}

enum envl_status
commit_end(struct envl_store *store, struct envl_error *err)
{
    (void)store, (void)err;
    return ENVL_OK;
}

void
commit_rollback(struct envl_store *store)
{
    db_rollback(store);
}
