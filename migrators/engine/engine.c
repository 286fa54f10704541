/*
 * engine_run: what surrounds a run.  The other calls of engine.h are in
 * engine_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "engine/follow.h"
#include "engine/overlap.h"
#include "engine/phase.h"
#include "engine/summary.h"

#define CLAIM_LOSSES 3u /* of the connection, before there is a job */

static const char *
verb(const struct run *run)
{
    return run->goal == ENGINE_ROTATE ? "rotate" : "migrate";
}

/* Which code will handle the rows, and that a run begins (fail closed). */
static enum envl_status
record_begin(const struct run *run, struct envl_error *err)
{
    struct envl_audit *audit = run->env.options->audit;
    struct envl_audit_event begin = { .verb = verb(run),
                                      .object = run->env.job->name,
                                      .outcome = "begin" };
    char object[PATH_MAX + 80];
    struct envl_audit_event plugin = { .verb = "plugin load",
                                       .object = object,
                                       .outcome = "ok" };
    enum envl_status status = ENVL_OK;

    if (run->env.plugin.path[0] != '\0') {
        snprintf(object, sizeof(object), "%s sha256:%s",
                 run->env.plugin.path, run->env.plugin.sha256);
        status = envl_audit_append(audit, &plugin, err);
    }
    if (status == ENVL_OK)
        status = envl_audit_append(audit, &begin, err);
    return status;
}

/* The end of it; if that cannot be recorded, the run did not end well. */
static enum envl_status
record_end(const struct run *run, enum envl_status status,
           struct envl_error *err)
{
    static const char *const names[] = { "sealed", "rotated", "skipped",
                                         "conflicts", "quarantined" };
    struct ledger sum;
    uint64_t counts[5];
    struct envl_audit_event end = { .verb = verb(run),
                                    .object = run->env.job->name,
                                    .outcome = envl_status_name(status),
                                    .count_names = names,
                                    .counts = counts,
                                    .count_len = 5 };
    struct envl_error local = { 0 };

    run_totals(run, &sum);
    counts[0] = sum.sealed;
    counts[1] = sum.rotated;
    counts[2] = sum.skipped;
    counts[3] = sum.conflicts;
    counts[4] = sum.quarantined;
    if (envl_audit_append(run->env.options->audit, &end, &local) == ENVL_OK)
        return status;
    if (err != NULL)
        *err = local;
    return ENVL_E_AUDIT;
}

static enum envl_status
check_threads(struct run *run, struct envl_error *err)
{
    const struct envl_store_info *info =
        run->env.ops->info(run->control->store);
    uint32_t threads = run->env.options->workers;

    if (threads == 0)
        threads = run->env.job->pace.workers;
    if (threads == 0)
        threads = 1;
    if (info->max_workers != 0 && threads > info->max_workers) {
        envl_fail(err, ENVL_E_USAGE, "%s takes %u worker%s, not %u",
                  info->driver, info->max_workers,
                  info->max_workers == 1 ? "" : "s", threads);
        envl_hint(err, "leave --workers and pace.workers out");
        return ENVL_E_USAGE;
    }
    run->threads = threads;
    return ENVL_OK;
}

static enum envl_status
check_key(const struct run *run, struct envl_error *err)
{
    if (run->env.key.state != ENVL_KEY_ACTIVE) {
        envl_fail(err, ENVL_E_POLICY, "key %s is %s: only an active key "
                  "seals", run->env.key.kid,
                  envl_key_state_name(run->env.key.state));
        envl_hint(err, "envelope key activate %s", run->env.key.kid);
        return ENVL_E_POLICY;
    }
    return env_prove_key(&run->env, err);
}

/* Everything that can be found wrong before anything is written. */
static enum envl_status
check(struct run *run, struct envl_error *err)
{
    enum envl_status status = check_key(run, err);

    if (status == ENVL_OK)
        status = session_open(&run->env, SESSION_TRANSFORM, &run->control,
                              err);
    if (status == ENVL_OK)
        status = check_threads(run, err);
    if (status == ENVL_OK)
        status = overlap_check(run->control, err);
    if (status == ENVL_OK)
        status = steer_check(run, err);
    return status;
}

/* The outcome of a job that is done, said in words. */
static enum envl_status
judge(const struct run *run, struct envl_error *err)
{
    const struct record_job *job = &run->job;
    struct ledger sum;

    run_totals(run, &sum);
    switch (job->outcome) {
    case ENVL_E_FINDINGS:
        envl_fail(err, ENVL_E_FINDINGS, "plaintext was still found in closing "
                  "pass %u", job->closing);
        envl_hint(err, "an application still writes plaintext: let it seal "
                  "what it writes; or a trigger or rule keeps rows as they "
                  "are: see envelope plan; then run this again");
        break;
    case ENVL_E_PARTIAL:
        envl_fail(err, ENVL_E_PARTIAL, "%llu values are quarantined",
                  (unsigned long long)sum.quarantined);
        envl_hint(err, "envelope status lists them with their reasons");
        break;
    default:
        break;
    }
    return job->outcome;
}

static void
release(struct run *run)
{
    struct envl_record record = lease_record_of(
        &run->env, 0, run->epoch, envl_buf_view(&run->body));

    if (run->claimed)
        lease_release(run->control, &record);
}

/* The tables of jobs; a lock on the way is somebody else's short moment. */
static enum envl_status
set_up(struct run *run, struct envl_error *err)
{
    uint64_t begun = pace_now();
    enum envl_status status;

    for (;;) {
        status = run->env.ops->state_setup(run->control->store, err);
        if (status != ENVL_E_LOCKED ||
            pace_now() - begun > run->env.patience_ms)
            return status;
        if (!run_pause(run, pace_jitter(100), NULL))
            return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
    }
}

/* Make the tables and take the job, also if the connection breaks once. */
static enum envl_status
claim(struct run *run, struct envl_error *err)
{
    struct session_wait wait = { run_pause_database, run };
    enum envl_status status;

    for (unsigned losses = 0;; losses++) {
        status = set_up(run, err);
        if (status == ENVL_OK)
            status = run_claim(run, err);
        if (status != ENVL_E_DATABASE || losses == CLAIM_LOSSES)
            return status;
        if (session_recover(run->control, &wait, NULL) != ENVL_OK)
            return status;
    }
}

/* Whoever answers for the ring is told before the first write. */
static enum envl_status
tell_begin(const struct run *run, struct envl_error *err)
{
    const struct engine_options *options = run->env.options;

    if (options->begin == NULL || !run->claimed)
        return ENVL_OK;
    return options->begin(options->begin_cookie,
                          run->env.ops->info(run->control->store)->identity,
                          err);
}

/* From the audit's first record to its last. */
static enum envl_status
recorded(struct run *run, json_t **report, struct envl_error *err)
{
    enum envl_status status = record_begin(run, err);

    if (status != ENVL_OK)
        return status;
    status = claim(run, err);
    if (status != ENVL_OK)
        return record_end(run, status, err);

    status = run_steer(run, err); /* before the first batch */
    if (status == ENVL_OK && !run->claimed)
        status = follow_all(run, err);
    if (status == ENVL_OK)
        status = tell_begin(run, err);
    if (status == ENVL_OK && run->claimed)
        status = phase_all(run, err);
    progress_calm(&run->progress);
    if (status == ENVL_OK)
        status = judge(run, err);
    status = record_end(run, status, err);
    *report = summary_run(run, status);
    if (status == ENVL_E_INTERRUPTED && run->claimed)
        (void)run_put(run, NULL);
    release(run);
    return status;
}

enum envl_status
engine_run(const struct job *job, enum engine_goal goal,
           const struct engine_options *options, json_t **report,
           struct envl_error *err)
{
    struct run run = { .goal = goal };
    enum envl_status status;

    if (options->ring == NULL)
        return envl_fail(err, ENVL_E_USAGE, "a run needs a keyring");
    if (options->audit == NULL)
        return envl_fail(err, ENVL_E_AUDIT, "a run needs an audit log");
    status = env_open(job, options,
                      goal == ENGINE_ROTATE ? TRANSFORM_ROTATE
                                            : TRANSFORM_SEAL,
                      &run.env, err);
    if (status != ENVL_OK)
        return status;
    workers_init(&run.workers, &run.env, SESSION_TRANSFORM);
    progress_init(&run.progress, options, &run.env.host);

    status = check(&run, err);
    if (status == ENVL_OK)
        status = recorded(&run, report, err);

    steer_free(&run.steer);
    session_close(run.control);
    workers_free(&run.workers);
    record_body_free_job(&run.job);
    envl_buf_free(&run.body);
    env_close(&run.env);
    return status;
}
