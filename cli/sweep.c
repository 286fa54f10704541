#include <stdlib.h>
#include <string.h>

#include "folders.h"
#include "report.h"
#include "ring_jobs.h"
#include "ring_verified.h"
#include "signals.h"
#include "sweep.h"

static enum envl_status
open_audit(struct cli *cli, struct sweep *sweep, struct envl_error *err)
{
    const struct setting *path = &cli->settings.item[SETTING_AUDIT];

    if (!path->chosen && folders_make_for(path->value, err) != ENVL_OK) {
        err->status = ENVL_E_AUDIT;
        return ENVL_E_AUDIT;
    }
    return envl_audit_open(path->value, sweep->session.ring, &sweep->audit,
                           err);
}

/* A viewer without a keyring can look, but not tell what is authentic. */
static enum envl_status
open_ring(struct cli *cli, enum sweep_need need, struct sweep *sweep,
          struct envl_error *err)
{
    enum envl_status status;

    sweep->session.watch = need != SWEEP_LOOKS;
    status = ring_session_open(cli, &sweep->session, err);
    if (status == ENVL_OK || need != SWEEP_LOOKS)
        return status;
    report_note("without a keyring nothing here can be checked: %s",
                err->message);
    return ENVL_OK;
}

enum envl_status
sweep_open(struct cli *cli, const char *path, enum sweep_need need,
           struct sweep *sweep, struct envl_error *err)
{
    enum envl_status status;
    uint64_t workers;

    *sweep = (struct sweep){
        .session = RING_SESSION_INIT, .path = path,
        .ring_path = settings_get(&cli->settings, SETTING_KEYRING),
    };
    if ((status = options_number(&cli->options,
                                 (struct number_rule){ OPT_WORKERS, 1, 64,
                                                       0 },
                                 &workers, err)) != ENVL_OK ||
        (status = job_load(path, &sweep->job, err)) != ENVL_OK ||
        (status = open_ring(cli, need, sweep, err)) != ENVL_OK ||
        (need == SWEEP_WRITES &&
         (status = open_audit(cli, sweep, err)) != ENVL_OK))
        return status;
    signals_watch();
    sweep_progress_init(&sweep->progress, need == SWEEP_WRITES);
    sweep->options = (struct engine_options){
        .ring = sweep->session.ring,
        .audit = sweep->audit,
        .workers = (uint32_t)workers,
        .readers = settings_get(&cli->settings, SETTING_REPORTS),
        .backup_generation = sweep->session.state.backup_generation,
        .backup_date = sweep->session.state.backup_date,
        .no_wait = cli->options.value[OPT_NO_WAIT] != NULL,
        .stop = &signals_stop,
        .event = sweep_progress_event,
        .cookie = &sweep->progress,
        .accept_ring = cli->options.value[OPT_ACCEPT_RING],
    };
    return ENVL_OK;
}

static struct ring_verified_job
job_entry(const struct sweep *sweep, const char *store)
{
    return (struct ring_verified_job){
        sweep->ring_path, sweep->session.ring, sweep->job->name, store,
        sweep->path
    };
}

/* A keyring in a folder that cannot be written is no reason not to sweep. */
static void
note_write(const struct sweep *sweep, const char *store, bool open)
{
    struct ring_verified_job job = job_entry(sweep, store);
    struct envl_error lost;

    if (ring_verified_wrote(&job, open, &lost) != ENVL_OK)
        report_warning("that this job wrote is not remembered beside the "
                       "keyring, and will not keep a key from being "
                       "disabled: %s", lost.message);
}

/* An engine_begin_fn. */
static enum envl_status
on_begin(void *cookie, const char *store, struct envl_error *err)
{
    struct sweep *sweep = cookie;

    sweep->store = strdup(store);
    if (sweep->store == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    note_write(sweep, store, true);
    return ENVL_OK;
}

enum envl_status
sweep_run(struct cli *cli, const char *path, struct sweep *sweep,
          enum engine_goal goal, json_t **report, struct envl_error *err)
{
    const char *folder = cli->settings.state_folder;
    const char *metrics = cli->options.value[OPT_METRICS_FILE];
    struct envl_error lost;
    enum envl_status status = ENVL_OK;

    if (metrics != NULL)
        status = metrics_open(metrics, sweep->job->name,
                              &sweep->progress.metrics, err);
    if (status != ENVL_OK)
        return status;
    sweep->options.count_guard = metrics != NULL;
    if (ring_jobs_begin(folder, sweep->session.ring, path, &lost) != ENVL_OK)
        report_warning("that this job is under way is not remembered: %s",
                       lost.message);
    sweep->options.begin = on_begin;
    sweep->options.begin_cookie = sweep;
    status = engine_run(sweep->job, goal, &sweep->options, report, err);
    metrics_close(sweep->progress.metrics, status, *report);
    sweep->progress.metrics = NULL;
    /* Nothing begun, or all done: else a later run finishes it. */
    if (status == ENVL_OK || status == ENVL_E_PARTIAL || *report == NULL)
        ring_jobs_end(folder, sweep->session.ring, path);
    if (sweep->store != NULL)
        note_write(sweep, sweep->store,
                   status != ENVL_OK && status != ENVL_E_PARTIAL &&
                       status != ENVL_E_FINDINGS);
    return status;
}

enum envl_status
sweep_verify(struct sweep *sweep, json_t **report, struct envl_error *err)
{
    struct envl_error lost;
    enum envl_status status;

    status = engine_verify(sweep->job, &sweep->options, report, err);
    if (status == ENVL_OK || status == ENVL_E_FINDINGS) {
        struct ring_verified_job job = job_entry(
            sweep, json_string_value(json_object_get(*report, "store")));

        if (ring_verified_seen(&job, *report, &lost) != ENVL_OK)
            report_warning("that this job was verified is not remembered "
                           "beside the keyring: %s", lost.message);
    }
    return status;
}

enum envl_status
sweep_look(struct cli *cli, enum sweep_need need, sweep_look_fn *look,
           sweep_tell_fn *tell, struct envl_error *err)
{
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    status = sweep_open(cli, cli->options.operands[0], need, &sweep, err);
    if (status == ENVL_OK)
        status = look(sweep.job, &sweep.options, &report, err);
    sweep_progress_end(&sweep.progress);
    tell(report);
    sweep_close(&sweep);
    return status;
}

void
sweep_close(struct sweep *sweep)
{
    sweep_progress_end(&sweep->progress);
    free(sweep->store);
    envl_audit_free(sweep->audit);
    job_free(sweep->job);
    ring_session_free(&sweep->session);
}

void
sweep_explain(enum envl_status status, const char *resume,
              struct envl_error *err)
{
    if (status == ENVL_E_INTERRUPTED) {
        envl_hint(err, "nothing is half done; go on with `%s`", resume);
        return;
    }
    if (err->hint[0] != '\0')
        return;
    if (status == ENVL_E_PARTIAL)
        envl_hint(err, "`envelope status` lists row ids and reasons");
    else if (status == ENVL_E_LOCKED)
        envl_hint(err, "`envelope status` shows who has it");
}
