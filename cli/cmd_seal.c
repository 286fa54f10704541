/* envelope seal: a stream of values, one JSON line each. */
#include "command.h"
#include "explain.h"
#include "key_age.h"
#include "ring_session.h"
#include "stream.h"
#include "value_options.h"

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct stream stream = { .sealing = true };
    struct ring_session session = RING_SESSION_INIT;
    enum envl_status status;
    size_t len;
    bool typed;

    if ((status = value_options_read(&cli->options, &stream.seal, &typed,
                                     err)) != ENVL_OK)
        return status;
    if (stream.seal.encoding == ENVL_ENCODING_BINARY) {
        status = envl_fail(err, ENVL_E_USAGE,
                           "lines of JSON hold no binary envelopes");
        envl_hint(err, "--encoding text or object");
        return status;
    }
    session.watch = true; /* it may live long: a rotation is noticed */
    if ((status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    /* No key that seals: said once, not in every line. */
    status = envl_sealed_len(session.ring, &stream.seal, 0, &len, err);
    if (status == ENVL_OK)
        status = value_options_check_mode(&cli->options, session.ring, err);
    if (status == ENVL_OK)
        status = key_age_check(cli, session.ring, &stream.seal, err);
    if (status == ENVL_OK) {
        stream.ring = session.ring;
        status = stream_run(&stream, err);
    } else {
        explain_open(err);
    }
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = {
    OPT_ENCODING, OPT_PAD, OPT_KID, OPT_SCOPE, OPT_MODE, OPT_ALLOW_NESTED,
    OPT_END
};

const struct command cmd_seal = {
    .name = "seal",
    .run = run,
    .operands = NULL,
    .summary = "seal a stream of values, one JSON line each",
    .options = options,
    .help =
        "Read lines from standard input and answer each with one line, in\n"
        "order:\n\n"
        "  {\"value\": \"...\", \"context\": {\"field\": \"...\"}, "
        "\"type\": \"text\"}\n"
        "  -> {\"envelope\": \"env1:...\"}\n\n"
        "\"value_b64\" (RFC 4648, padded) stands for bytes. type is text,\n"
        "json, bytes or bson; without it, text or (value_b64) bytes. A line\n"
        "that fails is answered with {\"error\": name, \"code\": n}, and the\n"
        "exit code is 3. Answers are written before more input is awaited.\n"
        "A line is at most 16 MiB.",
    .examples =
        "echo '{\"value\":\"hunter2\",\"context\":{\"id\":\"42\"}}' | "
        "envelope seal\n"
        "envelope seal --encoding object < values.jsonl > sealed.jsonl",
};
