#include <stdlib.h>

#include "engine/lane.h"
#include "engine/lease.h"

static const struct envl_migrator *
ops_of(const struct lane *lane)
{
    return lane->session->env->ops;
}

static enum envl_status
lost(void *cookie, const struct envl_row *row, uint32_t values,
     struct envl_error *err)
{
    struct lane *lane = cookie;

    /* Behind a closing pass nobody comes: a row that somebody holds, perhaps
       a process that sleeps until its server gives it up, is waited for. */
    lane->retry.patient = lane->all->patient && lane->settling.busy &&
                          pace_now() - lane->opened <
                              lane->session->env->patience_ms;
    return retry_lost(&lane->retry, row, values, err);
}

static struct envl_record
record_of(const struct lane *lane, const struct envl_buf *body)
{
    return lease_record_of(lane->session->env, lane->slot->number,
                           lane->slot->epoch, envl_buf_view(body));
}

static enum envl_status
replace(struct envl_buf *buf, struct envl_bytes bytes, struct envl_error *err)
{
    envl_buf_clear(buf);
    return envl_buf_append(buf, bytes, err);
}

/* Take the range with the body that stands; the epoch is one higher then. */
static enum envl_status
take(struct lane *lane, struct envl_error *err)
{
    struct envl_record next;
    enum envl_status status;

    lane->slot->epoch++;
    next = record_of(lane, &lane->stood);
    status = lease_take(lane->session, &next, err);
    if (status != ENVL_OK)
        lane->slot->epoch--;
    else
        lane->stood_at = pace_now();
    lane->taken = lane->taken || status == ENVL_OK;
    return status;
}

enum envl_status
lane_open(struct lane *lane, struct worker *worker, struct slot *slot,
          struct envl_error *err)
{
    enum envl_status status;

    *lane = (struct lane){ .all = worker->all, .session = worker->session,
                           .slot = slot, .told = slot->range.ledger,
                           .stood_at = pace_now() };
    lane->worker = worker;
    lane->opened = pace_now();
    lane->pace = &worker->pace;
    lane->hand = worker->hand;
    lane->settling.session = worker->session;
    lane->settling.target = slot->range.target;
    lane->settling.range = &lane->now;
    lane->settling.lost = lost;
    lane->settling.cookie = lane;

    status = record_body_encode_range(&slot->range, &lane->stood, err);
    if (status == ENVL_OK)
        status = take(lane, err);
    if (status == ENVL_OK)
        status = lane_restore(lane, err);
    return status;
}

static enum envl_status
gone(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_CONFLICT,
                     "another process has taken the range over");
}

enum envl_status
lane_rejoin(struct lane *lane, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    enum envl_status status = lease_list_read(lane->session, &list, err);

    if (status != ENVL_OK)
        return status;
    found = lease_list_find(&list, lane->slot->number);
    if (found == NULL || (found->epoch > lane->slot->epoch && !found->ours)) {
        status = gone(err);
    } else if (found->mac != ENVL_OK) {
        status = envl_fail(err, ENVL_E_INTEGRITY, "record %u of the job was "
                           "changed by somebody else", lane->slot->number);
    } else {
        /* Whether the last commit happened is not known, and with it which
           rows are counted as conflicts: a closing pass finds them. */
        retry_free(&lane->retry);
        lane->slot->epoch = found->epoch;
        status = replace(&lane->stood, envl_buf_view(&found->body), err);
        if (status == ENVL_OK)
            status = take(lane, err);
        if (status == ENVL_OK)
            status = lane_restore(lane, err);
    }
    lease_list_free(&list);
    return status;
}

enum envl_status
lane_read_begin(struct lane *lane, const struct envl_read *read,
                struct envl_error *err)
{
    struct envl_target *target =
        lane->session->targets[lane->slot->range.target];
    enum envl_status status = ops_of(lane)->read_begin(target, read, err);

    lane->reading = status == ENVL_OK;
    return status;
}

enum envl_status
lane_read_take(struct lane *lane, struct batch *batch, struct envl_error *err)
{
    uint32_t target = lane->slot->range.target;
    enum envl_status status;

    lane->reading = false;
    status = ops_of(lane)->read_end(lane->session->targets[target],
                                    &batch->page, err);
    if (status != ENVL_OK)
        batch->page = NULL;
    return status;
}

enum envl_status
lane_read_end(struct lane *lane, struct batch *batch, struct envl_error *err)
{
    enum envl_status status = lane_read_take(lane, batch, err);

    if (status != ENVL_OK)
        return status;
    return batch_decide(lane->session, lane->slot->range.target, batch, err);
}

enum envl_status
lane_write_begin(struct lane *lane, const struct batch *batch,
                 struct envl_error *err)
{
    uint32_t target = lane->slot->range.target, rows = batch->page->count;
    enum envl_status status;

    if (rows > lane->outcome_cap) {
        enum envl_outcome *more = realloc(lane->outcomes,
                                          rows * sizeof(*more));

        if (more == NULL)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for a batch");
        lane->outcomes = more;
        lane->outcome_cap = rows;
    }
    for (uint32_t i = 0; i < rows; i++)
        lane->outcomes[i] = ENVL_WRITTEN;
    if (batch->work.edit_count == 0)
        return ENVL_OK;

    status = ops_of(lane)->write_begin(lane->session->targets[target],
                                       batch->page, batch->work.edits,
                                       batch->work.edit_count, err);
    lane->writing = status == ENVL_OK;
    return status;
}

enum envl_status
lane_write_end(struct lane *lane, struct envl_error *err)
{
    uint32_t target = lane->slot->range.target;

    if (!lane->writing)
        return ENVL_OK;
    lane->writing = false;
    return ops_of(lane)->write_end(lane->session->targets[target],
                                   lane->outcomes, err);
}

void
lane_busy(struct lane *lane, const struct batch *batch)
{
    ops_of(lane)->rollback(lane->session->store);
    for (uint32_t i = 0; i < batch->page->count; i++)
        lane->outcomes[i] = ENVL_WRITTEN;
    for (uint32_t i = 0; i < batch->work.edit_count; i++)
        lane->outcomes[batch->work.edits[i].row] = ENVL_BUSY;
}

enum envl_status
lane_settle(struct lane *lane, struct batch *batch, struct envl_error *err)
{
    return batch_settle(&lane->settling, batch, lane->outcomes, err);
}

enum envl_status
lane_commit_begin(struct lane *lane, struct batch *batch,
                  struct envl_error *err)
{
    struct envl_record record;
    struct envl_commit commit = { .ttl_ms = ENV_TTL_MS };
    enum envl_status status;

    status = record_body_encode_range(&lane->now, &lane->body, err);
    if (status != ENVL_OK)
        return status;
    record = record_of(lane, &lane->body);
    commit.record = &record;
    commit.quarantine = lane->settling.items;
    commit.quarantine_count = lane->settling.item_count;
    status = ops_of(lane)->commit_begin(lane->session->store, &commit, err);
    if (status != ENVL_OK)
        return status;

    lane->committing = true;
    batch_settling_clear(&lane->settling);
    if (batch != NULL)
        batch_free(lane->session, batch);
    return ENVL_OK;
}

enum envl_status
lane_commit_end(struct lane *lane, struct envl_error *err)
{
    struct envl_buf stands = lane->body;
    enum envl_status status;

    if (!lane->committing)
        return ENVL_OK;
    lane->committing = false;
    status = ops_of(lane)->commit_end(lane->session->store, err);
    if (status != ENVL_OK)
        return status;

    lane->body = lane->stood;
    lane->stood = stands;
    lane->stood_at = pace_now();
    lane->failures = lane->pause = 0;
    retry_committed(&lane->retry);
    workers_count_in(lane->all, &lane->told, &lane->now.ledger);
    lane->told = lane->now.ledger;
    return ENVL_OK;
}

void
lane_quiet(struct lane *lane)
{
    struct batch dropped = { 0 };

    /* Each begin gets its end, whatever the end says, then a rollback. */
    (void)lane_commit_end(lane, NULL);
    if (lane->reading) {
        lane->reading = false;
        if (ops_of(lane)->read_end(
                lane->session->targets[lane->slot->range.target],
                &dropped.page, NULL) != ENVL_OK)
            dropped.page = NULL;
    }
    (void)lane_write_end(lane, NULL);
    if (lane->session->store != NULL)
        ops_of(lane)->rollback(lane->session->store);
    batch_free(lane->session, &dropped);
    batch_free(lane->session, &lane->cur);
    batch_free(lane->session, &lane->next);
    batch_settling_clear(&lane->settling);
}

enum envl_status
lane_restore(struct lane *lane, struct envl_error *err)
{
    struct record_range range = { 0 };
    enum envl_status status;

    status = record_body_decode_range(envl_buf_view(&lane->stood), &range,
                                      err);
    if (status != ENVL_OK)
        return status;
    record_body_free_range(&lane->now);
    lane->now = range;
    lane->at_end = false;
    retry_undone(&lane->retry);
    return ENVL_OK;
}

void
lane_close(struct lane *lane, enum slot_state state)
{
    struct envl_record record = record_of(lane, &lane->stood);

    lane_quiet(lane);
    if (state != SLOT_FOREIGN)
        lease_release(lane->session, &record);
    if (lane_restore(lane, NULL) == ENVL_OK) {
        record_body_free_range(&lane->slot->range);
        lane->slot->range = lane->now;
        lane->now = (struct record_range){ 0 };
    }
    record_body_free_range(&lane->now);
    batch_settling_clear(&lane->settling);
    free(lane->settling.items);
    free(lane->outcomes);
    retry_free(&lane->retry);
    envl_buf_free(&lane->body);
    envl_buf_free(&lane->stood);
    workers_put(lane->all, lane->slot, state);
}
