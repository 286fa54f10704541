/* envelope plan: what a sweep would do; nothing is written. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const bool ddl = cli->options.value[OPT_DDL] != NULL;
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    if ((status = options_operands(&cli->options,
                                   (struct operand_rule){ 1, 1, "JOB" },
                                   err)) != ENVL_OK)
        return status;
    status = sweep_open(cli, cli->options.operands[0], SWEEP_READS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = engine_plan(sweep.job, &sweep.options, ddl, &report, err);
    sweep_progress_end(&sweep.progress);
    sweep_report_plan(report, ddl);
    sweep_close(&sweep);
    return status;
}

static const enum option_id options[] = { OPT_DDL, OPT_END };

const struct command cmd_plan = {
    .name = "plan",
    .run = run,
    .operands = "JOB",
    .summary = "what a sweep would do; writes nothing",
    .options = options,
    .help =
        "Read the job file JOB, connect, look at a sample of the rows, and\n"
        "say what is there, the context that an application must use for\n"
        "each field, side effects, and what must be decided first (exit 4).\n"
        "--ddl prints the statements for an administrator: the tables that\n"
        "hold the job's state, and the exact GRANTs.",
    .examples =
        "envelope plan job.json\n"
        "envelope plan job.json --ddl | psql \"$ADMIN_DSN\"",
};
