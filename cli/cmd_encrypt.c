/* envelope encrypt: one value, or a file of any size. */
#include <string.h>
#include <unistd.h>

#include <envelope/stream.h>

#include "command.h"
#include "core/utf8.h"
#include "explain.h"
#include "io.h"
#include "key_age.h"
#include "outfile.h"
#include "ring_session.h"
#include "value_options.h"

/* One run, so that its steps need few arguments. */
struct job {
    struct io_source in;
    struct outfile out;
    struct envl_keyring *ring;
    struct envl_seal_options seal;
    bool typed;
    const struct envl_context *context;
    struct envl_buf text;   /* plaintext                    */
    struct envl_buf sealed; /* what is ready to be written  */
};

static enum envl_status
write_sealed(struct job *job, struct envl_error *err)
{
    enum envl_status status =
        outfile_write(&job->out, envl_buf_view(&job->sealed), err);

    job->sealed.len = 0; /* an envelope is no secret: not wiped */
    return status;
}

/* Text and object forms are lines. */
static enum envl_status
end_line(struct job *job, struct envl_error *err)
{
    if (job->seal.encoding == ENVL_ENCODING_BINARY)
        return ENVL_OK;
    return envl_buf_append(&job->sealed, envl_bytes_of("\n"), err);
}

static enum envl_status
seal_value(struct job *job, struct envl_error *err)
{
    struct envl_bytes value = envl_buf_view(&job->text);
    enum envl_status status;

    if (!job->typed && value.len <= VALUE_MAX)
        job->seal.type = utf8_valid(value) ? ENVL_TYPE_TEXT : ENVL_TYPE_BYTES;
    if ((status = envl_seal(job->ring, &job->seal, job->context, value,
                            &job->sealed, err)) != ENVL_OK ||
        (status = end_line(job, err)) != ENVL_OK)
        return status;
    return write_sealed(job, err);
}

/* The object form is one JSON text, which is made whole. */
static enum envl_status
seal_object(struct job *job, struct envl_error *err)
{
    enum envl_status status;

    status = io_read_all(&job->in, OBJECT_VALUE_MAX, &job->text, err);
    if (status == ENVL_E_LIMIT) {
        status = envl_fail(err, ENVL_E_LIMIT, "%s is longer than 64 MiB, too "
                           "long for the object encoding", job->in.name);
        envl_hint(err, "--encoding text or binary takes any size");
    }
    return status == ENVL_OK ? seal_value(job, err) : status;
}

static enum envl_status
seal_pieces(struct job *job, struct envl_sealer *sealer,
            struct envl_error *err)
{
    struct envl_span room = { job->text.ptr, job->text.len };
    enum envl_status status;

    do {
        status = envl_sealer_update(
            sealer, (struct envl_bytes){ room.ptr, room.len }, &job->sealed,
            err);
        if (status != ENVL_OK ||
            (status = write_sealed(job, err)) != ENVL_OK)
            return status;
        room.len = IO_PIECE;
        if ((status = io_read(&job->in, &room, err)) != ENVL_OK)
            return status;
    } while (room.len > 0);
    if ((status = envl_sealer_finish(sealer, &job->sealed, err)) != ENVL_OK ||
        (status = end_line(job, err)) != ENVL_OK)
        return status;
    return write_sealed(job, err);
}

static enum envl_status
seal_stream(struct job *job, struct envl_error *err)
{
    struct envl_sealer *sealer = NULL;
    enum envl_status status;

    if (job->seal.pad > 0) {
        status = envl_fail(err, ENVL_E_USAGE, "%s is longer than 1 MiB, which "
                           "is sealed without padding", job->in.name);
        envl_hint(err, "leave --pad out");
        return status;
    }
    if (job->seal.encoding == ENVL_ENCODING_OBJECT)
        return seal_object(job, err);
    if ((status = envl_sealer_new(job->ring, &job->seal, job->context,
                                  &sealer, err)) == ENVL_OK)
        status = seal_pieces(job, sealer, err);
    envl_sealer_free(sealer);
    return status;
}

/* A person types one line, which is not shown. */
static enum envl_status
ask_value(struct job *job, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status;

    status = io_secret_from_prompt("Value to seal (not shown)", false,
                                   &secret, err);
    if (status == ENVL_OK)
        status = envl_buf_append(&job->text, envl_secret_bytes(secret), err);
    envl_secret_free(secret);
    return status;
}

static enum envl_status
encrypt(struct job *job, struct envl_error *err)
{
    enum envl_status status;

    if (job->in.fd == STDIN_FILENO && isatty(STDIN_FILENO)) {
        status = ask_value(job, err);
        return status == ENVL_OK ? seal_value(job, err) : status;
    }
    /* One byte more than a value tells a value from a stream. */
    if ((status = io_read_upto(&job->in, VALUE_MAX + 1, &job->text, err)) !=
        ENVL_OK)
        return status;
    return job->text.len <= VALUE_MAX ? seal_value(job, err)
                                      : seal_stream(job, err);
}

static enum envl_status
check_terminal(const struct job *job, struct envl_error *err)
{
    enum envl_status status;

    if (job->seal.encoding != ENVL_ENCODING_BINARY ||
        !outfile_is_terminal(&job->out))
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_USAGE,
                       "a binary envelope is not written to a terminal");
    envl_hint(err, "-o FILE writes it to a file, --encoding text shows it");
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct job job = { .in = { -1, NULL }, .out = OUTFILE_INIT,
                       .text = ENVL_BUF_INIT, .sealed = ENVL_BUF_INIT };
    struct ring_session session = RING_SESSION_INIT;
    struct context_args context;
    enum envl_status status;

    if ((status = value_options_read(&cli->options, &job.seal, &job.typed,
                                     err)) != ENVL_OK ||
        (status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = io_open_source(cli->options.operands[0], &job.in, err)) !=
            ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK ||
        (status = value_options_check_mode(&cli->options, session.ring,
                                           err)) != ENVL_OK ||
        (status = key_age_check(cli, session.ring, &job.seal, err)) !=
            ENVL_OK ||
        (status = outfile_open(cli->options.value[OPT_OUTPUT], &job.out,
                               err)) != ENVL_OK ||
        (status = check_terminal(&job, err)) != ENVL_OK)
        goto out;
    job.ring = session.ring;
    job.context = &context.context;
    if ((status = encrypt(&job, err)) == ENVL_OK)
        status = outfile_commit(&job.out, err);
    if (status == ENVL_E_NOKEY)
        explain_open(err);
out:
    outfile_free(&job.out);
    io_close_source(&job.in);
    envl_buf_free(&job.text);
    envl_buf_free(&job.sealed);
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = {
    OPT_CONTEXT, OPT_ENCODING, OPT_TYPE, OPT_PAD, OPT_KID, OPT_SCOPE,
    OPT_MODE, OPT_ALLOW_NESTED, OPT_OUTPUT, OPT_END
};

const struct command cmd_encrypt = {
    .name = "encrypt",
    .run = run,
    .operands = "[FILE]",
    .summary = "seal one value, or a file of any size",
    .options = options,
    .help =
        "Seal FILE, or standard input, into one envelope that opens only\n"
        "under this keyring and with the same --context.\n\n"
        "Up to 1 MiB it is a value: of type text if it is UTF-8, else bytes,\n"
        "and padded so that its length does not show. Longer input is a\n"
        "stream of bytes in bounded memory. Text and object forms end in a\n"
        "newline. What is an envelope already is refused.",
    .examples =
        "envelope encrypt --context field=users.token --context id=42 < token\n"
        "envelope encrypt --encoding binary -o dump.env dump.sql\n"
        "envelope encrypt --type json --encoding object config.json",
};
