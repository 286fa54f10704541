/* envelope rewrap: wrapped-mode envelopes to another wrapping key. */
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "explain.h"
#include "file_batch.h"
#include "io.h"
#include "report.h"
#include "ring_session.h"
#include "rotate_job.h"
#include "trail.h"
#include "value_options.h"

/* The key to move to must wrap; without --kid it is the active one. */
static enum envl_status
choose_key(struct envl_keyring *ring, const struct envl_seal_options *options,
           struct envl_key_info *out, struct envl_error *err)
{
    enum envl_status status;

    if (options->kid == NULL)
        return envl_keyring_active(ring, ENVL_USE_WRAP, options->scope, out,
                                   err);
    if ((status = envl_keyring_find(ring, options->kid, out, err)) != ENVL_OK)
        return status;
    if (out->use == ENVL_USE_WRAP)
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_POLICY, "key %s is of use %s, not wrap",
                       out->kid, envl_key_use_name(out->use));
    envl_hint(err, "`envelope key add --kid KID --use wrap --activate` makes "
                   "a wrapping key");
    return status;
}

/* One envelope from standard input to standard output. */
static enum envl_status
rewrap_stdin(const struct pass_keys *keys,
             const struct envl_seal_options *options, struct envl_error *err)
{
    const struct io_source in = { STDIN_FILENO, "standard input" };
    struct envl_buf old = ENVL_BUF_INIT, new = ENVL_BUF_INIT;
    struct envl_bytes envelope;
    enum envl_status status;
    bool lf;

    status = io_read_all(&in, OBJECT_ENVELOPE_MAX, &old, err);
    envelope = envl_buf_view(&old);
    lf = envelope.len > 0 && envelope.ptr[0] != 0x9e &&
         envelope.ptr[envelope.len - 1] == '\n';
    envelope.len -= lf;
    if (status == ENVL_OK &&
        (status = envl_rewrap(keys->ring, options, keys->context, envelope,
                              &new, err)) == ENVL_OK &&
        (!lf || (status = envl_buf_append(&new, envl_bytes_of("\n"), err)) ==
                    ENVL_OK))
        status = io_write(STDOUT_FILENO, "standard output",
                          envl_buf_view(&new), err);
    explain_open(err);
    envl_buf_free(&old);
    envl_buf_free(&new);
    return status;
}

static enum envl_status
rewrap_files(struct cli *cli, struct file_batch *batch,
             struct envl_error *err)
{
    static const char *const names[] = { "rewrapped", "skipped", "failed" };
    struct trail trail = TRAIL_INIT;
    enum envl_status status;
    uint64_t values[3];

    if ((status = file_batch_check(batch, cli->options.operands,
                                   (size_t)cli->options.operand_count,
                                   err)) != ENVL_OK ||
        (status = trail_begin(cli, batch->keys.ring, batch->options.kid,
                              &trail, err)) != ENVL_OK)
        return status;
    status = file_batch_write(batch, err);
    values[0] = batch->done;
    values[1] = batch->skipped;
    values[2] = batch->failed;
    status = trail_end(&trail, status,
                       &(struct trail_counts){ names, values, 3 }, err);
    report_text("%llu rewrapped to %s, %llu were already, %llu failed\n",
                (unsigned long long)values[0], batch->options.kid,
                (unsigned long long)values[1], (unsigned long long)values[2]);
    report_json(json_pack("{s:i, s:s, s:I, s:I, s:I}", "schema", 1, "kid",
                          batch->options.kid, "rewrapped",
                          (json_int_t)values[0], "skipped",
                          (json_int_t)values[1], "failed",
                          (json_int_t)values[2]));
    return status;
}

static enum envl_status
run_files(struct cli *cli, struct envl_error *err)
{
    struct file_batch batch = {
        .rewrap = true,
        .keys = { .open = { .size = sizeof(batch.keys.open) } },
        .options = { .size = sizeof(batch.options) },
    };
    struct ring_session session = RING_SESSION_INIT;
    struct context_args context;
    struct envl_key_info key;
    enum envl_status status;

    if ((status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    batch.keys.ring = session.ring;
    batch.keys.context = &context.context;
    batch.keys.open.scope = cli->options.value[OPT_SCOPE];
    batch.options.scope = cli->options.value[OPT_SCOPE];
    batch.options.kid = cli->options.value[OPT_KID];
    batch.options.mode = ENVL_MODE_WRAPPED;
    if ((status = choose_key(session.ring, &batch.options, &key, err)) ==
        ENVL_OK) {
        batch.options.kid = key.kid;
        status = cli->options.operand_count == 0
                     ? rewrap_stdin(&batch.keys, &batch.options, err)
                     : rewrap_files(cli, &batch, err);
    }
    file_batch_free(&batch);
    ring_session_free(&session);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    if (cli->options.value[OPT_JOB] == NULL)
        return run_files(cli, err);
    if (cli->options.operand_count == 0)
        return rotate_job_rewrap(cli, err);
    return envl_fail(err, ENVL_E_USAGE, "--job and files exclude each other");
}

static const enum option_id options[] = {
    OPT_CONTEXT, OPT_KID, OPT_SCOPE, OPT_JOB, OPT_EXECUTE, OPT_WORKERS,
    OPT_END
};

const struct command cmd_rewrap = {
    .name = "rewrap",
    .run = run,
    .operands = "[FILE]...",
    .summary = "move wrapped-mode envelopes to another wrapping key",
    .options = options,
    .help =
        "Unwrap the value key of each envelope, check it under --context,\n"
        "wrap it under --kid (or the active wrapping key), and leave the\n"
        "payload as it is. FILEs are replaced atomically, after all of them\n"
        "have been opened; without any, standard input goes to standard\n"
        "output; with --job (and --execute) every value of the job is moved.\n"
        "It answers an old wrapping key, not a leaked data key or\n"
        "value: for those, `envelope rotate`.",
    .examples =
        "envelope rewrap --context field=users.token token.env\n"
        "envelope rewrap --kid w2 < old.env > new.env",
};
