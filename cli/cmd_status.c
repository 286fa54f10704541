/* envelope status: how far a job is, from any host. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "core/clock.h"
#include "report.h"
#include "signals.h"
#include "sweep.h"
#include "sweep_report.h"

#define LOOK_MS 2000
#define STEP_US 100000

/* Done, and nobody at work on it: there is nothing more to see. */
static bool
is_over(const json_t *report)
{
    const char *phase = json_string_value(json_object_get(report, "phase"));

    return phase != NULL && strcmp(phase, "done") == 0 &&
           !json_is_true(json_object_get(report, "running"));
}

/* A new screen on a terminal; else the looks stand one below the other. */
static void
turn_page(bool first)
{
    const char *terminal = getenv("TERM");

    if (report_is_json())
        return;
    if (isatty(STDOUT_FILENO) && terminal != NULL &&
        strcmp(terminal, "dumb") != 0)
        report_text("\033[H\033[2J");
    else if (!first)
        report_text("\n");
}

static bool
wait_for_next(void)
{
    int64_t until = clock_monotonic_ms() + LOOK_MS;

    while (signals_stop == 0 && clock_monotonic_ms() < until)
        clock_sleep_us(STEP_US);
    return signals_stop == 0;
}

static enum envl_status
watch(struct sweep *sweep, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool over = false;

    for (bool first = true; status == ENVL_OK && !over; first = false) {
        json_t *report = NULL;

        status = engine_status(sweep->job, &sweep->options, &report, err);
        over = is_over(report);
        if (report != NULL)
            turn_page(first);
        sweep_report_status(report);
        if (status == ENVL_OK)
            status = report_flush(err);
        if (status == ENVL_OK && !over && !wait_for_next())
            status = envl_fail(err, ENVL_E_INTERRUPTED, "stopped watching; "
                               "the job goes on");
    }
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct sweep sweep;
    enum envl_status status;

    if (cli->options.value[OPT_WATCH] == NULL)
        return sweep_look(cli, SWEEP_LOOKS, engine_status,
                          sweep_report_status, err);
    status = sweep_open(cli, cli->options.operands[0], SWEEP_LOOKS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = watch(&sweep, err);
    sweep_close(&sweep);
    return status;
}

static const enum option_id options[] = { OPT_WATCH, OPT_END };

const struct command cmd_status = {
    .name = "status",
    .run = run,
    .operands = "JOB",
    .summary = "how far a job is, and what is quarantined",
    .options = options,
    .help =
        "Read the state of the job from its database and print it: how far\n"
        "it is and how fast, what it waits for and why, which processes on\n"
        "which hosts are at work, what `envelope set` and `pause` said, and\n"
        "the row ids and reasons of what is quarantined. It takes no part,\n"
        "and runs on any host. --watch looks again every 2 s until the job\n"
        "is done; with --json each look is a line.",
    .examples =
        "envelope status job.json\n"
        "envelope status job.json --watch\n"
        "envelope status job.json --json",
};
