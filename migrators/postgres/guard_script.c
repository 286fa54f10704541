#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "postgres/fault.h"
#include "postgres/guard_script.h"

#define TRIES    30u
#define PAUSE_MS 300u

void
guard_script_add(struct guard_script *script, struct sql *statement)
{
    char *text = sql_take(statement);

    if (text == NULL || script->count == GUARD_SCRIPT_MAX) {
        script->failed = true;
        free(text);
        return;
    }
    script->statements[script->count++] = text;
}

void
guard_script_put(struct guard_script *script, const char *statement)
{
    struct sql sql = { 0 };

    sql_put(&sql, statement);
    guard_script_add(script, &sql);
}

static bool
is_check(const PGresult *result)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return code != NULL && strcmp(code, "23514") == 0;
}

static enum envl_status
run_once(struct envl_store *store, const struct guard_script *script,
         const char *doing, struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);
    enum envl_status status = ENVL_OK;
    bool lost;

    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op,
              "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, false);
    if (script->slow)
        pipe_send(&store->pipe, op, "SET LOCAL statement_timeout = 0", NULL,
                  false);
    for (uint32_t i = 0; i < script->count; i++)
        pipe_send(&store->pipe, op, script->statements[i], NULL, false);
    pipe_send(&store->pipe, op, "COMMIT", NULL, false);
    pipe_sync(&store->pipe, op);
    lost = !pipe_wait(&store->pipe, op);
    if (lost || pipe_error(op) != NULL)
        status = fault_tell(store, lost ? NULL : pipe_error(op), doing,
                            FAULT_ALL, err);
    if (!lost && pipe_error(op) != NULL && is_check(pipe_error(op)))
        status = ENVL_E_CONFLICT;
    pipe_close(op);
    if (status != ENVL_OK && !lost)
        store_ask(store, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static void
pause_a_while(void)
{
    uint32_t ms = PAUSE_MS / 2 + randombytes_uniform(PAUSE_MS);
    struct timespec time = { 0, (long)ms * 1000000L };

    nanosleep(&time, NULL);
}

enum envl_status
guard_script_run(struct envl_store *store, struct guard_script *script,
                 const char *doing, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (script->failed)
        status = store_nomem(store, err);
    for (uint32_t i = 0; !script->failed && i < TRIES; i++) {
        if (i > 0)
            pause_a_while();
        status = run_once(store, script, doing, err);
        if (status != ENVL_E_LOCKED)
            break;
    }
    if (status == ENVL_E_LOCKED)
        store_hint(store, err, "long transactions hold the table: "
                   "pg_stat_activity shows them; end them or try again "
                   "later. Nothing was changed");
    for (uint32_t i = 0; i < script->count; i++)
        free(script->statements[i]);
    *script = (struct guard_script){ .count = 0 };
    return status;
}
