#include <stdarg.h>
#include <stdio.h>

#include "postgres/fault.h"
#include "postgres/store.h"

enum envl_status
store_fail(const struct envl_store *store, struct envl_error *err,
           enum envl_status status, const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return store->host->fail(err, status, message);
}

void
store_hint(const struct envl_store *store, struct envl_error *err,
           const char *format, ...)
{
    char message[sizeof(err->hint)];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    store->host->hint(err, message);
}

void
store_note(const struct envl_store *store, enum envl_note level,
           const char *target, const char *format, ...)
{
    char text[640];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (store->host->note != NULL)
        store->host->note(store->host->cookie, level, target, text);
}

enum envl_status
store_nomem(const struct envl_store *store, struct envl_error *err)
{
    return store_fail(store, err, ENVL_E_NOMEM,
                      "out of memory for the PostgreSQL plugin");
}

static enum envl_status
run(struct envl_store *store, const char *sql,
    const struct pipe_params *params, bool binary, PGresult **out,
    struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);
    enum envl_status status = ENVL_OK;

    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op, sql, params, binary);
    pipe_sync(&store->pipe, op);
    if (!pipe_wait(&store->pipe, op) || pipe_error(op) != NULL)
        status = fault_tell(store, pipe_error(op), "asking the server",
                            FAULT_ALL, err);
    else if (out != NULL)
        *out = pipe_take(op, 0);
    pipe_close(op);
    return status;
}

enum envl_status
store_ask(struct envl_store *store, const char *sql,
          const struct pipe_params *params, PGresult **out,
          struct envl_error *err)
{
    return run(store, sql, params, false, out, err);
}

enum envl_status
store_fetch(struct envl_store *store, const char *sql,
            const struct pipe_params *params, PGresult **out,
            struct envl_error *err)
{
    return run(store, sql, params, true, out, err);
}

/* By the catalogs, which also a role without USAGE on the schema may ask. */
enum envl_status
store_has_state(struct envl_store *store, bool *there, struct envl_error *err)
{
    PGresult *result = NULL;
    enum envl_status status;

    status = store_ask(store,
                       "SELECT pg_catalog.count(*) = 3 FROM "
                       "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                       "ON n.oid = c.relnamespace WHERE n.nspname = 'envelope' "
                       "AND c.relname IN ('job', 'range', 'quarantine') "
                       "AND c.relkind IN ('r', 'p')", NULL, &result, err);
    if (status != ENVL_OK)
        return status;
    *there = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return ENVL_OK;
}
