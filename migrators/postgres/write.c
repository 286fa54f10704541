#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/commit.h"
#include "postgres/fault.h"
#include "postgres/rescue.h"
#include "postgres/write.h"

/* After a lock was in the way, so many batches lock row by row first. */
#define CAUTIOUS_BATCHES 8u

/* ---- begin -------------------------------------------------------------- */

static enum envl_status
put_on_its_way(struct envl_store *store, struct writing *writing,
               struct envl_error *err)
{
    struct batch_sending sending = {
        .op = writing->op,
        .to = writing->batch.row_count,
        .locking = writing->locking,
    };
    enum envl_status status;

    writing->nested = store->in_transaction;
    writing->first_result = commit_open(store, writing->batch.form,
                                        writing->op);
    if (writing->nested) {
        pipe_send(&store->pipe, writing->op, RESCUE_SAVEPOINT, NULL, true);
        writing->first_result++;
    }
    status = batch_send(&writing->batch, &sending, err);
    pipe_sync(&store->pipe, writing->op); /* what was sent has to end */
    return status;
}

/* Rows that were lost before are locked by somebody more often. */
static bool
is_retry(const struct page *page)
{
    const struct row_detail *detail = page->pub.count == 0 ? NULL
                                                           : page->details[0];

    return detail != NULL && detail->retried;
}

enum envl_status
write_begin(struct envl_target *target, const struct envl_page *pub,
            const struct envl_edit *edits, uint32_t count,
            struct envl_error *err)
{
    const struct page *page = (const struct page *)pub;
    struct envl_store *store = target->store;
    struct writing *writing = store->kept_writing;
    enum envl_status status;

    if (store->writing != NULL)
        return store_fail(store, err, ENVL_E_USAGE,
                          "a write is under way already");
    if (writing == NULL &&
        (store->kept_writing = writing = calloc(1, sizeof(*writing))) == NULL)
        return store_nomem(store, err);
    writing->target = target;
    writing->cancelled = false;
    writing->locking = store->cautious > 0 || is_retry(page);
    store->cautious -= store->cautious > 0;
    status = batch_fill(&writing->batch, target, page, edits, count, err);
    if (status == ENVL_OK && (writing->op = pipe_open(&store->pipe)) == NULL)
        status = store_nomem(store, err);
    if (status != ENVL_OK) {
        batch_clear(&writing->batch);
        return status;
    }
    status = put_on_its_way(store, writing, err);
    if (status == ENVL_OK) {
        store->writing = writing;
        return ENVL_OK;
    }
    pipe_close(writing->op);
    batch_clear(&writing->batch);
    commit_cancel(store);
    return status;
}

/* ---- end ---------------------------------------------------------------- */

static enum envl_status
fail_rewritten(const struct envl_target *target, struct envl_error *err)
{
    store_fail(target->store, err, ENVL_E_DATABASE, "%s does not hold what "
               "was written: a trigger or rule changes it", target->label);
    store_hint(target->store, err, "drop the trigger for the sweep, or make it "
               "leave the column alone; envelope plan names it");
    return ENVL_E_DATABASE;
}

enum envl_status
write_take(const struct writing *writing, const struct pipe_op *op,
           uint32_t first, enum envl_outcome *outcomes,
           struct envl_error *err)
{
    const struct envl_target *target = writing->target;
    const PGresult *result;

    for (; (result = pipe_result(op, first)) != NULL; first++) {
        int rows = PQresultStatus(result) == PGRES_TUPLES_OK
                       ? PQntuples(result)
                       : 0;

        for (int row = 0; row < rows; row++) {
            uint32_t number;

            memcpy(&number, PQgetvalue(result, row, 0), sizeof(number));
            number = be32toh(number);
            if (number >= writing->batch.page->pub.count)
                return fail_rewritten(target, err);
            outcomes[number] = ENVL_WRITTEN;
        }
    }
    return ENVL_OK;
}

static enum envl_status
fail_write(struct envl_store *store, const struct writing *writing,
           const PGresult *error, struct envl_error *err)
{
    char doing[160];

    snprintf(doing, sizeof(doing), "writing %s", writing->target->label);
    if (error != NULL && fault_of(error) == FAULT_LOCKED)
        store->cautious = CAUTIOUS_BATCHES;
    return fault_tell(store, error, doing, FAULT_SILENT, err);
}

static enum envl_status
settle(struct envl_store *store, struct writing *writing,
       enum envl_outcome *outcomes, struct envl_error *err)
{
    const struct batch *batch = &writing->batch;
    const PGresult *error;
    enum fault fault;

    if (!pipe_wait(&store->pipe, writing->op) && !writing->cancelled)
        return fail_write(store, writing, NULL, err);
    if (writing->cancelled)
        return store_fail(store, err, ENVL_E_DATABASE,
                          "%s: the write was rolled back with the commit "
                          "before it", writing->target->label);
    for (uint32_t i = 0; i < batch->row_count; i++)
        outcomes[batch->rows[i].row] = ENVL_CHANGED;
    error = pipe_error(writing->op);
    if (error == NULL)
        return write_take(writing, writing->op, writing->first_result,
                          outcomes, err);
    fault = fault_of(error);
    if (fault != FAULT_ROW && fault != FAULT_FENCE)
        return fail_write(store, writing, error, err);
    return rescue_rows(writing, outcomes, err);
}

enum envl_status
write_end(struct envl_target *target, enum envl_outcome *outcomes,
          struct envl_error *err)
{
    struct envl_store *store = target->store;
    struct writing *writing = store->writing;
    enum envl_status status;

    if (writing == NULL || writing->target != target)
        return store_fail(store, err, ENVL_E_USAGE, "no write is under way");
    status = settle(store, writing, outcomes, err);
    if (status == ENVL_OK && writing->locking)
        status = rescue_find_busy(writing, outcomes, err);
    store->writing = NULL;
    if (status != ENVL_OK)
        commit_cancel(store);
    pipe_close(writing->op);
    batch_clear(&writing->batch);
    return status;
}

/* ---- giving up ---------------------------------------------------------- */

void
write_void(struct envl_store *store)
{
    if (store->writing != NULL)
        store->writing->cancelled = true;
}

void
write_abandon(struct envl_store *store)
{
    if (store->writing == NULL)
        return;
    pipe_close(store->writing->op);
    batch_clear(&store->writing->batch);
    store->writing = NULL;
}

void
write_free(struct envl_store *store)
{
    write_abandon(store);
    if (store->kept_writing != NULL)
        batch_free(&store->kept_writing->batch);
    free(store->kept_writing);
    store->kept_writing = NULL;
}
