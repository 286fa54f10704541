/* envelope plan: what a sweep would do; nothing is written. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
look(const struct job *job, const struct engine_options *options,
     json_t **report, struct envl_error *err)
{
    return engine_plan(job, options, false, report, err);
}

static enum envl_status
look_ddl(const struct job *job, const struct engine_options *options,
         json_t **report, struct envl_error *err)
{
    return engine_plan(job, options, true, report, err);
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const bool ddl = cli->options.value[OPT_DDL] != NULL;

    return sweep_look(cli, SWEEP_READS, ddl ? look_ddl : look,
                      ddl ? sweep_report_ddl : sweep_report_plan, err);
}

static const enum option_id options[] = { OPT_DDL, OPT_REPORTS,
                                          OPT_END };

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
        "The counts come from a sample where a table is large, and say so.\n"
        "Sizes, growth, log and time are estimates. --reports FOLDER has the\n"
        "reports of those who read: one that reported before the key was\n"
        "made cannot open what is sealed under it.\n\n"
        "--ddl prints the statements for an administrator: the tables that\n"
        "hold the job's state, and the exact GRANTs.",
    .examples =
        "envelope plan job.json\n"
        "envelope plan job.json --reports /srv/envelope/readers\n"
        "envelope plan job.json --ddl | psql \"$ADMIN_DSN\"",
};
