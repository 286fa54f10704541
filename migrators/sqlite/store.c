#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sqlite/db.h"
#include "common/process.h"
#include "sqlite/range.h"

#define CACHE_KIB 16384
#define OLDEST    3037000 /* pragma table_list */

/* ---- the job's source --------------------------------------------------- */

/* The "path" of the source object; the caller frees it.  spec: JOB-2 */
static enum envl_status
read_source(const char *source_json, const struct envl_host *host, char **out,
            struct envl_error *err)
{
    json_t *source = json_loads(source_json, JSON_REJECT_DUPLICATES, NULL);
    enum envl_status status = ENVL_OK;
    const char *path = NULL, *name;
    json_t *value;

    json_object_foreach(source, name, value) {
        if (strcmp(name, "path") == 0)
            path = json_string_value(value);
        else if (strcmp(name, "driver") != 0)
            status = say_fail(host, err, ENVL_E_USAGE, "source: SQLite has "
                              "no member \"%s\"", name);
    }
    if (status == ENVL_OK && (path == NULL || path[0] == '\0'))
        status = say_fail(host, err, ENVL_E_USAGE, "source: \"path\" must be "
                          "the path of a SQLite file, or a file: URI");
    if (status == ENVL_OK && (*out = strdup(path)) == NULL)
        status = say_fail(host, err, ENVL_E_NOMEM, "out of memory");
    json_decref(source);
    return status;
}

/* A URI can ask for what would break a promise. */
static enum envl_status
check_uri(struct envl_store *store, struct envl_error *err)
{
    static const char *const refused[][2] = {
        { "immutable", "writes of others would not be seen" },
        { "nolock", "writes of others would not be seen" },
        { "vfs", "its locks are not known" },
        { "cache", "other connections of the process would be read before "
                   "they commit" },
    };
    const char *file = sqlite3_db_filename(store->db, "main");

    if (file == NULL || file[0] == '\0')
        return say_fail(store->host, err, ENVL_E_USAGE,
                        "source: \"path\" names a database in memory, which "
                        "nobody else can see");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (sqlite3_uri_parameter(file, refused[i][0]) != NULL)
            return say_fail(store->host, err, ENVL_E_USAGE,
                            "source: the URI parameter \"%s\" is refused: %s",
                            refused[i][0], refused[i][1]);
    }
    return ENVL_OK;
}

static enum envl_status
fail_open(const struct envl_store *store, int code, const char *path,
          struct envl_error *err)
{
    const struct envl_host *host = store->host;

    if ((code & 0xff) != SQLITE_CANTOPEN && (code & 0xff) != SQLITE_PERM &&
        (code & 0xff) != SQLITE_AUTH)
        return say_fail(host, err, ENVL_E_DATABASE, "%s: %s (SQLite code %d)",
                        path, sqlite3_errstr(code), code);
    say_fail(host, err, ENVL_E_NOTFOUND, "no SQLite file can be opened for "
             "writing at %s", path);
    say_hint(host, err, "the file must be there (none is made) and be "
             "writable; a relative path starts at the current folder");
    return ENVL_E_NOTFOUND;
}

/* ---- the connection ----------------------------------------------------- */

/*
 * SQLite 3.38 to 3.40 call their own JSON functions unsafe in a schema that
 * is not trusted, so that no table with an index, a trigger or a column made
 * of json_extract() could be swept.  We register no function and load no
 * extension; what a schema can name there does no harm.
 */
static bool
json_is_safe(void)
{
    static const char probe[] =
        "CREATE VIEW probe AS SELECT json_extract('{}', '$') AS made;"
        "SELECT made FROM probe";
    sqlite3 *db = NULL;
    bool safe;

    safe = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE |
                           SQLITE_OPEN_MEMORY, NULL) == SQLITE_OK &&
           sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
                             NULL) == SQLITE_OK &&
           sqlite3_exec(db, probe, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return safe;
}

/*
 * Freed bytes are overwritten, sorting never spills plaintext to a file in a
 * temporary folder, and functions named in the schema cannot do harm.  The
 * journal mode is left as it was found.
 */
static enum envl_status
configure(struct envl_store *store, struct envl_error *err)
{
    char sql[512];

    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, (int)store->host->lock_ms);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                      json_is_safe() ? 0 : 1, NULL);
    sqlite3_snprintf(sizeof(sql), sql,
                     "PRAGMA secure_delete = ON;"
                     "PRAGMA synchronous = FULL;"
                     "PRAGMA temp_store = MEMORY;"
                     "PRAGMA cell_size_check = ON;"
                     "PRAGMA cache_size = -%d;", CACHE_KIB);
    return db_exec(store, sql, "opening the database", err);
}

/*
 * Of the rollback journals TRUNCATE costs least and leaves nothing behind.
 * Inside a transaction, where nobody can make it WAL in between, and SQLite
 * refuses to leave WAL; the mode of the file is not changed by this.
 */
static void
switch_journal(struct envl_store *store, const char *from, const char *to)
{
    char mode[16] = "", sql[64];
    sqlite3_stmt *found = NULL;

    if (sqlite3_exec(store->db, "BEGIN; SELECT count(*) FROM sqlite_schema",
                     NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(store->db, "PRAGMA journal_mode", -1, &found,
                           NULL) == SQLITE_OK &&
        sqlite3_step(found) == SQLITE_ROW)
        sqlite3_snprintf(sizeof(mode), mode, "%s", db_text(found, 0));
    sqlite3_finalize(found);
    if (strcmp(mode, from) == 0) {
        sqlite3_snprintf(sizeof(sql), sql, "PRAGMA journal_mode = %s", to);
        sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    }
    db_rollback(store);
}

static enum envl_status
describe(struct envl_store *store, struct envl_error *err)
{
    const char *file = sqlite3_db_filename(store->db, "main");
    sqlite3_stmt *mode;
    enum envl_status status;
    int code;

    /* The first statement that reads the file, and so finds what it is. */
    status = db_prepare(store, "PRAGMA journal_mode", &mode, err);
    if (status != ENVL_OK)
        return status;
    code = db_step(store, mode);
    if (code == SQLITE_ROW)
        store->server = sqlite3_mprintf("SQLite %s, journal mode %s",
                                        sqlite3_libversion(),
                                        db_text(mode, 0));
    else
        status = db_fail(store, err, code, "opening the database");
    sqlite3_finalize(mode);
    if (status != ENVL_OK)
        return status;
    store->identity = sqlite3_mprintf("sqlite:%s", file);
    if (store->server == NULL || store->identity == NULL)
        return say_fail(store->host, err, ENVL_E_NOMEM, "out of memory");
    store->info = (struct envl_store_info){
        .driver = "sqlite", .server = store->server,
        .identity = store->identity, .max_workers = 1, .immediate = true,
    };
    status = db_prepare(store, "PRAGMA schema_version", &store->version, err);
    if (status == ENVL_OK)
        status = db_prepare(store, "SELECT journal_mode, auto_vacuum, "
                            "page_count FROM pragma_journal_mode, "
                            "pragma_auto_vacuum, pragma_page_count",
                            &store->shape, err);
    return status;
}

static enum envl_status
connect_file(struct envl_store *store, const char *path,
             struct envl_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    enum envl_status status;
    int64_t objects;
    int code;

    if (sqlite3_libversion_number() < OLDEST)
        return say_fail(store->host, err, ENVL_E_DATABASE,
                        "SQLite %s is too old: 3.37 or newer is needed",
                        sqlite3_libversion());
    code = scrub_new(&store->scrub);
    if (code == SQLITE_OK)
        code = sqlite3_open_v2(path, &store->db, flags,
                               scrub_name(store->scrub));
    if (code != SQLITE_OK)
        return fail_open(store, code, path, err);
    status = check_uri(store, err);
    if (status == ENVL_OK && sqlite3_db_readonly(store->db, "main") == 1)
        status = fail_open(store, SQLITE_CANTOPEN, path, err);
    if (status == ENVL_OK)
        status = configure(store, err);
    if (status == ENVL_OK)
        status = range_register(store, err);
    if (status == ENVL_OK)
        status = db_number(store, "SELECT count(*) FROM sqlite_schema",
                           &objects, err);
    if (status == ENVL_OK)
        status = describe(store, err);
    if (status == ENVL_OK)
        switch_journal(store, "delete", "truncate");
    return status;
}

enum envl_status
store_open(const char *source_json, const struct envl_host *host,
           struct envl_store **out, struct envl_error *err)
{
    struct envl_store *store = NULL;
    enum envl_status status;
    char *path = NULL;

    status = read_source(source_json, host, &path, err);
    if (status != ENVL_OK)
        goto out;
    store = calloc(1, sizeof(*store));
    if (store == NULL) {
        status = say_fail(host, err, ENVL_E_NOMEM, "out of memory");
        goto out;
    }
    store->host = host;
    process_name(store->process, sizeof(store->process));
    status = connect_file(store, path, err);
    if (status != ENVL_OK)
        goto out;
    *out = store;
    store = NULL;

out:
    store_close(store);
    free(path);
    return status;
}

void
store_close(struct envl_store *store)
{
    if (store == NULL)
        return;
    sqlite3_finalize(store->version);
    sqlite3_finalize(store->shape);
    sqlite3_finalize(store->put[0]);
    sqlite3_finalize(store->put[1]);
    sqlite3_finalize(store->quarantine);
    if (store->db != NULL) {
        db_rollback(store);
        switch_journal(store, "truncate", "delete");
    }
    /* With a statement left open the connection lives on, and its VFS. */
    if (sqlite3_close(store->db) == SQLITE_OK)
        scrub_free(store->scrub);
    page_pool_free(&store->pool);
    sqlite3_free(store->server);
    sqlite3_free(store->identity);
    free(store);
}

const struct envl_store_info *
store_info(struct envl_store *store)
{
    return &store->info;
}
