/* envelope migrate: plaintext becomes envelopes. */
#include <stdio.h>

#include "command.h"
#include "key_age.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
execute(struct cli *cli, const char *path, struct envl_error *err)
{
    json_t *report = NULL;
    struct sweep sweep;
    char resume[192];
    enum envl_status status;

    status = sweep_open(cli, path, SWEEP_WRITES, &sweep, err);
    if (status == ENVL_OK)
        status = key_age_check(cli, sweep.session.ring,
                               &(struct envl_seal_options){
                                   .kid = sweep.job->kid,
                                   .scope = sweep.job->scope },
                               err);
    if (status == ENVL_OK)
        status = sweep_run(cli, path, &sweep, ENGINE_SEAL, &report, err);
    sweep_progress_end(&sweep.progress);
    sweep_report_run(report);
    if (status != ENVL_OK) {
        snprintf(resume, sizeof(resume), "envelope migrate %s --execute",
                 path);
        sweep_explain(status, resume, err);
    }
    sweep_close(&sweep);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    if (cli->options.value[OPT_EXECUTE] == NULL)
        return cmd_plan.run(cli, err);
    return execute(cli, cli->options.operands[0], err);
}

static const enum option_id options[] = {
    OPT_EXECUTE, OPT_METRICS_FILE, OPT_NO_WAIT, OPT_WORKERS, OPT_END
};

const struct command cmd_migrate = {
    .name = "migrate",
    .run = run,
    .operands = "JOB",
    .summary = "sweep: plaintext becomes envelopes, in place",
    .options = options,
    .help =
        "Seal every plaintext value that the job file JOB names, while\n"
        "applications keep writing. Without --execute it is `plan`. It\n"
        "resumes by itself: run the same command again. ^C finishes the\n"
        "batch and stops; ^C twice stops at once, equally safe.\n\n"
        "A job that is paused (`envelope pause`), whose window is closed, or\n"
        "that yields to something else, waits and says so; with --no-wait it\n"
        "ends (exit 14) instead of waiting for `resume` or the window.\n\n"
        "--metrics-file keeps a file for Prometheus (its textfile collector):\n"
        "rows, rate, what is waited for, conflicts, what the guard counted.\n"
        "Its labels are the job name and words of small fixed sets.\n\n"
        "Exit 0: done. 3: some values were quarantined, each with a reason\n"
        "(`envelope status`). 4: plaintext still arrives.",
    .examples =
        "envelope migrate job.json\n"
        "envelope migrate job.json --execute --workers 2\n"
        "envelope migrate job.json --execute --metrics-file "
        "/var/lib/nodes/shop.prom",
};
