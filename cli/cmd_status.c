/* envelope status: how far a job is, from any host. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    return sweep_look(cli, SWEEP_LOOKS, engine_status, sweep_report_status,
                      err);
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
