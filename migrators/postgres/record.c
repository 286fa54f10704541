#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/fault.h"
#include "postgres/record.h"

/* Which row: of the job itself, or of one of its ranges. */
static const char *
table_of(uint32_t number)
{
    return number == 0 ? "envelope.job" : "envelope.range";
}

static const char *
where_of(uint32_t number)
{
    return number == 0 ? "job = $1::pg_catalog.text AND "
                         "$2::pg_catalog.int4 = 0"
                       : "job = $1::pg_catalog.text AND "
                         "number = $2::pg_catalog.int4";
}

/*
 * True if the backend that took the lease is not there any more.  Where the
 * role may not see another's start, the same pid counts as the same backend.
 */
#define GONE \
    "(backend <> '' AND NOT EXISTS (SELECT 1 FROM " \
    "pg_catalog.pg_stat_activity a WHERE a.pid::pg_catalog.text = " \
    "pg_catalog.split_part(backend, ' ', 1) AND " \
    "coalesce(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', " \
    "'YYYY-MM-DD\"T\"HH24:MI:SS.US') = " \
    "pg_catalog.split_part(backend, ' ', 2), true)))"

#define LEASE(parameter) \
    "pg_catalog.clock_timestamp() + " parameter \
    "::pg_catalog.float8 * '1 millisecond'::pg_catalog.interval"

/* ---- parameters: job, number, epoch, owner, body, mac, backend, ttl ------ */

struct values {
    struct pipe_params params;
    char number[16], epoch[24], ttl[16];
};

static void
fill(struct values *values, const struct envl_store *store,
     const struct envl_record *record, uint32_t ttl_ms)
{
    struct envl_bytes body = record->body;
    struct envl_bytes mac = { record->mac, sizeof(record->mac) };

    if (body.ptr == NULL) /* an empty body is no missing memory */
        body.ptr = (const uint8_t *)"";
    snprintf(values->number, sizeof(values->number), "%u", record->number);
    snprintf(values->epoch, sizeof(values->epoch), "%llu",
             (unsigned long long)record->epoch);
    snprintf(values->ttl, sizeof(values->ttl), "%u", ttl_ms);
    pipe_text(&values->params, record->job);
    pipe_text(&values->params, values->number);
    pipe_text(&values->params, values->epoch);
    pipe_text(&values->params, record->owner == NULL ? "" : record->owner);
    pipe_binary(&values->params, body);
    pipe_binary(&values->params, mac);
    pipe_text(&values->params, store->backend);
    pipe_text(&values->params, values->ttl);
}

static void
put_change(struct sql *sql, const struct envl_record *record)
{
    sql_format(sql, "UPDATE %s SET epoch = $3::pg_catalog.int8, "
               "owner = $4::pg_catalog.text, body = $5::pg_catalog.bytea, "
               "mac = $6::pg_catalog.bytea, backend = $7::pg_catalog.text, "
               "lease_until = greatest(lease_until, " LEASE("$8") ") "
               "WHERE %s ", table_of(record->number),
               where_of(record->number));
}

void
record_send_put(struct envl_store *store, const struct envl_record *record,
                uint32_t ttl_ms, struct pipe_op *op)
{
    struct values values = { .number = "" };
    struct sql sql = { 0 };

    fill(&values, store, record, ttl_ms);
    sql_put(&sql, "/* fails if the lease was lost */ WITH envl_put AS (");
    put_change(&sql, record);
    sql_put(&sql, "AND epoch = $3::pg_catalog.int8 AND "
            "owner = $4::pg_catalog.text RETURNING 1) "
            "SELECT 1 / pg_catalog.count(*) FROM envl_put");
    pipe_send(&store->pipe, op, sql_text(&sql), &values.params, true);
    pipe_params_free(&values.params);
    sql_free(&sql);
}

/* ---- taking and giving back --------------------------------------------- */

/* Run one statement about ${record}; store how many rows it changed. */
static enum envl_status
change(struct envl_store *store, struct sql *sql, struct values *values,
       bool *changed, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(store, sql_text(sql), &values->params, &result, err);
    if (status == ENVL_OK)
        *changed = PQntuples(result) > 0;
    PQclear(result);
    sql_free(sql);
    return status;
}

/* Why the lease was not to be had. */
static enum envl_status
tell_holder(struct envl_store *store, const struct envl_record *next,
            struct envl_error *err)
{
    struct pipe_params params = { 0 };
    struct sql sql = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    char number[16];

    snprintf(number, sizeof(number), "%u", next->number);
    pipe_text(&params, next->job);
    pipe_text(&params, number);
    sql_format(&sql, "SELECT epoch, owner FROM %s WHERE %s",
               table_of(next->number), where_of(next->number));
    status = store_ask(store, sql_text(&sql), &params, &result, err);
    if (status == ENVL_OK && PQntuples(result) == 1 &&
        strtoull(PQgetvalue(result, 0, 0), NULL, 10) == next->epoch - 1)
        status = store_fail(store, err, ENVL_E_LOCKED,
                            "job %s is held by %s", next->job,
                            PQgetvalue(result, 0, 1));
    else if (status == ENVL_OK)
        status = store_fail(store, err, ENVL_E_CONFLICT,
                            "job %s was taken by another process", next->job);
    PQclear(result);
    pipe_params_free(&params);
    sql_free(&sql);
    return status;
}

enum envl_status
record_take(struct envl_store *store, const struct envl_record *next,
            uint32_t ttl_ms, struct envl_error *err)
{
    struct values values = { .number = "" };
    struct sql sql = { 0 };
    enum envl_status status;
    bool taken = false;

    fill(&values, store, next, ttl_ms);
    put_change(&sql, next);
    sql_put(&sql, "AND epoch = $3::pg_catalog.int8 - 1 AND (owner = '' OR "
            "owner = $4::pg_catalog.text OR "
            "lease_until <= pg_catalog.clock_timestamp() OR " GONE
            ") RETURNING 1");
    status = change(store, &sql, &values, &taken, err);
    if (status == ENVL_OK && !taken && next->epoch == 1) {
        sql_format(&sql, "INSERT INTO %s (job, %sepoch, owner, body, mac, "
                   "backend, lease_until) SELECT $1::pg_catalog.text, "
                   "%s$3::pg_catalog.int8, $4::pg_catalog.text, "
                   "$5::pg_catalog.bytea, $6::pg_catalog.bytea, "
                   "$7::pg_catalog.text, " LEASE("$8")
                   " WHERE $2::pg_catalog.int4 >= 0 "
                   "ON CONFLICT DO NOTHING RETURNING 1",
                   table_of(next->number), next->number == 0 ? "" : "number, ",
                   next->number == 0 ? "" : "$2::pg_catalog.int4, ");
        status = change(store, &sql, &values, &taken, err);
    }
    pipe_params_free(&values.params);
    if (status == ENVL_OK && !taken)
        status = tell_holder(store, next, err);
    return status;
}

enum envl_status
record_release(struct envl_store *store, const struct envl_record *record,
               struct envl_error *err)
{
    struct values values = { .number = "" };
    struct sql sql = { 0 };
    enum envl_status status;

    fill(&values, store, record, 0);
    values.params.count = 4;
    sql_format(&sql, "UPDATE %s SET owner = '', backend = '', "
               "lease_until = pg_catalog.clock_timestamp() WHERE %s "
               "AND epoch = $3::pg_catalog.int8 AND "
               "owner = $4::pg_catalog.text", table_of(record->number),
               where_of(record->number));
    status = store_ask(store, sql_text(&sql), &values.params, NULL, err);
    pipe_params_free(&values.params);
    sql_free(&sql);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

enum answer { NUMBER, EPOCH, OWNER, BODY, MAC, LEFT, OWNER_GONE };

#define COLUMNS \
    "epoch, owner, body, mac, pg_catalog.floor(extract(epoch FROM " \
    "lease_until - pg_catalog.clock_timestamp()) * 1000)::pg_catalog.int8, " \
    GONE

static const char read_all[] =
    "SELECT 0::pg_catalog.int4, " COLUMNS " FROM envelope.job "
    "WHERE job = $1::pg_catalog.text UNION ALL "
    "SELECT number, " COLUMNS " FROM envelope.range "
    "WHERE job = $1::pg_catalog.text ORDER BY 1";

static uint64_t
number_at(const PGresult *result, int row, int column)
{
    const uint8_t *at = (const uint8_t *)PQgetvalue(result, row, column);
    int len = PQgetlength(result, row, column);
    uint64_t value = 0;

    for (int i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

static enum envl_status
give(const PGresult *result, int row, const char *job, envl_record_fn *each,
     void *cookie, struct envl_error *err)
{
    struct envl_record record = {
        .job = job,
        .number = (uint32_t)number_at(result, row, NUMBER),
        .epoch = number_at(result, row, EPOCH),
        .owner = PQgetvalue(result, row, OWNER),
        .body = { (const uint8_t *)PQgetvalue(result, row, BODY),
                  (size_t)PQgetlength(result, row, BODY) },
        .lease_ms = (int64_t)number_at(result, row, LEFT),
        .owner_gone = number_at(result, row, OWNER_GONE) != 0,
    };

    if (PQgetlength(result, row, MAC) == (int)sizeof(record.mac))
        memcpy(record.mac, PQgetvalue(result, row, MAC), sizeof(record.mac));
    return each(cookie, &record, err);
}

enum envl_status
record_read(struct envl_store *store, const char *job, envl_record_fn *each,
            void *cookie, struct envl_error *err)
{
    struct pipe_params params = { 0 };
    PGresult *result = NULL;
    enum envl_status status;
    bool there;

    status = store_has_state(store, &there, err);
    if (status != ENVL_OK || !there)
        return status;
    pipe_text(&params, job);
    status = store_fetch(store, read_all, &params, &result, err);
    pipe_params_free(&params);
    for (int row = 0; status == ENVL_OK && row < PQntuples(result); row++)
        status = give(result, row, job, each, cookie, err);
    PQclear(result);
    return status;
}
