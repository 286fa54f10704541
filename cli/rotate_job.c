#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rotate_job.h"
#include "rotation.h"
#include "sweep.h"
#include "sweep_report.h"
#include "trail.h"

/* One rotation of a job. */
struct run {
    const char *path;
    struct sweep sweep;
    struct rotation rotation;
    struct trail trail;
    bool verified;     /* every value opens under an active key */
    bool former_found; /* something is under the former key     */
};

static bool
execute_wanted(const struct cli *cli)
{
    return cli->options.value[OPT_EXECUTE] != NULL;
}

/* Without --execute: what is there now, and what would become of it. */
static enum envl_status
say_plan(struct run *run, struct envl_error *err)
{
    json_t *report = NULL;
    enum envl_status status;

    status = engine_plan(run->sweep.job, &run->sweep.options, false, &report,
                         err);
    sweep_progress_end(&run->sweep.progress);
    sweep_report_plan(report);
    report_hint("--execute %s %s and seals everything again under it",
                run->rotation.exists ? "activates" : "makes",
                run->rotation.kid);
    return status;
}

static bool
census_has(const json_t *report, const char *kid)
{
    const json_t *census = json_object_get(report, "census"), *row;
    size_t i;

    json_array_foreach(census, i, row) {
        const char *name = json_string_value(json_object_get(row, "kid"));

        if (name != NULL && strcmp(name, kid) == 0)
            return true;
    }
    return false;
}

static enum envl_status
verify(struct run *run, struct envl_error *err)
{
    json_t *report = NULL;
    enum envl_status status;

    run->sweep.options.kid = NULL;
    status = sweep_verify(&run->sweep, &report, err);
    sweep_progress_end(&run->sweep.progress);
    run->verified = status == ENVL_OK;
    run->former_found = census_has(report, run->rotation.former);
    sweep_report_verify(report);
    return status;
}

static void
tell(const struct run *run)
{
    const struct rotation *rotation = &run->rotation;
    const bool may = run->verified && !run->former_found &&
                     rotation->former[0] != '\0';
    struct envl_ring_mark mark;

    envl_keyring_mark(run->sweep.session.ring, &mark);
    report_json(json_pack(
        "{s:i, s:s, s:s, s:s, s:o, s:I, s:b, s:b}", "schema", 1, "type",
        "rotation", "job", run->sweep.job->name, "kid", rotation->kid,
        "former",
        rotation->former[0] != '\0' ? json_string(rotation->former)
                                    : json_null(),
        "generation", (json_int_t)mark.generation, "verified", run->verified,
        "former_may_be_disabled", may));
    if (rotation->former[0] == '\0')
        return;
    if (may)
        report_text("%s may now be disabled, if no other job or file was "
                    "sealed under it: envelope key disable %s\n",
                    rotation->former, rotation->former);
    else
        report_text("%s must stay: not every value opens under %s yet\n",
                    rotation->former, rotation->kid);
}

/* Before any key changes: the store answers, and has what the job names. */
static enum envl_status
check(struct run *run, struct envl_error *err)
{
    struct engine_options options = run->sweep.options;
    json_t *report = NULL;
    enum envl_status status;

    options.event = NULL;
    status = engine_plan(run->sweep.job, &options, false, &report, err);
    json_decref(report);
    /* No active key: a rotation is how one is made. */
    return status == ENVL_E_FINDINGS || status == ENVL_E_NOKEY ? ENVL_OK
                                                               : status;
}

static enum envl_status
execute(struct cli *cli, struct run *run, struct envl_error *err)
{
    struct envl_keyring *ring = run->sweep.session.ring;
    struct envl_error first = { .status = ENVL_OK };
    json_t *report = NULL;
    char resume[192];
    enum envl_status status;

    if ((status = check(run, err)) != ENVL_OK ||
        (status = trail_begin(cli, ring, run->rotation.kid, &run->trail,
                              err)) != ENVL_OK)
        return status;
    if ((status = rotation_activate(&run->rotation, ring, err)) == ENVL_OK) {
        ring_session_remember(cli, &run->sweep.session);
        run->sweep.options.kid = run->rotation.kid;
        status = sweep_run(cli, run->path, &run->sweep, ENGINE_ROTATE,
                           &report, &first);
        sweep_progress_end(&run->sweep.progress);
        sweep_report_run(report);
        if (status == ENVL_OK) {
            status = verify(run, err);
            tell(run);
        } else {
            *err = first;
            snprintf(resume, sizeof(resume), "envelope rotate --kid %s --job "
                     "%s --execute", run->rotation.kid, run->path);
            sweep_explain(status, resume, err);
            tell(run);
        }
    }
    return trail_end(&run->trail, status, NULL, err);
}

/* The job's scope is the key's. */
static enum envl_status
choose_scope(struct cli *cli, const struct job *job, const char **out,
             struct envl_error *err)
{
    const char *given = cli->options.value[OPT_SCOPE];

    *out = job->scope;
    if (given == NULL ||
        strcmp(given, job->scope != NULL ? job->scope : "default") == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_USAGE, "--scope is not that of the job");
}

enum envl_status
rotate_job(struct cli *cli, struct envl_error *err)
{
    struct run run = { .path = cli->options.value[OPT_JOB] };
    const char *scope = NULL;
    enum envl_status status;

    if ((status = sweep_open(cli, run.path,
                             execute_wanted(cli) ? SWEEP_WRITES
                                                 : SWEEP_READS,
                             &run.sweep, err)) == ENVL_OK &&
        (status = choose_scope(cli, run.sweep.job, &scope, err)) == ENVL_OK &&
        (status = rotation_plan(cli, run.sweep.session.ring, scope,
                                &run.rotation, err)) == ENVL_OK)
        status = execute_wanted(cli) ? execute(cli, &run, err)
                                     : say_plan(&run, err);
    sweep_close(&run.sweep);
    return status;
}

enum envl_status
rotate_job_rewrap(struct cli *cli, struct envl_error *err)
{
    const char *path = cli->options.value[OPT_JOB];
    struct envl_key_info key;
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    status = sweep_open(cli, path,
                        execute_wanted(cli) ? SWEEP_WRITES : SWEEP_READS,
                        &sweep, err);
    if (status == ENVL_OK)
        status = cli->options.value[OPT_KID] != NULL
                     ? envl_keyring_find(sweep.session.ring,
                                         cli->options.value[OPT_KID], &key,
                                         err)
                     : envl_keyring_active(sweep.session.ring, ENVL_USE_WRAP,
                                           sweep.job->scope, &key, err);
    if (status == ENVL_OK && key.use != ENVL_USE_WRAP)
        status = envl_fail(err, ENVL_E_POLICY, "key %s is of use %s, not wrap",
                           key.kid, envl_key_use_name(key.use));
    if (status == ENVL_OK) {
        sweep.options.kid = key.kid;
        status = execute_wanted(cli)
                     ? sweep_run(cli, path, &sweep, ENGINE_ROTATE, &report,
                                 err)
                     : engine_plan(sweep.job, &sweep.options, false, &report,
                                   err);
    }
    sweep_progress_end(&sweep.progress);
    if (execute_wanted(cli))
        sweep_report_run(report);
    else
        sweep_report_plan(report);
    if (status != ENVL_OK)
        sweep_explain(status, "envelope rewrap --job JOB --execute", err);
    sweep_close(&sweep);
    return status;
}
