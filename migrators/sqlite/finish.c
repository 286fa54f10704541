#include <string.h>
#include <sys/stat.h>

#include "sqlite/db.h"
#include "sqlite/finish.h"
#include "sqlite/remnant.h"
#include "sqlite/schema.h"

enum envl_status
finish_ddl(struct envl_store *store, struct envl_target *const *targets,
           uint32_t count, void (*append)(void *cookie, const char *text),
           void *cookie, struct envl_error *err)
{
    (void)store, (void)targets, (void)count, (void)err;
    append(cookie, SCHEMA_TABLES);
    append(cookie, "-- SQLite has no grants: whoever runs the job needs to "
                   "read and write the file\n-- and to make files in its "
                   "folder (the journal).\n");
    return ENVL_OK;
}

/* One row: busy, frames in the log, frames moved; not WAL: 0, -1, -1. */
static enum envl_status
empty_log(struct envl_store *store, struct envl_error *err)
{
    sqlite3_stmt *checkpoint;
    enum envl_status status;
    int code;

    status = db_prepare(store, "PRAGMA wal_checkpoint(TRUNCATE)", &checkpoint,
                        err);
    if (status != ENVL_OK)
        return status;
    code = db_step(store, checkpoint);
    if (code == SQLITE_ROW && sqlite3_column_int(checkpoint, 0) != 0) {
        status = say_fail(store->host, err, ENVL_E_LOCKED, "the write-ahead "
                          "log still holds plaintext: a connection that reads "
                          "keeps it from being truncated");
        say_hint(store->host, err, "end the long-running reader and run the "
                 "job again, or run PRAGMA wal_checkpoint(TRUNCATE)");
    } else if (code != SQLITE_ROW && code != SQLITE_DONE) {
        status = db_fail(store, err, code, "truncating the write-ahead log");
    }
    sqlite3_finalize(checkpoint);
    return status;
}

/* journal_mode PERSIST and TRUNCATE of another connection leave one. */
static void
note_journal(struct envl_store *store)
{
    const char *file = sqlite3_db_filename(store->db, "main");
    char *journal = sqlite3_mprintf("%s-journal", file);
    struct stat found;

    if (journal != NULL && stat(journal, &found) == 0 && found.st_size > 0)
        say_note(store->host, ENVL_NOTE_WARN, NULL, "the journal of another "
                 "connection is kept beside the file (journal_mode = "
                 "PERSIST): it may hold plaintext. PRAGMA journal_mode = "
                 "DELETE in that connection removes it.");
    sqlite3_free(journal);
}

/* Out of the reach of SQL but for VACUUM, which may renumber rowids. */
static void
note_pages(struct envl_store *store, uint64_t pages, bool known)
{
    if (!known)
        say_note(store->host, ENVL_NOTE_INFO, NULL, "What was deleted before "
                 "the sweep without secure_delete may still be in unused "
                 "parts of the file. VACUUM; rewrites it without them.");
    else if (pages > 0)
        say_note(store->host, ENVL_NOTE_WARN, NULL, "%llu pages of the file "
                 "hold text of rows that were moved or deleted before the "
                 "sweep, which may be plaintext. VACUUM; rewrites the file "
                 "without it.", (unsigned long long)pages);
}

enum envl_status
finish_run(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = empty_log(store, err);
    uint64_t remnants = 0;
    bool known = false;

    if (status == ENVL_OK)
        status = remnant_count(store, &remnants, &known, err);
    if (status != ENVL_OK)
        return status;
    note_journal(store);
    note_pages(store, remnants, known);
    say_note(store->host, ENVL_NOTE_INFO, NULL, "What the sweep freed was "
             "overwritten. Out of its reach are backups, and blocks of the "
             "disk that journals have given back.");
    return ENVL_OK;
}
