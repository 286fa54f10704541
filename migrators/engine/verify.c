/*
 * engine_verify: every envelope is fully opened in its place, in two
 * readings.  Nothing is written, and no lease is taken: it can run beside a
 * sweep.
 */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "engine/lease.h"
#include "engine/ranges.h"
#include "engine/summary.h"
#include "engine/verify_walk.h"

#define STRETCHES 8192u /* about so many, however large the tables are */

static json_t *
date_of(int64_t seconds)
{
    char date[CLOCK_DATE_SIZE];

    clock_print(seconds, date);
    return json_string(date);
}

/* The kids under which applications may have sealed meanwhile. */
static json_t *
sealing_of(const struct verify *verify)
{
    json_t *kids = json_array();

    for (size_t i = 0; i < verify->active_count; i++)
        json_array_append_new(kids, json_string(verify->active[i]));
    return kids;
}

static enum envl_status
tick(void *cookie, struct envl_error *err)
{
    struct verify *verify = cookie;
    char waiting[sizeof(verify->workers.waiting)];
    struct progress_state now = { .waiting = waiting, .guard_writes = -1 };

    (void)err;
    pthread_mutex_lock(&verify->workers.lock);
    now.sum = verify->workers.live;
    memcpy(waiting, verify->workers.waiting, sizeof(waiting));
    pthread_mutex_unlock(&verify->workers.lock);
    now.rows = now.sum.rows;
    now.reason = waiting[0] == '\0' ? "" : "database";
    progress_tick(&verify->progress, &now);
    return ENVL_OK;
}

static enum envl_status
find_active(struct verify *verify, struct envl_error *err)
{
    size_t count;
    enum envl_status status;

    status = envl_keyring_list(verify->env.options->ring, &verify->keys,
                               &count, err);
    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        if (verify->keys[i].state == ENVL_KEY_ACTIVE &&
            verify->active_count < sizeof(verify->active) /
                                       sizeof(verify->active[0]))
            verify->active[verify->active_count++] = verify->keys[i].kid;
    }
    return status;
}

/* All slots once, by ${range}. */
static enum envl_status
read_slots(struct verify *verify, uint32_t threads, workers_range_fn *range,
           struct envl_error *err)
{
    struct workers_call call = { range, tick, verify };
    enum envl_status status = ENVL_OK;
    uint32_t left;

    for (uint32_t i = 0; i < verify->workers.slot_count; i++) {
        verify->workers.slots[i].state = SLOT_FREE;
        verify->workers.slots[i].range.done = false;
    }
    verify->workers.live = (struct ledger){ 0 };
    while (status == ENVL_OK &&
           (left = workers_count(&verify->workers, SLOT_FREE)) > 0)
        status = workers_run(&verify->workers,
                             left < threads ? left : threads, &call, err);
    return status;
}

/* Rows behind the last key there was when the ranges were made. */
static enum envl_status
read_tails(struct verify *verify, struct envl_error *err)
{
    uint32_t slots = verify->workers.slot_count;
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; status == ENVL_OK &&
                         i < verify->env.job->target_count; i++) {
        struct envl_bytes after = { NULL, 0 };

        for (uint32_t j = 0; j < slots; j++) {
            const struct record_range *range =
                &verify->workers.slots[j].range;

            if (range->target == i)
                after = envl_buf_view(&range->until);
        }
        status = verify_walk_tail(verify, i, after,
                                  &verify->tracks[slots + i], err);
    }
    return status;
}

static enum envl_status
make_tracks(struct verify *verify, struct envl_error *err)
{
    uint64_t rows = ranges_rows(verify->control);

    verify->track_count = verify->workers.slot_count +
                          verify->env.job->target_count;
    verify->tracks = calloc(verify->track_count, sizeof(*verify->tracks));
    if (verify->tracks == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a census");
    verify->pages_each = 1 + (uint32_t)(rows / 2000 / STRETCHES);
    return ENVL_OK;
}

static enum envl_status
read_all(struct verify *verify, struct envl_error *err)
{
    const struct env *env = &verify->env;
    uint32_t threads = env->options->workers, most;
    enum envl_status status;

    most = env->ops->info(verify->control->store)->max_workers;
    if (threads == 0)
        threads = env->job->pace.workers;
    if (threads == 0 || most == 1)
        threads = 1;
    status = ranges_make(verify->control, threads, &verify->workers, err);
    if (status != ENVL_OK)
        return status;
    status = make_tracks(verify, err);
    if (status != ENVL_OK)
        return status;
    progress_phase(&verify->progress, "verify", 0,
                   ranges_rows(verify->control));
    status = read_slots(verify, threads, verify_walk_first, err);
    if (status != ENVL_OK)
        return status;
    progress_phase(&verify->progress, "what moved meanwhile", 0,
                   verify->workers.live.rows);
    status = read_slots(verify, threads, verify_walk_again, err);
    return status == ENVL_OK ? read_tails(verify, err) : status;
}

/* ---- the report --------------------------------------------------------- */

/* What all stretches say together. */
struct sums {
    struct census census;
    json_t *findings;
    uint64_t rows, opened, failed, amiss;
};

static enum envl_status
add_up(const struct verify *verify, struct sums *sums, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < verify->track_count; i++) {
        const struct verify_track *track = &verify->tracks[i];

        for (size_t j = 0; status == ENVL_OK && j < track->count; j++) {
            const struct verify_stretch *stretch = &track->stretches[j];

            sums->rows += stretch->rows;
            if (stretch->findings != NULL)
                json_array_extend(sums->findings, stretch->findings);
            status = census_merge(&sums->census, &stretch->census, err);
        }
    }
    for (size_t i = 0; i < sums->census.count; i++) {
        const struct census_entry *entry = &sums->census.entries[i];

        if (entry->state == ROW_SEALED_CURRENT ||
            entry->state == ROW_SEALED_OLD_KID)
            sums->opened += entry->count;
        else if (row_state_sealed(entry->state) ||
                 entry->state == ROW_SEALED_NEWER ||
                 entry->state == ROW_PREFIX_COLLISION)
            sums->failed += entry->count;
        if (!verify_walk_in_order(verify, entry))
            sums->amiss += entry->count;
    }
    return status;
}

/*
 * What is otherwise than at the end of the job's last sweep, by state:
 * applications wrote since.  Without a record of ours that is done: nothing.
 */
static json_t *
drift_of(const struct verify *verify, const struct census *now)
{
    struct record_job job = { 0 };
    struct lease_list list = { 0 };
    const struct lease_record *found;
    json_t *drift = NULL;

    if (lease_list_read(verify->control, &list, NULL) == ENVL_OK &&
        (found = lease_list_find(&list, 0)) != NULL &&
        found->mac == ENVL_OK &&
        record_body_decode_job(envl_buf_view(&found->body), &job, NULL) ==
            ENVL_OK &&
        job.phase == RECORD_DONE) {
        drift = json_array();
        for (int i = 0; i < ROW_STATE_COUNT; i++) {
            uint64_t then = census_total(&job.census, (enum row_state)i);
            uint64_t here = census_total(now, (enum row_state)i);

            if (then != here)
                json_array_append_new(
                    drift, json_pack("{s:s, s:I, s:I}", "state",
                                     row_state_name((enum row_state)i),
                                     "sweep", (json_int_t)then, "now",
                                     (json_int_t)here));
        }
    }
    record_body_free_job(&job);
    lease_list_free(&list);
    return drift != NULL ? drift : json_null();
}

static json_t *
document_of(const struct verify *verify, const struct sums *sums)
{
    struct envl_ring_mark mark;

    envl_keyring_mark(verify->env.options->ring, &mark);
    return json_pack(
        "{s:i, s:b, s:I, s:I, s:o, s:s, s:s, s:I, s:O, s:I, s:s, s:s, s:o, "
        "s:o, s:o, s:s, s:I, s:i, s:I, s:o}",
        "schema", 1, "ok", sums->amiss == 0,
        "opened", (json_int_t)sums->opened,
        "failed", (json_int_t)sums->failed,
        "census", summary_census(verify->control, &sums->census),
        "job", verify->env.job->name, "job_sha256", verify->env.job->digest,
        "amiss", (json_int_t)sums->amiss, "findings", sums->findings,
        "rows", (json_int_t)sums->rows,
        "store", verify->env.ops->info(verify->control->store)->identity,
        "server", verify->env.ops->info(verify->control->store)->server,
        "begun", date_of(verify->begun), "ended", date_of(clock_now()),
        "sealing", sealing_of(verify), "keyring", mark.id,
        "generation", (json_int_t)mark.generation, "readings", 2,
        "moved_rows", (json_int_t)verify->changed_rows,
        "drift", drift_of(verify, &sums->census));
}

static enum envl_status
report_of(struct verify *verify, json_t **report, struct envl_error *err)
{
    struct sums sums = { .findings = json_array() };
    enum envl_status status = add_up(verify, &sums, err);

    if (status == ENVL_OK)
        *report = document_of(verify, &sums);
    if (status == ENVL_OK && sums.amiss > 0) {
        envl_fail(err, ENVL_E_FINDINGS, "%llu values are not sealed under an "
                  "active key in their place",
                  (unsigned long long)sums.amiss);
        status = ENVL_E_FINDINGS;
    }
    census_free(&sums.census);
    json_decref(sums.findings);
    return status;
}

enum envl_status
engine_verify(const struct job *job, const struct engine_options *options,
              json_t **report, struct envl_error *err)
{
    struct verify verify = { .begun = clock_now() };
    enum envl_status status;

    if (options->ring == NULL)
        return envl_fail(err, ENVL_E_USAGE, "verify needs a keyring");
    status = env_open(job, options, TRANSFORM_VERIFY, &verify.env, err);
    if (status != ENVL_OK)
        return status;
    workers_init(&verify.workers, &verify.env, SESSION_TRANSFORM);
    verify.workers.cookie = &verify;
    progress_init(&verify.progress, options, &verify.env.host);

    status = find_active(&verify, err);
    if (status == ENVL_OK)
        status = session_open(&verify.env, SESSION_TRANSFORM,
                              &verify.control, err);
    if (status == ENVL_OK)
        status = read_all(&verify, err);
    if (status == ENVL_OK)
        status = report_of(&verify, report, err);

    session_close(verify.control);
    for (uint32_t i = 0; i < verify.track_count; i++)
        verify_walk_free(&verify.tracks[i]);
    free(verify.tracks);
    workers_free(&verify.workers);
    free(verify.keys);
    env_close(&verify.env);
    return status;
}
