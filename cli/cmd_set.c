/* envelope set: another pace for a job that runs. */
#include "command.h"
#include "order.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    return order_give(cli, cli->options.operand_count > 1 ? ENGINE_SET
                                                          : ENGINE_SHOW, err);
}

const struct command cmd_set = {
    .name = "set",
    .run = run,
    .operands = "JOB [NAME=VALUE]...",
    .summary = "another pace for a job, while it runs",
    .options = NULL,
    .help =
        "Change the pace of a job, on every host that works on it, within a\n"
        "second; it holds until it is set again, also for later runs:\n\n"
        "  target_ms=80         milliseconds that a batch should take\n"
        "  rows=50,2000         the least and the most rows of a batch\n"
        "  workers=4            connections of each process\n"
        "  max_rows_per_s=1000  of each process; 0: as fast as it goes\n\n"
        "NAME= without a value goes back to what the job file says. Without\n"
        "NAME=VALUE what is set is shown. To change anything the job's\n"
        "keyring is needed.",
    .examples =
        "envelope set job.json target_ms=80 workers=1\n"
        "envelope set job.json max_rows_per_s=\n"
        "envelope set job.json",
};
