#include <stdio.h>
#include <string.h>

#include "postgres/fault.h"
#include "postgres/grants.h"
#include "postgres/guard.h"
#include "postgres/record.h"
#include "postgres/state.h"

/* Two processes that both find nothing take turns. */
#define TAKE_TURNS "SELECT pg_catalog.pg_advisory_xact_lock(7236284911)"
#define TRIES      40

/* Records change with each batch: room in their pages keeps that cheap. */
static const char *const tables[] = {
    "CREATE SCHEMA IF NOT EXISTS envelope",
    "CREATE TABLE IF NOT EXISTS envelope.job (\n"
    "    job text PRIMARY KEY,\n"
    "    epoch bigint NOT NULL,\n"
    "    owner text NOT NULL,\n"
    "    backend text NOT NULL,\n"
    "    lease_until timestamptz NOT NULL,\n"
    "    body bytea NOT NULL,\n"
    "    mac bytea NOT NULL\n"
    ") WITH (fillfactor = 40)",
    "CREATE TABLE IF NOT EXISTS envelope.range (\n"
    "    job text NOT NULL,\n"
    "    number integer NOT NULL,\n"
    "    epoch bigint NOT NULL,\n"
    "    owner text NOT NULL,\n"
    "    backend text NOT NULL,\n"
    "    lease_until timestamptz NOT NULL,\n"
    "    body bytea NOT NULL,\n"
    "    mac bytea NOT NULL,\n"
    "    PRIMARY KEY (job, number)\n"
    ") WITH (fillfactor = 40)",
    "CREATE TABLE IF NOT EXISTS envelope.quarantine (\n"
    "    job text NOT NULL,\n"
    "    id bytea NOT NULL,\n"
    "    target text NOT NULL,\n"
    "    field text NOT NULL,\n"
    "    key bytea NOT NULL,\n"
    "    row_name text NOT NULL,\n"
    "    state text NOT NULL,\n"
    "    digest bytea NOT NULL,\n"
    "    since timestamptz NOT NULL DEFAULT clock_timestamp(),\n"
    "    PRIMARY KEY (job, id)\n"
    ")",
};

#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

/* ---- running several statements ----------------------------------------- */

static enum envl_status
finish(struct envl_store *store, struct pipe_op *op, const char *doing,
       struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool lost;

    pipe_sync(&store->pipe, op);
    lost = !pipe_wait(&store->pipe, op);
    if (!lost && pipe_error(op) != NULL &&
        fault_of(pipe_error(op)) == FAULT_FENCE)
        status = store_fail(store, err, ENVL_E_CONFLICT,
                            "another process has taken the job");
    else if (lost || pipe_error(op) != NULL)
        status = fault_tell(store, lost ? NULL : pipe_error(op), doing,
                            FAULT_ALL, err);
    pipe_close(op);
    if (status != ENVL_OK)
        store_ask(store, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static enum envl_status
make_tables(struct envl_store *store, struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);

    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op,
              "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, true);
    pipe_send(&store->pipe, op, TAKE_TURNS, NULL, true);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        pipe_send(&store->pipe, op, tables[i], NULL, true);
    pipe_send(&store->pipe, op, "COMMIT", NULL, true);
    return finish(store, op, "making the tables of the schema envelope", err);
}

enum envl_status
state_setup(struct envl_store *store, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool there = false;

    for (int i = 0; i < TRIES; i++) {
        status = store_has_state(store, &there, err);
        if (status != ENVL_OK || there)
            return status;
        status = make_tables(store, err);
        if (status != ENVL_E_LOCKED)
            break;
    }
    return status;
}

/* ---- a new pass --------------------------------------------------------- */

#define RANGE_ARRAYS 4u

static const char add_ranges[] =
    "INSERT INTO envelope.range (job, number, epoch, owner, backend, "
    "lease_until, body, mac) SELECT $1::pg_catalog.text, "
    "pg_catalog.unnest($2::pg_catalog.int4[]), "
    "pg_catalog.unnest($3::pg_catalog.text[])::pg_catalog.int8, '', '', "
    "pg_catalog.clock_timestamp(), "
    "pg_catalog.unnest($4::pg_catalog.bytea[]), "
    "pg_catalog.unnest($5::pg_catalog.bytea[])";

static void
add_range(struct sql_array *arrays, const struct envl_record *range)
{
    struct envl_bytes mac = { range->mac, sizeof(range->mac) };
    char epoch[24];

    snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)range->epoch);
    sql_array_add_int4(&arrays[0], (int32_t)range->number);
    sql_array_add(&arrays[1], envl_bytes_of(epoch));
    sql_array_add(&arrays[2], range->body);
    sql_array_add(&arrays[3], mac);
}

static void
send_ranges(struct envl_store *store, const char *job,
            const struct envl_record *ranges, uint32_t count,
            struct pipe_op *op)
{
    static const Oid types[RANGE_ARRAYS] = { 23, 25, 17, 17 };
    struct sql_array arrays[RANGE_ARRAYS] = { { .count = 0 } };
    struct pipe_params params = { 0 };

    for (uint32_t i = 0; i < RANGE_ARRAYS; i++)
        sql_array_begin(&arrays[i], types[i]);
    for (uint32_t i = 0; i < count; i++)
        add_range(arrays, &ranges[i]);
    pipe_text(&params, job);
    for (uint32_t i = 0; i < RANGE_ARRAYS; i++)
        pipe_binary(&params, sql_array_end(&arrays[i]));
    if (count > 0)
        pipe_send(&store->pipe, op, add_ranges, &params, true);
    for (uint32_t i = 0; i < RANGE_ARRAYS; i++)
        sql_array_free(&arrays[i]);
    pipe_params_free(&params);
}

enum envl_status
state_reset(struct envl_store *store, const struct envl_record *job,
            const struct envl_record *ranges, uint32_t count,
            struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);
    struct pipe_params params = { 0 };
    enum envl_status status;

    if (op == NULL)
        return store_nomem(store, err);
    pipe_text(&params, job->job);
    pipe_send(&store->pipe, op,
              "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, true);
    record_send_put(store, job, 0, op);
    pipe_send(&store->pipe, op,
              "DELETE FROM envelope.range WHERE job = $1::pg_catalog.text",
              &params, true);
    send_ranges(store, job->job, ranges, count, op);
    pipe_send(&store->pipe, op, "DELETE FROM envelope.quarantine "
              "WHERE job = $1::pg_catalog.text", &params, true);
    pipe_send(&store->pipe, op, "COMMIT", NULL, true);
    status = finish(store, op, "beginning a new pass", err);
    pipe_params_free(&params);
    return status;
}

/* ---- quarantine --------------------------------------------------------- */

static enum envl_status
give(const PGresult *result, int row, envl_quarantine_fn *each, void *cookie,
     struct envl_error *err)
{
    struct envl_quarantine item = {
        .target = PQgetvalue(result, row, 0),
        .field = PQgetvalue(result, row, 1),
        .key = { (const uint8_t *)PQgetvalue(result, row, 2),
                 (size_t)PQgetlength(result, row, 2) },
        .row = PQgetvalue(result, row, 3),
        .state = PQgetvalue(result, row, 4),
    };

    if (PQgetlength(result, row, 5) == (int)sizeof(item.digest))
        memcpy(item.digest, PQgetvalue(result, row, 5), sizeof(item.digest));
    return each(cookie, &item, err);
}

enum envl_status
state_quarantine(struct envl_store *store, const char *job, uint32_t limit,
                 envl_quarantine_fn *each, void *cookie,
                 struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char most[16];
    bool there;

    status = store_has_state(store, &there, err);
    if (status != ENVL_OK || !there)
        return status;
    snprintf(most, sizeof(most), "%u", limit);
    pipe_text(&params, job);
    pipe_text(&params, most);
    status = store_fetch(store,
                         "SELECT target, field, key, row_name, state, digest "
                         "FROM envelope.quarantine "
                         "WHERE job = $1::pg_catalog.text "
                         "ORDER BY target, field, since, id "
                         "LIMIT $2::pg_catalog.int8", &params, &result, err);
    pipe_params_free(&params);
    for (int row = 0; status == ENVL_OK && row < PQntuples(result); row++)
        status = give(result, row, each, cookie, err);
    PQclear(result);
    return status;
}

/* ---- DDL ---------------------------------------------------------------- */

enum envl_status
state_ddl(struct envl_store *store, struct envl_target *const *targets,
          uint32_t count, void (*append)(void *cookie, const char *text),
          void *cookie, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;
    const char *role;

    status = store_ask(store, "SELECT pg_catalog.quote_ident(current_user)",
                       NULL, &result, err);
    if (status != ENVL_OK)
        return status;
    role = PQgetvalue(result, 0, 0);
    append(cookie, "-- The state of jobs: ids, counts, reasons and MACs, "
           "never a value.\n");
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        append(cookie, tables[i]);
        append(cookie, ";\n");
    }
    append(cookie, "\n-- What the role of the sweep needs, and nothing "
           "more.\nGRANT USAGE ON SCHEMA envelope TO ");
    append(cookie, role);
    append(cookie, ";\nGRANT SELECT, INSERT, UPDATE, DELETE ON envelope.job, "
           "envelope.range, envelope.quarantine TO ");
    append(cookie, role);
    append(cookie, ";\n");
    if (store->version >= 150000) {
        append(cookie, "-- Not needed, but it keeps rows that a constraint "
               "refuses out of the server's log:\n"
               "-- GRANT SET ON PARAMETER log_error_verbosity TO ");
        append(cookie, role);
        append(cookie, ";\n");
    }
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = grants_put(targets[i], role, append, cookie, err);
    for (uint32_t i = 0; i < count && status == ENVL_OK; i++)
        status = guard_read_ddl(targets[i], append, cookie, err);
    PQclear(result);
    return status;
}
