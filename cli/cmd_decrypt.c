/* envelope decrypt: what encrypt sealed, byte for byte. */
#include "command.h"
#include "core/utf8.h"
#include "explain.h"
#include "io.h"
#include "outfile.h"
#include "pass.h"
#include "ring_session.h"

/* A terminal obeys control characters: only text goes there. */
static enum envl_status
check_terminal(const struct outfile *out, struct envl_bytes text,
               struct envl_error *err)
{
    enum envl_status status;
    bool plain = true;

    if (!outfile_is_terminal(out))
        return ENVL_OK;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = (text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f) ||
                text.ptr[i] == '\n' || text.ptr[i] == '\t' ||
                text.ptr[i] == '\r';
    if (plain && utf8_valid(text))
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_USAGE,
                       "the value is not text; a terminal cannot show it");
    envl_hint(err, "-o FILE writes it to a file");
    return status;
}

/* Where plaintext goes. */
struct sink {
    struct outfile out;
    bool written;
};

static enum envl_status
take(void *cookie, struct envl_bytes text, struct envl_error *err)
{
    struct sink *sink = cookie;
    enum envl_status status = check_terminal(&sink->out, text, err);

    if (status != ENVL_OK)
        return status;
    sink->written |= text.len > 0;
    return outfile_write(&sink->out, text, err);
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct pass_keys keys = { .open = { .size = sizeof(keys.open) } };
    struct io_source in = { -1, NULL };
    struct sink sink = { OUTFILE_INIT, false };
    struct pass pass = { .take = take, .cookie = &sink };
    struct ring_session session = RING_SESSION_INIT;
    struct context_args context;
    enum envl_status status;

    if ((status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = io_open_source(cli->options.operands[0], &in, err)) !=
            ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK ||
        (status = outfile_open(cli->options.value[OPT_OUTPUT], &sink.out,
                               err)) != ENVL_OK)
        goto out;
    keys.ring = session.ring;
    keys.open.scope = cli->options.value[OPT_SCOPE];
    keys.context = &context.context;
    if ((status = pass_run(&in, &keys, &pass, err)) == ENVL_OK) {
        status = outfile_commit(&sink.out, err);
    } else {
        if (sink.written && sink.out.folder == NULL)
            envl_hint(err, "what was written is authentic, but it is not the "
                           "whole: throw it away");
        explain_open(err);
        explain_name(err, cli->options.operands[0]);
    }
out:
    outfile_free(&sink.out);
    io_close_source(&in);
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = {
    OPT_CONTEXT, OPT_SCOPE, OPT_OUTPUT, OPT_END
};

const struct command cmd_decrypt = {
    .name = "decrypt",
    .run = run,
    .operands = "[FILE]",
    .summary = "open one envelope, in any encoding",
    .options = options,
    .help =
        "Open the envelope in FILE, or on standard input, and write exactly\n"
        "the bytes that were sealed. All three encodings are recognised. One\n"
        "newline after a text or object envelope is accepted.\n\n"
        "Nothing is written before it is authenticated: a value when all of\n"
        "it is, a stream piece by piece (then only exit 0 says that it is\n"
        "whole), and a file given with -o appears only when all of it is.",
    .examples =
        "envelope decrypt --context field=users.token --context id=42 "
        "token.env\n"
        "envelope decrypt -o dump.sql dump.env",
};
