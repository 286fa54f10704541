#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/phase.h"
#include "engine/ranges.h"
#include "engine/search.h"
#include "engine/slots.h"

#define FORGET_TRIES 25u

/* ---- making and finding the ranges --------------------------------------- */

/* The records of all slots, with their bodies in ${bodies}. */
static enum envl_status
sign_ranges(struct run *run, struct envl_record *records,
            struct envl_buf *bodies, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; status == ENVL_OK && i < run->workers.slot_count;
         i++) {
        struct slot *slot = &run->workers.slots[i];

        status = record_body_encode_range(&slot->range, &bodies[i], err);
        records[i] = lease_record_of(&run->env, slot->number, slot->epoch,
                                     envl_buf_view(&bodies[i]));
        records[i].owner = "";
    }
    return status;
}

static enum envl_status
reset(struct run *run, const struct record_job *next, struct envl_error *err)
{
    uint32_t count = run->workers.slot_count;
    struct envl_record *records = calloc(count + 1, sizeof(*records));
    struct envl_buf *bodies = calloc(count + 1, sizeof(*bodies));
    struct envl_record job;
    enum envl_status status;

    if (records == NULL || bodies == NULL)
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory for ranges");
    else
        status = sign_ranges(run, records, bodies, err);
    if (status == ENVL_OK)
        status = record_body_encode_job(next, &run->body, err);
    if (status == ENVL_OK) {
        job = lease_record_of(&run->env, 0, run->epoch,
                              envl_buf_view(&run->body));
        status = run->env.ops->state_reset(run->control->store, &job, records,
                                           count, err);
    }
    for (uint32_t i = 0; bodies != NULL && i < count; i++)
        envl_buf_free(&bodies[i]);
    free(bodies);
    free(records);
    return status;
}

/*
 * Put ${next} with fresh ranges.  Their epochs begin far above those of the
 * ranges before, so that a worker that slept through the change is fenced.
 */
static enum envl_status
begin(struct run *run, struct record_job *next, struct envl_error *err)
{
    enum envl_status status = record_new_id(next->phase_id, err);

    run->adopted = false;
    if (status == ENVL_OK)
        status = ranges_make(run->control, run->threads, &run->workers, err);
    if (status != ENVL_OK)
        return status;
    next->ranges = run->workers.slot_count;
    next->rows = ranges_rows(run->control);
    for (uint32_t i = 0; i < run->workers.slot_count; i++) {
        struct slot *slot = &run->workers.slots[i];

        slot->epoch = run->epoch << 24 | (uint64_t)next->closing << 20;
        memcpy(slot->range.phase_id, next->phase_id, RECORD_ID_SIZE);
    }
    status = reset(run, next, err);
    if (status == ENVL_OK) {
        record_body_free_job(&run->job);
        run->job = *next;
        *next = (struct record_job){ 0 };
        run->adopted = true;
    }
    return status;
}

/* ---- one phase ----------------------------------------------------------- */

/*
 * Add up the phase that is over.  Ledger and census count the same values by
 * different rules and in different code: they must agree (I6).
 */
static enum envl_status
sum_up(struct run *run, struct record_job *next, struct envl_error *err)
{
    struct ledger *sum = &next->phases[run->job.closing];
    uint64_t values = 0;
    enum envl_status status = ENVL_OK;

    *sum = (struct ledger){ 0 };
    next->phase_ms[run->job.closing] = next->ms;
    for (uint32_t i = 0; i < run->job.closing; i++)
        next->phase_ms[run->job.closing] -= next->phase_ms[i];
    for (uint32_t i = 0; status == ENVL_OK && i < run->workers.slot_count;
         i++) {
        const struct record_range *range = &run->workers.slots[i].range;

        ledger_add(sum, &range->ledger);
        status = census_merge(&next->census, &range->census, err);
    }
    for (size_t i = 0; i < next->census.count; i++)
        values += next->census.entries[i].count;
    if (status == ENVL_OK && ledger_values(sum) != values + sum->conflicts)
        status = envl_fail(err, ENVL_E_INTERNAL, "the ledger of the job does "
                           "not agree with its census");
    return status;
}

/* How many values of the latest reading were not as they should be. */
static uint64_t
found(const struct record_job *job)
{
    const struct ledger *last = &job->phases[job->closing];

    return last->sealed + last->rotated + last->conflicts;
}

/* What a pass that is over means for the whole (spec JOB-62).  ${clean}: it
   was searched after its last reading, and nothing was left. */
static enum envl_status
outcome(const struct record_job *job, bool clean)
{
    if ((!clean && found(job) > 0) ||
        census_total(&job->census, ROW_PLAINTEXT) > 0)
        return ENVL_E_FINDINGS;
    return job->phases[job->closing].quarantined > 0 ? ENVL_E_PARTIAL
                                                     : ENVL_OK;
}

/*
 * Old pages are made to forget before the job counts as done.  Where a reader
 * holds them for long, that is said, and is no reason not to be done.
 */
static enum envl_status
forget(struct run *run, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct envl_error local = { 0 };
    char text[400];

    if (run->env.ops->finish == NULL)
        return ENVL_OK;
    for (unsigned i = 0; i < FORGET_TRIES; i++) {
        status = run->env.ops->finish(run->control->store, &local);
        if (status != ENVL_E_LOCKED ||
            !run_pause_database(run, 200,
                                "somebody is reading old pages"))
            break;
    }
    if (status == ENVL_E_DATABASE) {
        if (err != NULL)
            *err = local;
        return status;
    }
    if (status != ENVL_OK) {
        snprintf(text, sizeof(text), "old pages may still hold plaintext: %s",
                 local.message);
        host_note(&run->env.host, ENVL_NOTE_WARN, NULL, text);
    }
    return ENVL_OK;
}

static enum envl_status
finish(struct run *run, struct record_job *next, bool clean,
       struct envl_error *err)
{
    struct record_job before = run->job;
    enum envl_status status = forget(run, err);

    if (status != ENVL_OK)
        return status;
    next->phase = RECORD_DONE;
    next->outcome = outcome(next, clean);
    run->job = *next;
    status = run_put(run, err);
    /* It is done only once the store says so. */
    *next = status == ENVL_OK ? before : run->job;
    if (status != ENVL_OK)
        run->job = before;
    return status;
}

/*
 * Is nothing left?  Where the store can search for it, that spares another
 * reading of everything; rows in conflict are known to be left.
 */
static enum envl_status
search(struct run *run, const struct record_job *next, bool *clean,
       struct envl_error *err)
{
    const struct ledger *last = &next->phases[next->closing];
    enum envl_status status;
    bool left = true;

    *clean = false;
    if (last->conflicts > 0)
        return ENVL_OK;
    /* One statement may take as long as a lease lasts: it begins fresh. */
    status = run_put(run, err);
    if (status == ENVL_OK)
        status = search_left(run, last->quarantined, &left, err);
    *clean = !left;
    return status;
}

/* After the work of a phase: the next one, or the end. */
static enum envl_status
end(struct run *run, struct envl_error *err)
{
    struct record_job next = run->job;
    enum envl_status status;
    bool clean = false;

    next.census = (struct census){ 0 };
    next.ms = run->ms_before + (pace_now() - run->begun);
    status = sum_up(run, &next, err);
    if (status == ENVL_OK)
        status = search(run, &next, &clean, err);
    if (status == ENVL_OK) /* no end with a key that was lost on the way */
        status = env_ring_stands(&run->env, err);
    if (status == ENVL_OK) {
        if (clean || (next.phase == RECORD_CLOSING &&
            (found(&next) == 0 || next.closing >= RECORD_CLOSINGS))) {
            status = finish(run, &next, clean, err);
        } else {
            next.phase = RECORD_CLOSING;
            next.closing++;
            status = begin(run, &next, err);
        }
    }
    record_body_free_job(&next);
    return status;
}

static enum envl_status
prepare(struct run *run, enum record_phase phase, struct envl_error *err)
{
    struct record_job next = run->job;
    enum envl_status status;

    next.census = (struct census){ 0 };
    status = census_merge(&next.census, &run->job.census, err);
    next.phase = phase;
    if (status == ENVL_OK)
        status = begin(run, &next, err);
    record_body_free_job(&next);
    return status;
}

static enum envl_status
one(struct run *run, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool torn = false;

    if (run->job.phase == RECORD_PREPARE)
        return prepare(run, RECORD_SWEEP, err);
    if (!run->adopted)
        status = slots_adopt(run, &torn, err);
    if (status == ENVL_E_INTEGRITY) {
        status = run_accept(run, status, err);
        if (status == ENVL_OK)
            return prepare(run, RECORD_SWEEP, err);
    }
    if (status == ENVL_OK && torn)
        status = prepare(run, run->job.phase, err);
    if (status == ENVL_OK)
        status = slots_work(run, true, err);
    if (status == ENVL_OK) /* also what comes between phases */
        status = steer_wait(run, err);
    if (status == ENVL_OK)
        status = end(run, err);
    return status;
}

enum envl_status
phase_all(struct run *run, struct envl_error *err)
{
    uint64_t good = pace_now();
    enum envl_status status = ENVL_OK;
    unsigned losses = 0;

    run->begun = pace_now();
    while (status == ENVL_OK && run->job.phase != RECORD_DONE) {
        enum record_phase phase = run->job.phase;
        uint32_t closing = run->job.closing;

        status = one(run, err);
        if (run->job.phase != phase || run->job.closing != closing) {
            good = pace_now();
            losses = 0;
        }
        if (status == ENVL_E_DATABASE && ++losses <= 5) {
            status = run_regain(run, err);
            run->adopted = false;
        } else if (status == ENVL_E_LOCKED && run->claimed &&
                   pace_now() - good < run->env.patience_ms) {
            status = run_pause(run, pace_jitter(200), NULL)
                         ? ENVL_OK
                         : envl_fail(err, ENVL_E_INTERRUPTED,
                                     "stopped on request");
            run->adopted = false;
        }
    }
    if (status == ENVL_E_CONFLICT)
        status = run_taken_over(run, err);
    return status;
}
