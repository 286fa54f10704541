/* envelope verify: open every envelope of a job in its place. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    status = sweep_open(cli, cli->options.operands[0], SWEEP_READS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = sweep_verify(&sweep, &report, err);
    sweep_progress_end(&sweep.progress);
    sweep_report_verify(report);
    sweep_close(&sweep);
    return status;
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
        "4 and a list of what is amiss. Nothing is written to the database;\n"
        "beside the keyring it is remembered which keys were found, for\n"
        "`key disable` (see `key jobs`).",
    .examples = "envelope verify job.json\nenvelope verify job.json --json",
};
