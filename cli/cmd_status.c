/* envelope status: how far a job is, from any host. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    if ((status = options_operands(&cli->options,
                                   (struct operand_rule){ 1, 1, "JOB" },
                                   err)) != ENVL_OK)
        return status;
    status = sweep_open(cli, cli->options.operands[0], SWEEP_LOOKS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = engine_status(sweep.job, &sweep.options, &report, err);
    sweep_progress_end(&sweep.progress);
    sweep_report_status(report);
    sweep_close(&sweep);
    return status;
}

const struct command cmd_status = {
    .name = "status",
    .run = run,
    .operands = "JOB",
    .summary = "how far a job is, and what is quarantined",
    .options = NULL,
    .help =
        "Read the state of the job from its database and print it, with the\n"
        "row ids and reasons of what is quarantined. It takes no part, and\n"
        "runs on any host.",
    .examples = "envelope status job.json\nenvelope status job.json --json",
};
