#include <stdio.h>
#include <string.h>

#include "engine/ranges.h"
#include "engine/slots.h"
#include "engine/sweep.h"

#define FOREIGN_MS 500u /* between two looks at what others are doing */

static enum envl_status
damaged(const struct run *run, uint32_t number, struct envl_error *err)
{
    return envl_fail(err, ENVL_E_INTEGRITY, "record %u of job \"%s\" is "
                     "missing, or was not written under this keyring, or was "
                     "changed", number, run->env.job->name);
}

static enum envl_status
adopt_one(struct run *run, const struct lease_record *found,
          struct slot *slot, struct envl_error *err)
{
    enum envl_status status;

    if (found == NULL || found->mac != ENVL_OK)
        return damaged(run, slot->number, err);
    status = record_body_decode_range(envl_buf_view(&found->body),
                                      &slot->range, err);
    if (status == ENVL_OK &&
        slot->range.target >= run->env.job->target_count)
        status = damaged(run, slot->number, err);
    slot->epoch = found->epoch;
    slot->state = slot->range.done                ? SLOT_DONE
                  : found->held && !found->ours ? SLOT_FOREIGN
                                                  : SLOT_FREE;
    return status;
}

enum envl_status
slots_adopt(struct run *run, bool *torn, struct envl_error *err)
{
    struct lease_list list = { 0 };
    enum envl_status status = lease_list_read(run->control, &list, err);

    *torn = false;
    if (status == ENVL_OK)
        status = workers_slots(&run->workers, run->job.ranges, err);
    for (uint32_t i = 0; status == ENVL_OK && i < run->job.ranges; i++) {
        struct slot *slot = &run->workers.slots[i];

        slot->number = i + 1;
        status = adopt_one(run, lease_list_find(&list, i + 1), slot, err);
        if (status == ENVL_OK)
            ledger_add(&run->workers.live, &slot->range.ledger);
        *torn = *torn || strcmp(slot->range.phase_id,
                                run->job.phase_id) != 0;
    }
    lease_list_free(&list);
    run->adopted = status == ENVL_OK && !*torn;
    return status;
}

static void
announce(struct run *run)
{
    char text[64];

    if (run->job.phase == RECORD_CLOSING)
        snprintf(text, sizeof(text), "closing pass %u", run->job.closing);
    else
        snprintf(text, sizeof(text), "sweep");
    progress_phase(&run->progress, text, run->workers.live.rows,
                   ranges_rows(run->control));
}

/* One go at the free ranges; what others hold is looked at again after it. */
static enum envl_status
work_once(struct run *run, struct envl_error *err)
{
    struct workers_call call = { sweep_range, run_tick, run };
    enum envl_status status;

    status = workers_run(&run->workers, run->threads, &call, err);
    /* A range that was not to be had for a lock is no reason to hurry. */
    if (status == ENVL_OK &&
        workers_count(&run->workers, SLOT_FOREIGN) > 0 &&
        !run_pause(run, pace_jitter(100), NULL))
        status = envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
    return status;
}

enum envl_status
slots_work(struct run *run, bool all, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool torn = false;

    announce(run);
    run->workers.patient = run->job.phase == RECORD_CLOSING;
    while (status == ENVL_OK && !torn) {
        if (workers_count(&run->workers, SLOT_FREE) > 0)
            status = work_once(run, err);
        else if (!all || workers_count(&run->workers, SLOT_FOREIGN) == 0)
            return ENVL_OK;
        else if (!run_pause(run, FOREIGN_MS, "other processes are at work on "
                                             "the last ranges"))
            status = envl_fail(err, ENVL_E_INTERRUPTED,
                               "stopped on request");
        if (status == ENVL_OK)
            status = run_tick(run, err);
        if (status == ENVL_OK &&
            workers_count(&run->workers, SLOT_FOREIGN) > 0)
            status = slots_adopt(run, &torn, err);
    }
    /* Only a leader waits for all; nobody else begins a phase. */
    if (status == ENVL_OK && all && torn)
        status = run_taken_over(run, err);
    return status;
}
