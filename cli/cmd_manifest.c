/* envelope manifest: sign a file, and verify what was signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/manifest.h>

#include "command.h"
#include "explain.h"
#include "io.h"
#include "outfile.h"
#include "report.h"
#include "ring_session.h"

#define CONTENT_MAX   (64u * 1024u * 1024u)
#define SIGNATURE_MAX 512u

const struct command cmd_manifest = {
    .name = "manifest",
    .summary = "sign a file, and verify what was signed",
    .help =
        "A signature is one line beside a file: HMAC-SHA-512 of its exact\n"
        "bytes under a key of use mac, which it names. It tells holders of\n"
        "the keyring that a list of digests, or a release manifest, is as\n"
        "one of them left it; to others it proves nothing.",
};

static enum envl_status
read_content(const char *path, struct envl_buf *out, struct envl_error *err)
{
    struct io_source in;
    enum envl_status status = io_open_source(path, &in, err);

    if (status != ENVL_OK)
        return status;
    status = io_read_all(&in, CONTENT_MAX, out, err);
    if (status == ENVL_E_LIMIT) {
        envl_fail(err, status, "%s is longer than 64 MiB", in.name);
        envl_hint(err, "sign a list of digests: sha256sum FILE... > "
                  "SHA256SUMS");
    }
    io_close_source(&in);
    return status;
}

static struct envl_manifest_options
manifest_options(const struct options *given)
{
    return (struct envl_manifest_options){
        .size = sizeof(struct envl_manifest_options),
        .kid = given->value[OPT_KID], .scope = given->value[OPT_SCOPE]
    };
}

static enum envl_status
run_sign(struct cli *cli, struct envl_error *err)
{
    const struct envl_manifest_options options =
        manifest_options(&cli->options);
    struct envl_buf content = ENVL_BUF_INIT, line = ENVL_BUF_INIT;
    struct ring_session session = RING_SESSION_INIT;
    struct outfile out = OUTFILE_INIT;
    enum envl_status status;

    if ((status = read_content(cli->options.operands[0], &content, err)) ==
            ENVL_OK &&
        (status = ring_session_open(cli, &session, err)) == ENVL_OK &&
        (status = envl_manifest_sign(session.ring, &options,
                                     envl_buf_view(&content), &line, err)) ==
            ENVL_OK &&
        (status = outfile_open(cli->options.value[OPT_OUTPUT], &out, err)) ==
            ENVL_OK &&
        (status = outfile_write(&out, envl_buf_view(&line), err)) == ENVL_OK)
        status = outfile_commit(&out, err);
    outfile_free(&out);
    ring_session_free(&session);
    envl_buf_free(&content);
    envl_buf_free(&line);
    return status;
}

static const enum option_id sign_options[] = {
    OPT_KID, OPT_SCOPE, OPT_OUTPUT, OPT_END
};

const struct command cmd_manifest_sign = {
    .name = "manifest sign",
    .run = run_sign,
    .operands = "[FILE]",
    .summary = "sign a file of up to 64 MiB",
    .options = sign_options,
    .help =
        "Write the signature of FILE, or of standard input: one line, to\n"
        "standard output or to the file -o. It is made by the active key of\n"
        "use mac, or by --kid. To cover large files sign the list of their\n"
        "digests.",
    .examples =
        "envelope key add --kid m1 --use mac --activate\n"
        "sha256sum *.tar.gz > SHA256SUMS\n"
        "envelope manifest sign -o SHA256SUMS.mac SHA256SUMS",
};

/* The signature is FILE.mac unless it is named. */
static enum envl_status
read_signature(const struct options *given, struct envl_buf *out,
               struct envl_error *err)
{
    const char *named = given->value[OPT_SIGNATURE];
    struct io_source in;
    enum envl_status status;
    char *path = NULL;

    if (named == NULL &&
        asprintf(&path, "%s.mac", given->operands[0]) < 0)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    status = io_open_source(named != NULL ? named : path, &in, err);
    if (status == ENVL_OK) {
        status = io_read_all(&in, SIGNATURE_MAX, out, err);
        if (status == ENVL_E_LIMIT)
            status = envl_fail(err, ENVL_E_NOTENV, "%s is not the signature "
                               "of a manifest", in.name);
        io_close_source(&in);
    } else if (status == ENVL_E_NOTFOUND) {
        envl_hint(err, "--signature FILE names it");
    }
    free(path);
    return status;
}

static enum envl_status
run_verify(struct cli *cli, struct envl_error *err)
{
    const struct envl_manifest_options options =
        manifest_options(&cli->options);
    struct envl_buf content = ENVL_BUF_INIT, line = ENVL_BUF_INIT;
    struct ring_session session = RING_SESSION_INIT;
    const char *file = cli->options.operands[0];
    char kid[ENVL_NAME_SIZE];
    enum envl_status status;

    if ((status = read_content(file, &content, err)) == ENVL_OK &&
        (status = read_signature(&cli->options, &line, err)) == ENVL_OK &&
        (status = ring_session_open(cli, &session, err)) == ENVL_OK)
        status = envl_manifest_verify(session.ring, &options,
                                      envl_buf_view(&content),
                                      envl_buf_view(&line), kid, err);
    if (status == ENVL_OK) {
        report_text("%s: as it was signed, key %s\n", file, kid);
        report_json(json_pack("{s:i, s:b, s:s, s:s}", "schema", 1, "ok", 1,
                              "file", file, "kid", kid));
    } else if (status == ENVL_E_AUTH && session.ring != NULL) {
        envl_hint(err, "the file, its signature or the key is not what it "
                  "was: compare with where they came from");
    }
    ring_session_free(&session);
    envl_buf_free(&content);
    envl_buf_free(&line);
    return status;
}

static const enum option_id verify_options[] = {
    OPT_SIGNATURE, OPT_KID, OPT_SCOPE, OPT_END
};

const struct command cmd_manifest_verify = {
    .name = "manifest verify",
    .run = run_verify,
    .operands = "FILE",
    .summary = "is a file as it was signed?",
    .options = verify_options,
    .help =
        "Compare FILE with its signature in FILE.mac, or in --signature.\n"
        "Exit 0 if it holds; 12 if the file, the signature or the key is\n"
        "another; 13 if the keyring lacks the key or has it disabled; 19 if\n"
        "that is no signature. --kid accepts only that key.",
    .examples =
        "envelope manifest verify SHA256SUMS && sha256sum -c SHA256SUMS",
};
