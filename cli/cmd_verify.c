/* envelope verify: open every envelope of a job in its place. */
#include "command.h"
#include "report.h"
#include "signed.h"
#include "sweep.h"
#include "sweep_report.h"
#include "trail.h"

/* The report for somebody else, which is recorded: a file nobody knows of
   proves little. */
static enum envl_status
write_report(struct cli *cli, struct sweep *sweep, const json_t *report,
             struct envl_error *err)
{
    struct signed_spec spec = {
        .kind = "verification", .body = report, .ring = sweep->session.ring,
        .key = cli->options.value[OPT_SIGN_KEY],
        .path = cli->options.value[OPT_OUTPUT], .settings = &cli->settings,
    };
    static const char *const names[] = { "opened", "failed", "amiss" };
    uint64_t values[3];
    const struct trail_counts counts = { names, values, 3 };
    struct trail trail = TRAIL_INIT;
    enum envl_status status;

    for (size_t i = 0; i < 3; i++)
        values[i] = (uint64_t)json_integer_value(
            json_object_get(report, names[i]));
    status = trail_begin(cli, spec.ring, sweep->job->name, &trail, err);
    if (status == ENVL_OK)
        status = trail_end(&trail, signed_write(&spec, err), &counts, err);
    if (status == ENVL_OK)
        report_hint("`envelope audit check %s` checks it", spec.path);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const char *file = cli->options.value[OPT_OUTPUT];
    struct envl_error lost = { .status = ENVL_OK };
    json_t *report = NULL;
    struct sweep sweep;
    enum envl_status status, written = ENVL_OK;

    if (file == NULL && cli->options.value[OPT_SIGN_KEY] != NULL)
        return envl_fail(err, ENVL_E_USAGE, "--sign-key signs a report: -o "
                         "FILE is missing");
    status = sweep_open(cli, cli->options.operands[0], SWEEP_READS, &sweep,
                        err);
    if (status == ENVL_OK)
        status = sweep_verify(&sweep, &report, err);
    sweep_progress_end(&sweep.progress);
    if (report != NULL && file != NULL)
        written = write_report(cli, &sweep, report, &lost);
    sweep_report_verify(report);
    if (written != ENVL_OK) {
        status = written;
        *err = lost;
    }
    sweep_close(&sweep);
    return status;
}

static const enum option_id options[] = { OPT_WORKERS, OPT_OUTPUT,
                                          OPT_SIGN_KEY, OPT_END };

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
        "4 and a list of what is amiss. Everything is read twice, so that\n"
        "what moves behind the first reading is seen by the second.\n\n"
        "Nothing is written to the database; beside the keyring it is\n"
        "remembered which keys were found, for `key disable` (see `key\n"
        "jobs`). With -o the report goes to a file under a MAC of the\n"
        "keyring and, with --sign-key, a signature (see `audit key`).",
    .examples =
        "envelope verify job.json\n"
        "envelope verify job.json --json\n"
        "envelope verify job.json -o shop.json --sign-key /mnt/audit/sign.key",
};
