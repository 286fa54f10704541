#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/connect.h"
#include "postgres/fault.h"
#include "postgres/read.h"
#include "postgres/session.h"
#include "postgres/write.h"

#define OLDEST_VERSION 120000 /* TID scans in nested loops, sha256()  */

/* Beyond a batch's longest silence: while the next page is being sealed. */
#define IDLE_MS "60000"

/*
 * For the whole session.  The search path stays what the role and database
 * say, because triggers and the job's condition may rely on it, but for
 * pg_catalog, which always comes first; statements of ours name the schema
 * of whatever they use.
 */
static enum envl_status
settle(struct envl_store *store, struct envl_error *err)
{
    const struct envl_host *host = store->host;
    struct sql sql = { 0 };
    enum envl_status status;

    sql_format(&sql,
               "SELECT pg_catalog.set_config('lock_timeout', '%ums', false), "
               "pg_catalog.set_config('statement_timeout', '%ums', false), "
               "pg_catalog.set_config('idle_in_transaction_session_timeout', "
               "'" IDLE_MS "ms', false), "
               "pg_catalog.set_config('plan_cache_mode', "
               "'force_custom_plan', false), "
               "pg_catalog.set_config('standard_conforming_strings', 'on', "
               "false), "
               "pg_catalog.set_config('extra_float_digits', '3', false), "
               "pg_catalog.set_config('DateStyle', 'ISO', false), "
               "pg_catalog.set_config('bytea_output', 'hex', false), "
               "pg_catalog.set_config('default_transaction_isolation', "
               "'read committed', false), "
               "CASE WHEN pg_catalog.current_setting('search_path') LIKE "
               "'%%pg_catalog%%' THEN pg_catalog.set_config('search_path', "
               "'pg_catalog, ' || pg_catalog.current_setting('search_path'), "
               "false) END",
               host->lock_ms, host->statement_ms);
    if (store->version >= 130000)
        sql_put(&sql, ", pg_catalog.set_config("
                "'log_parameter_max_length_on_error', '0', false)");
    if (store->version >= 140000) /* a worker that waits is not idle */
        sql_put(&sql, ", pg_catalog.set_config('idle_session_timeout', '0', "
                "false)");
    if (store->sql_ascii)
        sql_put(&sql, ", pg_catalog.set_config('client_encoding', "
                "'SQL_ASCII', false)");
    status = store_ask(store, sql_text(&sql), NULL, NULL, err);
    sql_free(&sql);
    return status;
}

/*
 * The server's log shows the whole row that a constraint refuses, in DETAIL.
 * Where the role may say so, errors of ours are logged without it.
 */
static enum envl_status
quieten(struct envl_store *store, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(
        store,
        store->version >= 150000
            ? "SELECT CASE WHEN pg_catalog.has_parameter_privilege("
              "'log_error_verbosity', 'SET') THEN pg_catalog.set_config("
              "'log_error_verbosity', 'terse', false) END"
            : "SELECT CASE WHEN pg_catalog.current_setting('is_superuser') = "
              "'on' THEN pg_catalog.set_config('log_error_verbosity', "
              "'terse', false) END",
        NULL, &result, err);
    if (status == ENVL_OK)
        store->quiet = !PQgetisnull(result, 0, 0);
    PQclear(result);
    return status;
}

static enum envl_status
identify(struct envl_store *store, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(
        store,
        "SELECT d.oid, d.datname, pg_catalog.pg_backend_pid(), "
        "(SELECT pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US') FROM pg_catalog.pg_stat_activity a "
        "WHERE a.pid = pg_catalog.pg_backend_pid()), "
        "CASE WHEN pg_catalog.has_function_privilege("
        "'pg_catalog.pg_control_system()', 'execute') THEN "
        "(SELECT s.system_identifier FROM pg_catalog.pg_control_system() s) "
        "END, pg_catalog.pg_is_in_recovery() "
        "FROM pg_catalog.pg_database d "
        "WHERE d.datname = pg_catalog.current_database()",
        NULL, &result, err);
    if (status != ENVL_OK)
        return status;
    if (PQgetisnull(result, 0, 4)) /* no right to it: the name has to do */
        snprintf(store->identity, sizeof(store->identity), "%s/%.40s",
                 PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
    else
        snprintf(store->identity, sizeof(store->identity), "%s/%s",
                 PQgetvalue(result, 0, 4), PQgetvalue(result, 0, 0));
    snprintf(store->backend, sizeof(store->backend), "%s %s",
             PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 3));
    if (strtol(PQgetvalue(result, 0, 2), NULL, 10) !=
        PQbackendPID(store->conn))
        store_note(store, ENVL_NOTE_INFO, NULL,
                   "the connection goes through a pooler: it has to pool by "
                   "session");
    if (PQgetvalue(result, 0, 5)[0] == 't')
        store_note(store, ENVL_NOTE_DECIDE, NULL,
                   "the server is a standby: it can be read, not swept");
    PQclear(result);
    return ENVL_OK;
}

static void
describe(struct envl_store *store)
{
    const char *version = PQparameterStatus(store->conn, "server_version");
    const char *host = PQhost(store->conn);
    bool local = host == NULL || host[0] == '/' || host[0] == '\0';

    snprintf(store->server, sizeof(store->server), "PostgreSQL %.*s on %s%s",
             (int)strcspn(version == NULL ? "?" : version, " "),
             version == NULL ? "?" : version,
             local ? "local socket" : host,
             PQsslInUse(store->conn) ? " over TLS" : "");
    store->info = (struct envl_store_info){
        .driver = "postgres",
        .server = store->server,
        .identity = store->identity,
        .max_workers = 64,
    };
}

static enum envl_status
begin(struct envl_store *store, struct envl_error *err)
{
    const char *encoding = PQparameterStatus(store->conn, "server_encoding");
    enum envl_status status;

    store->version = PQserverVersion(store->conn);
    store->sql_ascii = encoding != NULL && strcmp(encoding, "SQL_ASCII") == 0;
    if (store->version < OLDEST_VERSION)
        return store_fail(store, err, ENVL_E_DATABASE,
                          "the server is PostgreSQL %d; 12 or newer is needed",
                          store->version / 10000);
    if (!pipe_init(&store->pipe, store->conn))
        return store_nomem(store, err);
    status = settle(store, err);
    if (status == ENVL_OK)
        status = quieten(store, err);
    if (status == ENVL_OK)
        status = identify(store, err);
    if (status == ENVL_OK)
        describe(store);
    return status;
}

enum envl_status
session_open(const char *source_json, const struct envl_host *host,
             struct envl_store **out, struct envl_error *err)
{
    struct envl_store *store = calloc(1, sizeof(*store));
    enum envl_status status;

    if (store == NULL)
        return host->fail(err, ENVL_E_NOMEM, "out of memory for a connection");
    store->host = host;
    status = connect_start(source_json, store, err);
    if (status == ENVL_OK)
        status = begin(store, err);
    if (status != ENVL_OK) {
        session_close(store);
        return status;
    }
    *out = store;
    return ENVL_OK;
}

void
session_close(struct envl_store *store)
{
    if (store == NULL)
        return;
    read_abandon(store);
    write_free(store);
    pipe_close(store->commit);
    pipe_finish(&store->pipe);
    PQfinish(store->conn);
    page_pool_free(&store->pool);
    free(store);
}

const struct envl_store_info *
session_info(struct envl_store *store)
{
    return &store->info;
}

/* ---- the server's log --------------------------------------------------- */

/* Members beyond what the host was compiled with are not there (MIG-3). */
static bool
exposure_allowed(const struct envl_host *host)
{
    size_t end = offsetof(struct envl_host, allow_log_exposure) +
                 sizeof(host->allow_log_exposure);

    return host->size >= end && host->allow_log_exposure;
}

/*
 * Settings under which parameters of a statement that succeeds are logged.
 * What auto_explain and pgaudit do shows in settings of their own.
 */
static const char log_settings[] =
    "SELECT s.name, s.setting FROM pg_catalog.pg_settings s WHERE "
    "CASE s.name "
    "WHEN 'log_statement' THEN s.setting IN ('mod', 'all') "
    "WHEN 'log_min_duration_statement' THEN s.setting::pg_catalog.int4 >= 0 "
    "WHEN 'log_min_duration_sample' THEN s.setting::pg_catalog.int4 >= 0 "
    "WHEN 'log_transaction_sample_rate' THEN "
    "s.setting::pg_catalog.float8 > 0 "
    "WHEN 'auto_explain.log_min_duration' THEN "
    "s.setting::pg_catalog.int4 >= 0 "
    "WHEN 'pgaudit.log_parameter' THEN s.setting = 'on' "
    "ELSE false END "
    "AND NOT (s.name LIKE 'log\\_%' AND EXISTS (SELECT 1 FROM "
    "pg_catalog.pg_settings m WHERE m.name = 'log_parameter_max_length' "
    "AND m.setting = '0')) ORDER BY 1 LIMIT 1";

enum envl_status
session_check_log(struct envl_store *store, const char *what,
                  struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(store, log_settings, NULL, &result, err);
    if (status != ENVL_OK)
        return status;
    if (PQntuples(result) > 0 && !exposure_allowed(store->host)) {
        status = ENVL_E_POLICY;
        store_fail(store, err, status,
                   "the server would write %s to its log (%s = %s)", what,
                   PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
        store_hint(store, err, "set log_parameter_max_length = 0 on the "
                   "server (PostgreSQL 13 and newer), or convert the column "
                   "to jsonb, or say \"allow_log_exposure\": true in the job");
    }
    PQclear(result);
    return status;
}
