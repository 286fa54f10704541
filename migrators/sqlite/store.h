/*
 * store.h - one connection to a SQLite file, and what every part needs of it.
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include <sqlite3.h>

#include <envelope/migrator.h>

#include "common/page.h"
#include "common/say.h"
#include "sqlite/scrub.h"

struct range;

struct envl_store {
    const struct envl_host *host;
    sqlite3 *db;
    struct envl_store_info info;
    char *server, *identity;  /* of info */
    struct page_pool pool;
    int64_t deadline_ms;      /* of the statement that runs; 0: none       */
    char process[256];        /* this process, as in process.h             */
    struct scrub *scrub;      /* the VFS of db                             */
    sqlite3_stmt *version;    /* PRAGMA schema_version                     */
    sqlite3_stmt *shape;      /* journal_mode, auto_vacuum, page_count     */
    sqlite3_stmt *put[2];     /* a record: of the job, of a range; or NULL */
    sqlite3_stmt *quarantine; /* or NULL */
    struct range *range;      /* that a statement is at work on */
};

/**
 * store_open(source_json, host, out, err):
 * struct envl_migrator's open.  ENVL_E_NOTFOUND if there is no file: none is
 * ever made.
 */
enum envl_status store_open(const char *source_json,
                            const struct envl_host *host,
                            struct envl_store **out, struct envl_error *err);

/**
 * store_close(store), store_info(store):
 * struct envl_migrator's.
 */
void store_close(struct envl_store *store);
const struct envl_store_info *store_info(struct envl_store *store);

#endif /* SQLITE_STORE_H */
