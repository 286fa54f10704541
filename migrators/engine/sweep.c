#include "engine/lane.h"
#include "engine/sweep.h"

#define CAREFUL      4u     /* batches without overlap after trouble   */
#define FAILURES_MAX 5u     /* without a commit between: it will not be */
#define KEEP_MS      4000u  /* a lease is refreshed while we wait       */
#define YIELD_MS     200u   /* ms between two looks whether it goes on  */
#define PAUSE_MOST   250u   /* ms between two tries for a lock         */
#define EMPTY_MAX    100u   /* pages without a row and without an end   */

static enum envl_status
no_more(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
}

/* Commit the record alone, so that the lease lives on. */
static enum envl_status
keep_lease(struct lane *lane, struct envl_error *err)
{
    enum envl_status status = lane_commit_end(lane, err);

    if (status == ENVL_OK && pace_now() - lane->stood_at > KEEP_MS) {
        status = lane_commit_begin(lane, NULL, err);
        if (status == ENVL_OK)
            status = lane_commit_end(lane, err);
    }
    return status;
}

/*
 * While the job yields: no batch, and no page of rows in memory, which would
 * be old by the time it goes on (spec: JOB-70, JOB-71).
 */
static enum envl_status
yield(struct lane *lane, struct envl_error *err)
{
    enum envl_status status = lane_commit_end(lane, err);

    batch_free(lane->session, &lane->cur);
    pace_trouble(lane->pace);
    while (status == ENVL_OK && workers_paused(lane->all)) {
        if (workers_surplus(lane->worker) ||
            !workers_sleep(lane->all, YIELD_MS, NULL))
            return no_more(err);
        status = keep_lease(lane, err);
    }
    return status;
}

/* Before a batch is written: the job's limit of rows. */
static enum envl_status
gate(struct lane *lane, struct envl_error *err)
{
    uint32_t wait = workers_book(lane->all, lane->cur.rows_edited);
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && wait > 0) {
        uint32_t part = wait > YIELD_MS ? YIELD_MS : wait;

        if (!workers_sleep(lane->all, part, NULL))
            return no_more(err);
        wait -= part;
        status = keep_lease(lane, err);
    }
    return status;
}

static struct envl_read
page_after(const struct lane *lane, struct envl_bytes after)
{
    return (struct envl_read){
        .after = after,
        .until = envl_buf_view(&lane->now.until),
        .rows = pace_rows(lane->pace),
        .bytes = lane->pace->limits->bytes,
    };
}

/* Read the page behind the cursor, with nothing else under way. */
static enum envl_status
load(struct lane *lane, struct envl_error *err)
{
    struct envl_bytes from = envl_buf_view(
        lane->now.cursor.len > 0 ? &lane->now.cursor : &lane->now.after);
    struct envl_read read = page_after(lane, from);
    enum envl_status status = lane_commit_end(lane, err);

    for (uint32_t i = 0; status == ENVL_OK && i < EMPTY_MAX; i++) {
        status = lane_read_begin(lane, &read, err);
        if (status == ENVL_OK)
            status = lane_read_end(lane, &lane->cur, err);
        /* A page without a row and without an end moves nothing on. */
        if (status != ENVL_OK || lane->cur.page->count > 0 ||
            lane->cur.page->end)
            return status;
        batch_free(lane->session, &lane->cur);
    }
    if (status == ENVL_OK)
        status = envl_fail(err, ENVL_E_DATABASE,
                           "the store gives no rows and no end of them");
    return status;
}

static struct envl_bytes
last_key(const struct envl_page *page)
{
    return page->rows[page->count - 1].key;
}

static enum envl_status
begin_read_ahead(struct lane *lane, struct envl_error *err)
{
    struct envl_read read = page_after(lane, last_key(lane->cur.page));

    return lane_read_begin(lane, &read, err);
}

/* A lock on the only row with an edit makes it BUSY; the sweep goes past. */
static enum envl_status
unless_busy(const struct lane *lane, enum envl_status status, bool *busy)
{
    if (status != ENVL_E_LOCKED || lane->cur.rows_edited != 1)
        return status;
    *busy = true;
    return ENVL_OK;
}

/*
 * Write the current page while the page behind it is read and sealed, and
 * collect the commit of the page before it (the order of calls is the ABI's).
 */
static enum envl_status
write_and_read_ahead(struct lane *lane, bool ahead, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool busy = false;

    if (ahead)
        status = begin_read_ahead(lane, err);
    if (status == ENVL_OK)
        status = unless_busy(lane, lane_write_begin(lane, &lane->cur, err),
                             &busy);
    if (status == ENVL_OK)
        status = lane_commit_end(lane, err);
    if (status == ENVL_OK && ahead)
        status = lane_read_end(lane, &lane->next, err);
    if (status == ENVL_OK && !busy)
        status = unless_busy(lane, lane_write_end(lane, err), &busy);
    if (status == ENVL_OK && busy)
        lane_busy(lane, &lane->cur);
    return status;
}

/*
 * The same on a store whose begin does all the work: the page behind is read
 * first, and the hand seals it while this thread writes.
 */
static enum envl_status
write_beside_hand(struct lane *lane, bool ahead, struct envl_error *err)
{
    enum envl_status status = lane_commit_end(lane, err), decided = ENVL_OK;
    struct envl_error why = { 0 };
    bool busy = false, begun = false;

    if (status == ENVL_OK && ahead)
        status = begin_read_ahead(lane, err);
    if (status == ENVL_OK && ahead)
        status = lane_read_take(lane, &lane->next, err);
    if (status == ENVL_OK && ahead) {
        hand_begin(lane->hand, lane->session, lane->slot->range.target,
                   &lane->next);
        begun = true;
    }
    if (status == ENVL_OK)
        status = unless_busy(lane, lane_write_begin(lane, &lane->cur, err),
                             &busy);
    if (status == ENVL_OK && !busy)
        status = unless_busy(lane, lane_write_end(lane, err), &busy);
    if (status == ENVL_OK && busy)
        lane_busy(lane, &lane->cur);
    if (begun)
        decided = hand_end(lane->hand, &why);
    if (status != ENVL_OK || decided == ENVL_OK)
        return status;
    if (err != NULL)
        *err = why;
    return decided;
}

static enum envl_status
move_cursor(struct lane *lane, struct envl_error *err)
{
    const struct envl_page *page = lane->cur.page;

    if (page->count == 0)
        return ENVL_OK;
    lane->now.ledger.rows += page->count;
    envl_buf_clear(&lane->now.cursor);
    return envl_buf_append(&lane->now.cursor, last_key(page), err);
}

/* One page, from its write to its commit's beginning. */
static enum envl_status
advance(struct lane *lane, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    uint32_t edited;
    uint64_t begun;
    bool ahead;

    if (lane->cur.page == NULL)
        status = load(lane, err);
    if (status == ENVL_OK)
        status = gate(lane, err);
    if (status != ENVL_OK)
        return status;

    begun = pace_now();
    edited = lane->cur.rows_edited;
    ahead = !lane->cur.page->end && lane->cur.page->count > 0 &&
            lane->careful == 0 && !workers_halting(lane->all);
    status = lane->hand != NULL ? write_beside_hand(lane, ahead, err)
                                : write_and_read_ahead(lane, ahead, err);
    if (status == ENVL_OK && workers_stop(lane->all) > 1)
        return no_more(err);
    if (status == ENVL_OK)
        status = lane_settle(lane, &lane->cur, err);
    if (status == ENVL_OK)
        status = move_cursor(lane, err);
    if (status != ENVL_OK)
        return status;

    lane->at_end = lane->cur.page->end;
    lane->now.done = lane->at_end && lane->retry.count == 0;
    status = lane_commit_begin(lane, &lane->cur, err);
    if (status == ENVL_OK && (lane->careful > 0 || !ahead))
        status = lane_commit_end(lane, err);
    if (status != ENVL_OK)
        return status;
    lane->careful -= lane->careful > 0;
    lane->cur = lane->next;
    lane->next = (struct batch){ 0 };
    pace_batch(lane->pace, edited, pace_now() - begun);
    workers_batch(lane->all, edited, pace_now() - begun);
    return ENVL_OK;
}

/* Read the rows of a round again, by their keys, and decide anew. */
static enum envl_status
write_round(struct lane *lane, const struct retry_round *round,
            struct batch *batch, struct envl_error *err)
{
    struct envl_read read = {
        .rows = round->count,
        .bytes = lane->pace->limits->bytes,
        .keys = round->keys,
        .key_count = round->count,
        .by_value = round->by_value,
    };
    enum envl_status status = lane_read_begin(lane, &read, err);

    if (status == ENVL_OK)
        status = lane_read_end(lane, batch, err);
    if (status == ENVL_OK) {
        status = lane_write_begin(lane, batch, err);
        if (status == ENVL_OK)
            status = lane_write_end(lane, err);
        if (status == ENVL_E_LOCKED) {
            lane_busy(lane, batch);
            status = ENVL_OK;
        }
    }
    if (status == ENVL_OK)
        status = lane_settle(lane, batch, err);
    return status;
}

/* Try rows again that were lost; those that are gone are lost for good. */
static enum envl_status
retry_rows(struct lane *lane, struct envl_error *err)
{
    struct retry_round round;
    struct batch batch = { 0 };
    enum envl_status status = lane_commit_end(lane, err);

    if (status != ENVL_OK)
        return status;
    retry_pick(&lane->retry, pace_now(), &round);
    if (round.count == 0)
        return ENVL_OK;
    lane->now.ledger.conflicts -= round.values;
    lane->now.ledger.retried += round.count;
    status = write_round(lane, &round, &batch, err);
    if (status == ENVL_OK)
        status = lane_commit_begin(lane, &batch, err);
    if (status == ENVL_OK)
        status = lane_commit_end(lane, err);
    batch_free(lane->session, &batch);
    return status;
}

/* All rows were read: what is left are those that were lost. */
static enum envl_status
finish(struct lane *lane, struct envl_error *err)
{
    enum envl_status status = lane_commit_end(lane, err);
    uint32_t wait;

    if (status != ENVL_OK)
        return status;
    if (lane->retry.count > 0) {
        wait = retry_wait(&lane->retry, pace_now());
        if (wait > 0 && !workers_sleep(lane->all, wait, NULL))
            return no_more(err);
        return retry_rows(lane, err);
    }
    lane->now.done = true;
    status = lane_commit_begin(lane, NULL, err);
    if (status == ENVL_OK)
        status = lane_commit_end(lane, err);
    return status;
}

static enum envl_status
step(struct lane *lane, struct envl_error *err)
{
    enum envl_status status = workers_blocked(lane->all, err);

    workers_limits(lane->worker);
    if (status == ENVL_OK && workers_paused(lane->all))
        status = yield(lane, err);
    if (status != ENVL_OK)
        return status;
    if (lane->at_end)
        return finish(lane, err);
    if (lane->retry.count > 0 && retry_ready(&lane->retry, pace_now()))
        return retry_rows(lane, err);
    return advance(lane, err);
}

/* Wait a little for a lock; ${err} says whose, if that goes on too long. */
static enum envl_status
locked(struct lane *lane, struct envl_error *err)
{
    uint64_t since = pace_now() - lane->stood_at;

    if (since > lane->session->env->patience_ms)
        return ENVL_E_LOCKED;
    lane->pause = lane->pause == 0 ? 10 : lane->pause * 2;
    if (lane->pause > PAUSE_MOST)
        lane->pause = PAUSE_MOST;
    if (!workers_sleep(lane->all, pace_jitter(lane->pause),
                       since > 2000 ? "locked by somebody else" : NULL))
        return no_more(err);
    return lane_restore(lane, err);
}

/*
 * Deal with ${status}, after which nothing is under way.  ENVL_OK: go on from
 * the cursor that stands.  A connection that can be made again but never gets
 * as far as a commit is a failure.
 */
static enum envl_status
recover(struct lane *lane, enum envl_status status, struct envl_error *err)
{
    struct session_wait wait = { workers_sleep, lane->all };
    uint32_t patience = lane->session->env->patience_ms;

    lane_quiet(lane);
    pace_trouble(lane->pace);
    lane->careful = CAREFUL;
    if (status == ENVL_E_LOCKED)
        return locked(lane, err);
    while (status == ENVL_E_DATABASE && ++lane->failures <= FAILURES_MAX) {
        status = session_recover(lane->session, &wait, err);
        if (status != ENVL_OK)
            return status;
        status = lane_rejoin(lane, err);
        if (status == ENVL_E_LOCKED && /* our lost transaction holds it */
            pace_now() - lane->stood_at < patience)
            status = ENVL_E_DATABASE;
    }
    return status;
}

enum envl_status
sweep_range(struct worker *worker, struct slot *slot, struct envl_error *err)
{
    struct lane lane;
    enum envl_status status = lane_open(&lane, worker, slot, err);
    enum slot_state state;

    if (status == ENVL_E_DATABASE)
        status = recover(&lane, status, err);
    while (status == ENVL_OK && !lane.now.done &&
           !workers_halting(worker->all) && !workers_surplus(worker)) {
        status = step(&lane, err);
        if (status != ENVL_OK && status != ENVL_E_INTERRUPTED)
            status = recover(&lane, status, err);
    }
    if (status == ENVL_OK)
        status = lane_commit_end(&lane, err);

    if (status == ENVL_E_INTERRUPTED)
        status = ENVL_OK;
    state = status == ENVL_OK && lane.now.done ? SLOT_DONE : SLOT_FREE;
    /* Somebody else's range is no failure: its owner does it. */
    if (status == ENVL_E_CONFLICT ||
        (status == ENVL_E_LOCKED && !lane.taken)) {
        state = SLOT_FOREIGN;
        status = ENVL_OK;
    }
    lane_close(&lane, state);
    return status;
}
