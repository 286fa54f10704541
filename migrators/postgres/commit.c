#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "postgres/commit.h"
#include "postgres/fault.h"
#include "postgres/read.h"
#include "postgres/record.h"
#include "postgres/write.h"

/* ---- the transaction's beginning ---------------------------------------- */

#define LOCAL(name, value) "pg_catalog.set_config('" name "', '" value \
                           "', true)"

/*
 * Plans are made once and kept, since the arrays' lengths must not matter:
 * a plan made for 5,000 values would read the whole table.  A batch found by
 * row version is hashed and met by one TID scan (a nested loop begins the
 * scan anew for each row, at a system call each); one found by key is looked
 * up in the key's index, row by row.
 */
static const char *
plan_settings(enum row_form form)
{
    if (form == ROW_TID)
        return "SELECT " LOCAL("plan_cache_mode", "force_generic_plan")
               ", " LOCAL("enable_hashjoin", "on")
               ", " LOCAL("enable_nestloop", "off")
               ", " LOCAL("enable_mergejoin", "off")
               ", " LOCAL("enable_tidscan", "on")
               ", " LOCAL("work_mem", "64MB");
    return "SELECT " LOCAL("plan_cache_mode", "force_generic_plan")
           ", " LOCAL("enable_hashjoin", "off")
           ", " LOCAL("enable_nestloop", "on")
           ", " LOCAL("enable_mergejoin", "off")
           ", " LOCAL("enable_seqscan", "off")
           ", " LOCAL("enable_indexscan", "on")
           ", " LOCAL("work_mem", "64MB");
}

uint32_t
commit_open(struct envl_store *store, enum row_form form, struct pipe_op *op)
{
    if (store->in_transaction) {
        pipe_send(&store->pipe, op, plan_settings(form), NULL, true);
        return 1;
    }
    /* READ COMMITTED on purpose: a row that somebody else has changed is
       looked at again, not an error. */
    pipe_send(&store->pipe, op,
              "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, true);
    pipe_send(&store->pipe, op, plan_settings(form), NULL, true);
    store->in_transaction = true;
    return 2;
}

/* ---- quarantine --------------------------------------------------------- */

static const char add_quarantine[] =
    "INSERT INTO envelope.quarantine (job, id, target, field, key, row_name, "
    "state, digest) SELECT $1::pg_catalog.text, "
    "pg_catalog.unnest($2::pg_catalog.bytea[]), "
    "pg_catalog.unnest($3::pg_catalog.text[]), "
    "pg_catalog.unnest($4::pg_catalog.text[]), "
    "pg_catalog.unnest($5::pg_catalog.bytea[]), "
    "pg_catalog.unnest($6::pg_catalog.text[]), "
    "pg_catalog.unnest($7::pg_catalog.text[]), "
    "pg_catalog.unnest($8::pg_catalog.bytea[]) "
    "ON CONFLICT (job, id) DO NOTHING";

#define QUARANTINE_ARRAYS 7u

static void
digest_part(crypto_hash_sha256_state *state, struct envl_bytes part)
{
    uint64_t len = part.len;

    crypto_hash_sha256_update(state, (const uint8_t *)&len, sizeof(len));
    if (part.len > 0)
        crypto_hash_sha256_update(state, part.ptr, part.len);
}

/* One entry for a value however often it is added: its own id. */
static void
add_item(struct sql_array *arrays, const struct envl_quarantine *item)
{
    struct envl_bytes digest = { item->digest, sizeof(item->digest) };
    crypto_hash_sha256_state state;
    uint8_t id[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_init(&state);
    digest_part(&state, envl_bytes_of(item->target));
    digest_part(&state, envl_bytes_of(item->field));
    digest_part(&state, item->key);
    digest_part(&state, digest);
    crypto_hash_sha256_final(&state, id);
    sql_array_add(&arrays[0], (struct envl_bytes){ id, sizeof(id) });
    sql_array_add(&arrays[1], envl_bytes_of(item->target));
    sql_array_add(&arrays[2], envl_bytes_of(item->field));
    sql_array_add(&arrays[3], item->key);
    sql_array_add(&arrays[4], envl_bytes_of(item->row));
    sql_array_add(&arrays[5], envl_bytes_of(item->state));
    sql_array_add(&arrays[6], digest);
}

static void
send_quarantine(struct envl_store *store, const struct envl_commit *commit,
                struct pipe_op *op)
{
    static const Oid types[QUARANTINE_ARRAYS] = { 17, 25, 25, 17, 25, 25, 17 };
    struct sql_array arrays[QUARANTINE_ARRAYS] = { { .count = 0 } };
    struct pipe_params params = { 0 };

    for (uint32_t i = 0; i < QUARANTINE_ARRAYS; i++)
        sql_array_begin(&arrays[i], types[i]);
    for (uint32_t i = 0; i < commit->quarantine_count; i++)
        add_item(arrays, &commit->quarantine[i]);
    pipe_text(&params, commit->record->job);
    for (uint32_t i = 0; i < QUARANTINE_ARRAYS; i++)
        pipe_binary(&params, sql_array_end(&arrays[i]));
    pipe_send(&store->pipe, op, add_quarantine, &params, true);
    for (uint32_t i = 0; i < QUARANTINE_ARRAYS; i++)
        sql_array_free(&arrays[i]);
    pipe_params_free(&params);
}

/* ---- commit ------------------------------------------------------------- */

enum envl_status
commit_begin(struct envl_store *store, const struct envl_commit *commit,
             struct envl_error *err)
{
    struct pipe_op *op;

    if (store->commit != NULL || store->writing != NULL)
        return store_fail(store, err, ENVL_E_USAGE,
                          "a write or a commit is under way");
    op = pipe_open(&store->pipe);
    if (op == NULL)
        return store_nomem(store, err);
    if (!store->in_transaction)
        commit_open(store, ROW_TID, op);
    if (commit->record != NULL)
        record_send_put(store, commit->record, commit->ttl_ms, op);
    if (commit->record != NULL && commit->quarantine_count > 0)
        send_quarantine(store, commit, op);
    pipe_send(&store->pipe, op, "COMMIT", NULL, true);
    store->commit = op;
    store->in_transaction = false;
    pipe_sync(&store->pipe, op); /* what goes wrong shows at its end */
    return ENVL_OK;
}

enum envl_status
commit_end(struct envl_store *store, struct envl_error *err)
{
    struct pipe_op *op = store->commit;
    enum envl_status status = ENVL_OK;

    if (op == NULL)
        return store_fail(store, err, ENVL_E_USAGE, "no commit is under way");
    store->commit = NULL;
    if (!pipe_wait(&store->pipe, op))
        status = fault_tell(store, NULL, "committing", FAULT_SILENT, err);
    else if (pipe_error(op) != NULL &&
             fault_of(pipe_error(op)) == FAULT_FENCE)
        status = store_fail(store, err, ENVL_E_CONFLICT,
                            "another process has taken this part of the job");
    else if (pipe_error(op) != NULL)
        status = fault_tell(store, pipe_error(op), "committing", FAULT_SILENT,
                            err);
    pipe_close(op);
    if (status != ENVL_OK)
        commit_cancel(store);
    return status;
}

/* ---- rollback ----------------------------------------------------------- */

/*
 * A commit that failed leaves the server in a transaction that is over in
 * all but name, although we sent its end; so the server is always told.
 */
void
commit_cancel(struct envl_store *store)
{
    struct pipe_op *op = pipe_open(&store->pipe);

    store->in_transaction = false;
    if (op == NULL) {
        store->pipe.lost = true; /* its state is not known any more */
        return;
    }
    pipe_send(&store->pipe, op, "ROLLBACK", NULL, true);
    pipe_sync(&store->pipe, op);
    pipe_wait(&store->pipe, op);
    pipe_close(op);
    write_void(store);
}

void
commit_rollback(struct envl_store *store)
{
    bool open = store->in_transaction || store->writing != NULL ||
                store->commit != NULL;

    read_abandon(store);
    write_abandon(store);
    pipe_close(store->commit);
    store->commit = NULL;
    if (open)
        commit_cancel(store);
    pipe_drain(&store->pipe);
}
