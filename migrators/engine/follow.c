#include <string.h>

#include "engine/follow.h"
#include "engine/resume.h"
#include "engine/slots.h"

#define LOOK_MS  500u
#define LOSSES   5u /* of the connection, without a phase between */

static bool
same_job(const struct run *run, const struct record_job *job)
{
    struct envl_ring_mark now;

    envl_keyring_mark(run->env.options->ring, &now);
    return job->goal == run->goal &&
           strcmp(job->kid, run->env.key.kid) == 0 &&
           strcmp(job->digest, run->env.job->digest) == 0 &&
           resume_ring(&job->ring, &now, NULL) == ENVL_OK;
}

static bool
range_is_free(const struct lease_record *found)
{
    struct record_range range = { 0 };
    bool is_free = found != NULL && !found->held && found->mac == ENVL_OK &&
                   record_body_decode_range(envl_buf_view(&found->body),
                                            &range, NULL) == ENVL_OK &&
                   !range.done;

    record_body_free_range(&range);
    return is_free;
}

bool
follow_can(struct run *run, const struct lease_list *list)
{
    const struct lease_record *lead = lease_list_find(list, 0);
    struct record_job job = { 0 };
    bool can = false;

    if (run->env.ops->info(run->control->store)->max_workers == 1 ||
        lead == NULL || lead->mac != ENVL_OK ||
        record_body_decode_job(envl_buf_view(&lead->body), &job, NULL) !=
            ENVL_OK)
        return false;
    if (same_job(run, &job) && (job.phase == RECORD_SWEEP ||
                                job.phase == RECORD_CLOSING)) {
        for (uint32_t i = 1; !can && i <= job.ranges; i++)
            can = range_is_free(lease_list_find(list, i));
    }
    if (!can) {
        record_body_free_job(&job);
        return false;
    }
    record_body_free_job(&run->job);
    run->job = job;
    run->epoch = lead->epoch;
    return true;
}

/* Where the job is now; if nobody leads it any more, we do. */
static enum envl_status
look(struct run *run, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *lead;
    struct record_job job = { 0 };
    enum envl_status status = lease_list_read(run->control, &list, err);

    if (status != ENVL_OK)
        return status;
    lead = lease_list_find(&list, 0);
    status = lead == NULL ? ENVL_E_INTEGRITY : lead->mac;
    if (status == ENVL_OK)
        status = record_body_decode_job(envl_buf_view(&lead->body), &job,
                                        NULL);
    if (status != ENVL_OK) {
        envl_fail(err, status, "the job's record was changed by somebody "
                  "else");
    } else {
        run->adopted = run->adopted &&
                       strcmp(run->job.phase_id, job.phase_id) == 0;
        record_body_free_job(&run->job);
        run->job = job;
        run->epoch = lead->epoch;
        if (!lead->held && job.phase != RECORD_DONE)
            status = run_lead(run, lead->epoch, err);
        /* Somebody else was quicker: then that one leads. */
        if (status == ENVL_E_CONFLICT || status == ENVL_E_LOCKED)
            status = ENVL_OK;
    }
    lease_list_free(&list);
    return status;
}

/* Work on what is free in the phase that the job is in. */
static enum envl_status
take_part(struct run *run, struct envl_error *err)
{
    bool torn = false;
    enum envl_status status;

    if (run->job.phase != RECORD_SWEEP && run->job.phase != RECORD_CLOSING)
        return ENVL_OK;
    status = slots_adopt(run, &torn, err);
    if (status == ENVL_OK && !torn &&
        workers_count(&run->workers, SLOT_FREE) > 0)
        status = slots_work(run, false, err);
    /* While the leader goes on to the next phase, records need not fit: look
       again.  If they are damaged, the leader finds it, and stops. */
    return status == ENVL_E_INTEGRITY ? ENVL_OK : status;
}

enum envl_status
follow_all(struct run *run, struct envl_error *err)
{
    struct session_wait wait = { run_pause_database, run };
    enum envl_status status = ENVL_OK;
    unsigned losses = 0;

    progress_note(&run->progress, "another process leads this job: taking "
                                  "part in it");
    run->begun = pace_now();
    while (status == ENVL_OK && !run->claimed &&
           run->job.phase != RECORD_DONE) {
        status = take_part(run, err);
        if (status == ENVL_OK &&
            !run_pause(run, LOOK_MS, "another process leads the job"))
            status = envl_fail(err, ENVL_E_INTERRUPTED,
                               "stopped on request");
        if (status == ENVL_OK)
            status = look(run, err);
        if (status == ENVL_E_DATABASE && ++losses <= LOSSES)
            status = session_recover(run->control, &wait, err);
        else if (status == ENVL_OK)
            losses = 0;
    }
    return status;
}
