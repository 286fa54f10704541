#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "postgres/commit.h"
#include "postgres/fault.h"
#include "postgres/rescue.h"

#define PART "envl_part"

/* Send statements whose answers nobody needs; errors show in what follows. */
static enum envl_status
send_quietly(struct envl_store *store, const char *const *statements,
             struct envl_error *err)
{
    struct pipe_op *op = pipe_open(&store->pipe);

    if (op == NULL)
        return store_nomem(store, err);
    for (; *statements != NULL; statements++)
        pipe_send(&store->pipe, op, *statements, NULL, true);
    pipe_sync(&store->pipe, op);
    pipe_close(op);
    return ENVL_OK;
}

static enum envl_status
begin_again(struct writing *writing, struct envl_error *err)
{
    static const char *const back[] = {
        "ROLLBACK TO " RESCUE_SAVEPOINT, NULL
    };
    struct envl_store *store = writing->target->store;
    struct pipe_op *op;

    if (writing->nested)
        return send_quietly(store, back, err);
    op = pipe_open(&store->pipe);
    if (op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, op, "ROLLBACK", NULL, true);
    store->in_transaction = false;
    commit_open(store, writing->batch.form, op);
    pipe_sync(&store->pipe, op);
    pipe_close(op);
    return ENVL_OK;
}

/* Write rows[from .. to); ${refused} says that one of them is at fault. */
static enum envl_status
attempt(struct writing *writing, const uint32_t range[2],
        enum envl_outcome *outcomes, bool *refused, struct envl_error *err)
{
    struct envl_store *store = writing->target->store;
    struct batch_sending sending = {
        .op = pipe_open(&store->pipe),
        .from = range[0],
        .to = range[1],
        .locking = writing->locking,
    };
    const PGresult *error;
    enum envl_status status;
    char doing[160];

    if (sending.op == NULL)
        return store_nomem(store, err);
    pipe_send(&store->pipe, sending.op, "SAVEPOINT " PART, NULL, true);
    status = batch_send(&writing->batch, &sending, err);
    pipe_sync(&store->pipe, sending.op);
    snprintf(doing, sizeof(doing), "writing %s", writing->target->label);
    if (!pipe_wait(&store->pipe, sending.op)) {
        status = fault_tell(store, NULL, doing, FAULT_SILENT, err);
    } else if (status == ENVL_OK && (error = pipe_error(sending.op)) != NULL) {
        *refused = fault_of(error) == FAULT_ROW ||
                   fault_of(error) == FAULT_FENCE;
        if (!*refused)
            status = fault_tell(store, error, doing, FAULT_SILENT, err);
    } else if (status == ENVL_OK) {
        status = write_take(writing, sending.op, 1, outcomes, err);
    }
    pipe_close(sending.op);
    return status;
}

static enum envl_status
bisect(struct writing *writing, uint32_t from, uint32_t to,
       enum envl_outcome *outcomes, struct envl_error *err)
{
    static const char *const keep[] = { "RELEASE SAVEPOINT " PART, NULL };
    static const char *const undo[] = { "ROLLBACK TO SAVEPOINT " PART,
                                        "RELEASE SAVEPOINT " PART, NULL };
    struct envl_store *store = writing->target->store;
    const uint32_t range[2] = { from, to };
    uint32_t middle = from + (to - from) / 2;
    enum envl_status status;
    bool refused = false;

    if (from == to)
        return ENVL_OK;
    status = attempt(writing, range, outcomes, &refused, err);
    if (status == ENVL_OK)
        status = send_quietly(store, refused ? undo : keep, err);
    if (status != ENVL_OK || !refused)
        return status;
    if (to - from == 1) {
        outcomes[writing->batch.rows[from].row] = ENVL_REFUSED;
        return ENVL_OK;
    }
    status = bisect(writing, from, middle, outcomes, err);
    if (status == ENVL_OK)
        status = bisect(writing, middle, to, outcomes, err);
    return status;
}

enum envl_status
rescue_rows(struct writing *writing, enum envl_outcome *outcomes,
            struct envl_error *err)
{
    uint32_t count = writing->batch.row_count;
    enum envl_status status = begin_again(writing, err);

    /* The whole has been tried; a single row is known to be the one. */
    if (status != ENVL_OK)
        return status;
    if (count == 1) {
        outcomes[writing->batch.rows[0].row] = ENVL_REFUSED;
        return ENVL_OK;
    }
    status = bisect(writing, 0, count / 2, outcomes, err);
    if (status == ENVL_OK)
        status = bisect(writing, count / 2, count, outcomes, err);
    return status;
}

/* ---- busy rows ---------------------------------------------------------- */

static void
mark_busy(const struct batch *batch, const PGresult *result,
          enum envl_outcome *outcomes)
{
    for (int row = 0; row < PQntuples(result); row++) {
        uint32_t number;

        memcpy(&number, PQgetvalue(result, row, 0), sizeof(number));
        number = be32toh(number);
        if (number < batch->page->pub.count &&
            outcomes[number] == ENVL_CHANGED)
            outcomes[number] = ENVL_BUSY;
    }
}

enum envl_status
rescue_find_busy(struct writing *writing, enum envl_outcome *outcomes,
                 struct envl_error *err)
{
    struct envl_store *store = writing->target->store;
    struct batch *batch = &writing->batch;
    struct pipe_op *op;
    enum envl_status status = ENVL_OK;
    bool missing = false;

    for (uint32_t i = 0; i < batch->row_count && !missing; i++)
        missing = outcomes[batch->rows[i].row] == ENVL_CHANGED;
    if (!missing)
        return ENVL_OK;
    op = pipe_open(&store->pipe);
    if (op == NULL)
        return store_nomem(store, err);
    if (!batch_send_probe(batch, outcomes, op))
        status = store_nomem(store, err);
    pipe_sync(&store->pipe, op);
    if (!pipe_wait(&store->pipe, op) || pipe_error(op) != NULL)
        status = fault_tell(store, pipe_error(op), "looking for locked rows",
                            FAULT_SILENT, err);
    else if (status == ENVL_OK)
        mark_busy(batch, pipe_result(op, 0), outcomes);
    pipe_close(op);
    return status;
}
