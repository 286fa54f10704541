#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "postgres/fault.h"
#include "postgres/pressure.h"

/* ---- what is asked, in the order of the limits --------------------------- */

/*
 * $1: the targets.  Vacuums of others are seen by who may see statistics;
 * everybody sees who holds the lock of a vacuum, which is also that of
 * ANALYZE and of building an index, none of them good company.
 */
static const char ask_vacuum[] =
    "WITH swept AS (SELECT c.oid, c.reltoastrelid FROM pg_catalog.pg_class c "
    "WHERE c.oid = ANY ($1::pg_catalog.oid[]) OR c.oid IN (SELECT p.relid "
    "FROM pg_catalog.unnest($1::pg_catalog.oid[]) r(o), "
    "LATERAL pg_catalog.pg_partition_tree(r.o) p)), "
    "seen AS (SELECT s.oid, v.pid, 'vacuum'::pg_catalog.text AS kind "
    "FROM swept s JOIN pg_catalog.pg_stat_progress_vacuum v ON v.relid = "
    "s.oid OR v.relid = s.reltoastrelid "
    "UNION ALL SELECT s.oid, l.pid, 'vacuum, or something else that holds "
    "its lock,' FROM swept s JOIN pg_catalog.pg_locks l "
    "ON l.relation = s.oid WHERE l.locktype = 'relation' AND l.granted "
    "AND l.mode = 'ShareUpdateExclusiveLock' AND l.database = (SELECT d.oid "
    "FROM pg_catalog.pg_database d WHERE d.datname = "
    "pg_catalog.current_database()) AND NOT pg_catalog.pg_has_role("
    "'pg_read_all_stats', 'USAGE')) "
    "SELECT coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - "
    "a.xact_start), 0)::pg_catalog.int8, CASE WHEN a.backend_type = "
    "'autovacuum worker' THEN 'autovacuum' ELSE seen.kind END, "
    "seen.oid::pg_catalog.regclass FROM seen LEFT JOIN "
    "pg_catalog.pg_stat_activity a ON a.pid = seen.pid ORDER BY 1 DESC "
    "LIMIT 1";

static const char ask_replicas[] =
    "SELECT coalesce(extract(epoch FROM r.replay_lag), 0)"
    "::pg_catalog.float8, coalesce(nullif(r.application_name, ''), 'replica'"
    "), (r.replay_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8, "
    "(pg_catalog.pg_current_wal_lsn() - '0/0'::pg_catalog.pg_lsn)"
    "::pg_catalog.int8 FROM (SELECT 1) one LEFT JOIN "
    "pg_catalog.pg_stat_replication r ON r.state IN ('streaming', 'catchup') "
    "AND r.replay_lsn IS NOT NULL";

static const char ask_archive[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_ls_archive_statusdir() "
    "WHERE name LIKE '%.ready'";

/*
 * Who keeps dead rows from being removed.  A vacuum does not; nor does what
 * is as new as the next transaction.
 */
static const char ask_horizon[] =
    "SELECT (SELECT extract(epoch FROM pg_catalog.clock_timestamp() - "
    "pg_catalog.min(x.since))::pg_catalog.int8 FROM (SELECT a.xact_start "
    "FROM pg_catalog.pg_stat_activity a WHERE (a.backend_xmin IS NOT NULL OR "
    "a.backend_xid IS NOT NULL) AND (a.datname IS NULL OR a.datname = "
    "pg_catalog.current_database()) AND a.pid <> "
    "pg_catalog.pg_backend_pid() AND a.backend_type <> 'autovacuum worker' "
    "AND a.pid NOT IN (SELECT v.pid FROM "
    "pg_catalog.pg_stat_progress_vacuum v) UNION ALL SELECT p.prepared "
    "FROM pg_catalog.pg_prepared_xacts p WHERE p.database = "
    "pg_catalog.current_database()) x(since)), "
    "(SELECT o.xmin::pg_catalog.text FROM (SELECT s.xmin FROM "
    "pg_catalog.pg_replication_slots s UNION ALL SELECT r.backend_xmin FROM "
    "pg_catalog.pg_stat_replication r) o WHERE o.xmin IS NOT NULL AND "
    "pg_catalog.age(o.xmin) > 0 ORDER BY pg_catalog.age(o.xmin) DESC LIMIT "
    "1)";

/* Our own connections do what they do because of us. */
static const char ask_sessions[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE "
    "a.state = 'active' AND a.backend_type = 'client backend' AND "
    "a.application_name <> pg_catalog.current_setting('application_name')";

/* One that does not answer is itself a reason to wait. */
static const char be_short[] =
    "SELECT pg_catalog.set_config('statement_timeout', '2000ms', true)";

/* ---- what the answers mean ----------------------------------------------- */

struct look {
    struct envl_store *store;
    const struct envl_limit *limit;
    const PGresult *result;
    double now;
    char *why;
    size_t room;
};

static double
number(const struct look *look, int row, int column)
{
    return strtod(PQgetvalue(look->result, row, column), NULL);
}

static bool
judge_vacuum(const struct look *look)
{
    if (PQntuples(look->result) == 0)
        return false;
    snprintf(look->why, look->room, "%s runs on %s (%.0f s)",
             PQgetvalue(look->result, 0, 1), PQgetvalue(look->result, 0, 2),
             number(look, 0, 0));
    return true;
}

static bool
judge_replicas(const struct look *look)
{
    struct pressure_seen *seen = &look->store->seen;
    uint64_t here = strtoull(PQgetvalue(look->result, 0, 3), NULL, 10);
    double most = 0, limit = look->limit->number;
    int slowest = 0;

    pressure_seen_log(seen, look->now, here, limit);
    for (int row = 0; row < PQntuples(look->result); row++) {
        uint64_t at = strtoull(PQgetvalue(look->result, row, 2), NULL, 10);
        double lag = number(look, row, 0), own;

        if (PQgetisnull(look->result, row, 2) || at >= here)
            continue; /* there is none, or it has all there is */
        own = pressure_seen_lag(seen, look->now, at);
        if (own > lag)
            lag = own;
        if (lag > most) {
            most = lag;
            slowest = row;
        }
    }
    if (most <= limit)
        return false;
    snprintf(look->why, look->room, "replica %.60s is %.1f s behind (limit "
             "%g s)", PQgetvalue(look->result, slowest, 1), most, limit);
    return true;
}

static bool
judge_archive(const struct look *look)
{
    if (number(look, 0, 0) <= look->limit->number)
        return false;
    snprintf(look->why, look->room, "%.0f WAL files wait to be archived "
             "(limit %.0f)", number(look, 0, 0), look->limit->number);
    return true;
}

static bool
judge_horizon(const struct look *look)
{
    double age = number(look, 0, 0); /* null is 0 */
    double other = pressure_seen_age(&look->store->seen, look->now,
                                     PQgetvalue(look->result, 0, 1));

    if (age <= look->limit->number && other <= look->limit->number)
        return false;
    snprintf(look->why, look->room, "%s keeps dead rows for %.0f s (limit "
             "%.0f s)", age >= other ? "a transaction"
                                     : "a replication slot or a standby",
             age >= other ? age : other, look->limit->number);
    return true;
}

static bool
judge_sessions(const struct look *look)
{
    if (number(look, 0, 0) <= look->limit->number)
        return false;
    snprintf(look->why, look->room, "%.0f sessions are active (limit %.0f)",
             number(look, 0, 0), look->limit->number);
    return true;
}

static bool
judge_query(const struct look *look)
{
    if (PQntuples(look->result) == 0 || PQnfields(look->result) == 0 ||
        PQgetvalue(look->result, 0, 0)[0] != 't')
        return false;
    snprintf(look->why, look->room, "the job's yield_to.query says so");
    return true;
}

static const struct known {
    const char *name;
    const char *sql; /* NULL: the limit's text */
    bool (*judge)(const struct look *look);
    bool needs_statistics;
} all_known[] = {
    { "vacuum_on_table", ask_vacuum, judge_vacuum, false },
    { "replica_lag_s", ask_replicas, judge_replicas, true },
    { "wal_archive_ready", ask_archive, judge_archive, false },
    { "xmin_age_s", ask_horizon, judge_horizon, true },
    { "active_sessions", ask_sessions, judge_sessions, true },
    { "query", NULL, judge_query, false },
};

static const struct known *
find(const char *name)
{
    for (size_t i = 0; i < sizeof(all_known) / sizeof(all_known[0]); i++) {
        if (strcmp(all_known[i].name, name) == 0)
            return &all_known[i];
    }
    return NULL;
}

/* ---- asking -------------------------------------------------------------- */

static void
send_one(struct envl_store *store, const struct envl_pressure *pressure,
         const struct envl_limit *limit, struct pipe_op *op)
{
    const struct known *known = find(limit->name);
    struct pipe_params params = { 0 };
    struct sql oids = { 0 };

    if (known->sql == ask_vacuum) {
        sql_put(&oids, "{");
        for (uint32_t i = 0; i < pressure->target_count; i++)
            sql_format(&oids, "%s%u", i == 0 ? "" : ",",
                       pressure->targets[i]->oid);
        sql_put(&oids, "}");
        pipe_text(&params, sql_text(&oids));
    }
    pipe_send(&store->pipe, op, known->sql != NULL ? known->sql : limit->text,
              &params, false);
    pipe_params_free(&params);
    sql_free(&oids);
}

/* The number of answers before the first failure: which limit it was. */
static const struct envl_limit *
failed_at(const struct envl_pressure *pressure, const struct pipe_op *op)
{
    for (uint32_t i = 0; i < pressure->limit_count; i++) {
        const PGresult *result = pipe_result(op, i + 2);

        if (result == NULL || PQresultStatus(result) == PGRES_FATAL_ERROR)
            return &pressure->limits[i];
    }
    return &pressure->limits[0];
}

static enum envl_status
tell(struct envl_store *store, const struct envl_pressure *pressure,
     const struct pipe_op *op, struct envl_error *err)
{
    const PGresult *result = pipe_error(op);
    const struct envl_limit *limit;
    enum fault fault = fault_of(result);
    enum envl_status status;
    char doing[64];

    if (result == NULL)
        return fault_tell(store, NULL, "looking for pressure", FAULT_NAMES,
                          err);
    limit = failed_at(pressure, op);
    snprintf(doing, sizeof(doing), "yield_to.%s", limit->name);
    status = fault_tell(store, result, doing, FAULT_NAMES, err);
    /* What the job's own query gets wrong, waiting does not mend. */
    if (status == ENVL_E_DATABASE && fault != FAULT_LOST) {
        status = store_fail(store, err, ENVL_E_USAGE, "yield_to.%s: the "
                            "server refuses to answer (SQLSTATE %s)",
                            limit->name, PQresultErrorField(
                                result, PG_DIAG_SQLSTATE));
        store_hint(store, err, "it has to be one SELECT that gives one "
                   "boolean and writes nothing");
    }
    return status;
}

static enum envl_status
judge_all(struct envl_store *store, struct envl_pressure *pressure,
          const struct pipe_op *op, struct envl_error *err)
{
    struct look look = { .store = store, .why = pressure->why,
                         .room = sizeof(pressure->why) };
    struct timespec now;
    char rest[sizeof(pressure->why)];

    clock_gettime(CLOCK_MONOTONIC, &now);
    look.now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    for (uint32_t i = 0; i < pressure->limit_count; i++) {
        look.limit = &pressure->limits[i];
        look.result = pipe_result(op, i + 2);
        if (find(look.limit->name)->sql == NULL &&
            (PQnfields(look.result) != 1 || PQftype(look.result, 0) != 16))
            return store_fail(store, err, ENVL_E_USAGE,
                              "yield_to.query has to give one boolean");
        /* The first names itself; the others go on to be measured. */
        if (find(look.limit->name)->judge(&look) &&
            pressure->limit == pressure->limit_count) {
            pressure->limit = i;
            look.why = rest;
        }
    }
    return ENVL_OK;
}

static enum envl_status
ask(struct envl_store *store, struct envl_pressure *pressure,
    struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);
    enum envl_status status;

    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op, "BEGIN ISOLATION LEVEL READ COMMITTED READ "
              "ONLY", NULL, false);
    pipe_send(&store->pipe, op, be_short, NULL, false);
    for (uint32_t i = 0; i < pressure->limit_count; i++)
        send_one(store, pressure, &pressure->limits[i], op);
    pipe_send(&store->pipe, op, "COMMIT", NULL, false);
    pipe_sync(&store->pipe, op);
    if (!pipe_wait(&store->pipe, op)) {
        status = fault_tell(store, NULL, "looking for pressure", FAULT_NAMES,
                            err);
    } else if (pipe_error(op) != NULL) {
        status = tell(store, pressure, op, err);
        store_ask(store, "ROLLBACK", NULL, NULL, NULL);
    } else {
        status = judge_all(store, pressure, op, err);
    }
    pipe_close(op);
    return status;
}

/* ---- before a sweep ------------------------------------------------------ */

/* spec: JOB-72; a veto that cannot see what it is to see would be a lie. */
static enum envl_status
check_rights(struct envl_store *store, const struct envl_pressure *pressure,
             struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;
    bool statistics, archive;

    status = store_ask(store, "SELECT pg_catalog.pg_has_role("
                       "'pg_read_all_stats', 'USAGE'), "
                       "pg_catalog.has_function_privilege('pg_catalog."
                       "pg_ls_archive_statusdir()', 'execute'), "
                       "pg_catalog.quote_ident(current_user)", NULL, &result,
                       err);
    if (status != ENVL_OK)
        return status;
    statistics = PQgetvalue(result, 0, 0)[0] == 't';
    archive = PQgetvalue(result, 0, 1)[0] == 't';
    for (uint32_t i = 0; status == ENVL_OK && i < pressure->limit_count;
         i++) {
        const struct known *known = find(pressure->limits[i].name);
        bool blind = known->sql == ask_archive ? !archive
                                               : known->needs_statistics &&
                                                     !statistics;

        if (!blind)
            continue;
        status = ENVL_E_POLICY;
        store_fail(store, err, status, "yield_to.%s: the role may not see "
                   "it", known->name);
        store_hint(store, err, "GRANT pg_monitor TO %s;",
                   PQgetvalue(result, 0, 2));
    }
    PQclear(result);
    return status;
}

enum envl_status
pressure_look(struct envl_store *store, struct envl_pressure *pressure,
              struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    pressure->limit = pressure->limit_count;
    pressure->why[0] = '\0';
    for (uint32_t i = 0; i < pressure->limit_count; i++) {
        if (find(pressure->limits[i].name) == NULL)
            return store_fail(store, err, ENVL_E_USAGE, "yield_to.%s: "
                              "PostgreSQL has no such thing",
                              pressure->limits[i].name);
    }
    if (pressure->limit_count == 0)
        return ENVL_OK;
    if (pressure->check)
        status = check_rights(store, pressure, err);
    if (status == ENVL_OK)
        status = ask(store, pressure, err);
    /* How long it took says nothing before a sweep. */
    return status == ENVL_E_LOCKED && pressure->check ? ENVL_OK : status;
}
