/* envelope rotate: a new key takes over, and what it should seal is sealed
   again. */
#include <string.h>

#include "command.h"
#include "file_batch.h"
#include "report.h"
#include "ring_change.h"
#include "rotate_job.h"
#include "rotation.h"

static void
tell(const struct rotation *rotation, const struct file_batch *batch,
     struct envl_keyring *ring, bool done)
{
    const bool may = done && batch->count > 0 && rotation->former[0] != '\0';
    struct envl_ring_mark mark;

    envl_keyring_mark(ring, &mark);
    report_json(json_pack(
        "{s:i, s:s, s:o, s:I, s:I, s:I, s:I, s:b}", "schema", 1, "kid",
        rotation->kid, "former",
        rotation->former[0] != '\0' ? json_string(rotation->former)
                                    : json_null(),
        "generation", (json_int_t)mark.generation, "rotated",
        (json_int_t)batch->done, "skipped", (json_int_t)batch->skipped,
        "failed", (json_int_t)batch->failed, "former_may_be_disabled", may));
    report_text("%s: %llu rotated, %llu were under it already, %llu failed\n",
                rotation->kid, (unsigned long long)batch->done,
                (unsigned long long)batch->skipped,
                (unsigned long long)batch->failed);
    if (rotation->former[0] == '\0')
        return;
    if (may)
        report_text("%s may now be disabled, if nothing but these files was "
                    "sealed under it: envelope key disable %s\n",
                    rotation->former, rotation->former);
    else
        report_text("%s must stay: %s\n", rotation->former,
                    done ? "nothing has been sealed again yet"
                         : "something is still sealed under it");
}

static enum envl_status
rotate(struct cli *cli, struct ring_change *change, struct file_batch *batch,
       struct envl_error *err)
{
    static const char *const names[] = { "rotated", "skipped", "failed" };
    struct envl_keyring *ring = change->session.ring;
    struct rotation rotation;
    enum envl_status status;
    uint64_t values[3];

    if ((status = rotation_plan(cli, ring, cli->options.value[OPT_SCOPE],
                                &rotation, err)) != ENVL_OK)
        return status;
    batch->rewrap = rotation.use == ENVL_USE_WRAP;
    batch->options.kid = rotation.kid;
    if ((status = file_batch_check(batch, cli->options.operands,
                                   (size_t)cli->options.operand_count,
                                   err)) != ENVL_OK ||
        (status = trail_begin(cli, ring, rotation.kid, &change->trail,
                              err)) != ENVL_OK)
        return status;
    status = rotation_activate(&rotation, ring, err);
    if (status == ENVL_OK) {
        ring_session_remember(cli, &change->session);
        status = file_batch_write(batch, err);
        tell(&rotation, batch, ring, status == ENVL_OK);
    }
    values[0] = batch->done;
    values[1] = batch->skipped;
    values[2] = batch->failed;
    return trail_end(&change->trail, status,
                     &(struct trail_counts){ names, values, 3 }, err);
}

static enum envl_status
run_files(struct cli *cli, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    struct file_batch batch = {
        .keys = { .open = { .size = sizeof(batch.keys.open) } },
        .options = { .size = sizeof(batch.options) },
    };
    struct context_args context;
    enum envl_status status;

    if ((status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &change.session, err)) != ENVL_OK)
        return status;
    batch.keys.ring = change.session.ring;
    batch.keys.context = &context.context;
    batch.keys.open.scope = cli->options.value[OPT_SCOPE];
    batch.options.scope = cli->options.value[OPT_SCOPE];
    status = rotate(cli, &change, &batch, err);
    file_batch_free(&batch);
    ring_change_free(&change);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    enum envl_status status;

    if (cli->options.value[OPT_JOB] == NULL)
        return run_files(cli, err);
    if (cli->options.operand_count == 0)
        return rotate_job(cli, err);
    status = envl_fail(err, ENVL_E_USAGE, "--job and files exclude each "
                       "other");
    envl_hint(err, "rotate the job first, then run it again with the files");
    return status;
}

static const enum option_id options[] = {
    OPT_KID, OPT_JOB, OPT_EXECUTE, OPT_CONTEXT, OPT_USE, OPT_SCOPE,
    OPT_METRICS_FILE, OPT_NO_WAIT, OPT_WORKERS, OPT_END
};

const struct command cmd_rotate = {
    .name = "rotate",
    .run = run,
    .operands = "[FILE]...",
    .summary = "a new key takes over: seal everything again under it",
    .options = options,
    .help =
        "Make --kid active (made if new; the former key then only opens),\n"
        "seal everything again under it, and say whether the former key may\n"
        "now be disabled. Run it again to finish what was interrupted.\n\n"
        "With --job: every value of the job, and then each is opened in its\n"
        "place. Without --execute it only says what it would do.\n\n"
        "With FILEs: each is replaced atomically, owner and mode kept (other\n"
        "attributes are not). First all of them are opened under --context:\n"
        "if one does not open, nothing is changed. A --kid of use wrap moves\n"
        "only the wrapped key.",
    .examples =
        "envelope rotate --kid k2026-12 --job job.json --execute\n"
        "envelope rotate --kid k2026-12 --context app=shop *.env",
};
