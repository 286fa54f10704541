/* envelope verify: open every envelope of a job in its place. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    return sweep_look(cli, SWEEP_READS, engine_verify, sweep_report_verify,
                      err);
}

static const enum option_id options[] = { OPT_WORKERS, OPT_END };

const struct command cmd_verify = {
    .name = "verify",
    .run = run,
    .operands = "JOB",
    .summary = "open every envelope in its place; the census",
    .options = options,
    .help =
        "Open every value that the job names, in its place, and count them\n"
        "by state and key. Exit 0 only if every value is sealed under an\n"
        "active key and opens (or is absent, null or empty by policy), else\n"
        "4 and a list of what is amiss. Nothing is written.",
    .examples = "envelope verify job.json\nenvelope verify job.json --json",
};
