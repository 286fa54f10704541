/* envelope guard: plaintext that is written again is counted or refused. */
#include "command.h"
#include "sweep.h"
#include "sweep_report.h"

static enum envl_status
look(const struct job *job, const struct engine_options *options,
     json_t **report, struct envl_error *err)
{
    return engine_guard(job, options, NULL, report, err);
}

static enum envl_status
change(struct cli *cli, struct envl_error *err)
{
    const char *stage = cli->options.operands[1];
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status;

    status = sweep_open(cli, cli->options.operands[0], SWEEP_WRITES, &sweep,
                        err);
    if (status == ENVL_OK)
        status = engine_guard(sweep.job, &sweep.options, stage, &report, err);
    sweep_progress_end(&sweep.progress);
    sweep_report_guard(report);
    sweep_close(&sweep);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    if (cli->options.operand_count == 2)
        return change(cli, err);
    return sweep_look(cli, SWEEP_LOOKS, look, sweep_report_guard, err);
}

const struct command cmd_guard = {
    .name = "guard",
    .run = run,
    .operands = "JOB [STAGE]",
    .summary = "count or refuse plaintext that is written again",
    .options = NULL,
    .help =
        "Have the database itself watch the places that the job file JOB\n"
        "names. STAGE is one of\n\n"
        "  observe   writes of plaintext are counted, and happen\n"
        "  moderate  new plaintext is refused; rows that hold old plaintext\n"
        "            may still be changed elsewhere\n"
        "  strict    and the database vouches that no row holds any: given\n"
        "            only when none does (else exit 4)\n"
        "  off       everything is removed, as if it had never been there\n\n"
        "Without STAGE: what is in force, how many writes of plaintext were\n"
        "counted since when, and what is not covered; exit 4 if somebody\n"
        "changed it. Begin with observe before the sweep, and go to moderate\n"
        "when no application writes plaintext any more.",
    .examples =
        "envelope guard job.json observe\n"
        "envelope guard job.json\n"
        "envelope guard job.json moderate\n"
        "envelope guard job.json strict",
};
