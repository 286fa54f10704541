/* envelope generate: a new random secret, sealed at once. */
#include <string.h>

#include <sodium.h>

#include "command.h"
#include "core/random.h"
#include "explain.h"
#include "key_age.h"
#include "outfile.h"
#include "ring_session.h"
#include "value_options.h"

#define BYTES_LEAST  16u
#define BYTES_MOST   4096u
#define PREFIX_MOST  64u

enum form { FORM_BASE64URL, FORM_BASE64, FORM_HEX };

static enum envl_status
check_prefix(const char *prefix, struct envl_error *err)
{
    bool plain = strlen(prefix) <= PREFIX_MOST;

    for (const char *c = prefix; *c != '\0' && plain; c++)
        plain = *c > ' ' && *c < 0x7f;
    return plain ? ENVL_OK
                 : envl_fail(err, ENVL_E_USAGE, "--prefix is at most %u "
                             "characters of ASCII without spaces",
                             PREFIX_MOST);
}

/* ${prefix} and the text of ${random} in ${out}. */
static enum envl_status
spell(const char *prefix, const struct envl_secret *random, enum form form,
      struct envl_buf *out, struct envl_error *err)
{
    const struct envl_bytes bytes = envl_secret_bytes(random);
    const size_t room = 2 * bytes.len + 8;
    const int variant = form == FORM_BASE64
                            ? sodium_base64_VARIANT_ORIGINAL
                            : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    enum envl_status status;
    char *at;

    if ((status = envl_buf_reserve(out, strlen(prefix) + room, err)) !=
            ENVL_OK ||
        (status = envl_buf_append(out, envl_bytes_of(prefix), err)) !=
            ENVL_OK)
        return status;
    at = (char *)out->ptr + out->len;
    if (form == FORM_HEX)
        sodium_bin2hex(at, room, bytes.ptr, bytes.len);
    else
        sodium_bin2base64(at, room, bytes.ptr, bytes.len, variant);
    out->len += strlen(at);
    return ENVL_OK;
}

static enum envl_status
make_secret(const struct options *options, struct envl_buf *out,
            struct envl_error *err)
{
    const char *prefix = options->value[OPT_PREFIX] != NULL
                             ? options->value[OPT_PREFIX] : "";
    struct envl_secret *random = NULL;
    enum envl_status status;
    uint64_t bytes;
    int form;

    if ((status = options_number(options,
                                 (struct number_rule){ OPT_BYTES, BYTES_LEAST,
                                                       BYTES_MOST, 32 },
                                 &bytes, err)) != ENVL_OK ||
        (status = options_choice(options, OPT_FORM, FORM_BASE64URL, &form,
                                 err)) != ENVL_OK ||
        (status = check_prefix(prefix, err)) != ENVL_OK ||
        (status = envl_secret_new((size_t)bytes, &random, err)) != ENVL_OK)
        return status;
    status = random_fill(envl_secret_span(random), err);
    if (status == ENVL_OK)
        status = spell(prefix, random, (enum form)form, out, err);
    envl_secret_free(random);
    return status;
}

static enum envl_status
write_line(const char *path, struct envl_buf *text, bool with_lf,
           struct envl_error *err)
{
    struct outfile out = OUTFILE_INIT;
    enum envl_status status = outfile_open(path, &out, err);

    if (status == ENVL_OK && with_lf)
        status = envl_buf_append(text, envl_bytes_of("\n"), err);
    if (status == ENVL_OK)
        status = outfile_write(&out, envl_buf_view(text), err);
    if (status == ENVL_OK)
        status = outfile_commit(&out, err);
    outfile_free(&out);
    return status;
}

static enum envl_status
seal(struct cli *cli, const struct envl_buf *secret, struct envl_buf *sealed,
     struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    struct envl_seal_options options;
    struct context_args context;
    enum envl_status status;
    bool typed;

    if ((status = value_options_read(&cli->options, &options, &typed, err)) !=
            ENVL_OK ||
        (status = options_context(&cli->options, &context, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    options.type = ENVL_TYPE_TEXT;
    if ((status = value_options_check_mode(&cli->options, session.ring,
                                           err)) == ENVL_OK &&
        (status = key_age_check(cli, session.ring, &options, err)) ==
            ENVL_OK &&
        (status = envl_seal(session.ring, &options, &context.context,
                            envl_buf_view(secret), sealed, err)) == ENVL_OK &&
        options.encoding != ENVL_ENCODING_BINARY)
        status = envl_buf_append(sealed, envl_bytes_of("\n"), err);
    if (status == ENVL_E_NOKEY)
        explain_open(err);
    ring_session_free(&session);
    return status;
}

static enum envl_status
check_way_out(const struct options *options, struct envl_error *err)
{
    static const enum option_id sealing[] = { OPT_CONTEXT, OPT_KID, OPT_SCOPE,
                                              OPT_MODE, OPT_ENCODING,
                                              OPT_PAD, OPT_SHOW };

    if (options->value[OPT_SEAL] == NULL) {
        for (size_t i = 0; i < sizeof(sealing) / sizeof(*sealing); i++)
            if (options->value[sealing[i]] != NULL ||
                options->context_count > 0)
                return envl_fail(err, ENVL_E_USAGE, "--%s is for --seal",
                                 options->context_count > 0
                                     ? "context"
                                     : options_spec(sealing[i])->name);
        return ENVL_OK;
    }
    if (options->value[OPT_SHOW] == NULL ||
        options->value[OPT_OUTPUT] != NULL)
        return ENVL_OK;
    envl_fail(err, ENVL_E_USAGE, "--show writes the secret to standard "
              "output, so the envelope needs a place of its own");
    envl_hint(err, "-o FILE takes the envelope");
    return ENVL_E_USAGE;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const struct options *options = &cli->options;
    struct envl_buf secret = ENVL_BUF_INIT, sealed = ENVL_BUF_INIT;
    const char *path = options->value[OPT_OUTPUT];
    enum envl_status status;

    if ((status = check_way_out(options, err)) != ENVL_OK)
        return status;
    status = make_secret(options, &secret, err);
    if (status == ENVL_OK && options->value[OPT_SEAL] == NULL) {
        status = write_line(path, &secret, true, err);
    } else if (status == ENVL_OK &&
               (status = seal(cli, &secret, &sealed, err)) == ENVL_OK) {
        status = write_line(path, &sealed, false, err);
        if (status == ENVL_OK && options->value[OPT_SHOW] != NULL)
            status = write_line(NULL, &secret, true, err);
    }
    envl_buf_free(&secret);
    envl_buf_free(&sealed);
    return status;
}

static const enum option_id options[] = {
    OPT_BYTES, OPT_PREFIX, OPT_FORM, OPT_SEAL, OPT_SHOW, OPT_CONTEXT,
    OPT_ENCODING, OPT_KID, OPT_SCOPE, OPT_MODE, OPT_PAD, OPT_OUTPUT, OPT_END
};

const struct command cmd_generate = {
    .name = "generate",
    .run = run,
    .summary = "make a new random secret, and seal it at once",
    .options = options,
    .help =
        "Make a secret of --bytes random bytes, spelled in base64url, base64\n"
        "or hex behind --prefix. With --seal only its envelope is written,\n"
        "and nobody has seen the secret; --show writes it to standard output\n"
        "once, the envelope then goes to the file -o. Without --seal the\n"
        "secret itself is the output.",
    .examples =
        "envelope generate --seal --context field=users.token --context id=42\n"
        "envelope generate --bytes 24 --prefix whsec_ --form base64 --seal "
        "--show -o hook.env\n"
        "envelope generate --bytes 32 --form hex",
};
