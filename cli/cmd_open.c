/* envelope open: a stream of envelopes, one JSON line each. */
#include "command.h"
#include "ring_session.h"
#include "stream.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct stream stream = { .sealing = false,
                             .open = { .size = sizeof(stream.open) } };
    struct ring_session session = RING_SESSION_INIT;
    enum envl_status status;

    session.watch = true; /* it may live long: a new key is noticed */
    if ((status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    stream.ring = session.ring;
    stream.open.scope = cli->options.value[OPT_SCOPE];
    status = stream_run(&stream, err);
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = { OPT_SCOPE, OPT_END };

const struct command cmd_open = {
    .name = "open",
    .run = run,
    .operands = NULL,
    .summary = "open a stream of envelopes, one JSON line each",
    .options = options,
    .help =
        "Read lines from standard input and answer each with one line, in\n"
        "order:\n\n"
        "  {\"envelope\": \"env1:...\", \"context\": {\"field\": \"...\"}}\n"
        "  -> {\"value\": \"...\", \"type\": \"text\"}\n\n"
        "The envelope is a string (text form) or an object (object form).\n"
        "What is not text comes as \"value_b64\" (RFC 4648, padded). A line\n"
        "that fails is answered with {\"error\": name, \"code\": n}, and the\n"
        "exit code is 3. Answers are written before more input is awaited.\n"
        "A line is at most 16 MiB.",
    .examples =
        "envelope open < sealed.jsonl > values.jsonl",
};
