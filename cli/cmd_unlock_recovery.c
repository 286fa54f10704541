/* envelope unlock recovery-key: both halves of a key for the safe. */
#include <string.h>
#include <unistd.h>

#include <envelope/provider.h>

#include "command.h"
#include "core/atomic_file.h"
#include "io.h"
#include "report.h"

static const struct file_rules key_rules = { FILE_PRIVATE, "recovery key",
                                             NULL, 0 };

/* What the file says besides the words; '#' begins a remark. */
static enum envl_status
make_text(const char *public_text, const struct envl_secret *words,
          struct envl_buf *out, struct envl_error *err)
{
    const struct envl_bytes parts[] = {
        envl_bytes_of("# envelope recovery key, private half: opens the "
                      "keyring alone. Keep it offline.\n# public half: "),
        envl_bytes_of(public_text), envl_bytes_of("\n"),
        envl_secret_bytes(words)
    };
    enum envl_status status = envl_buf_reserve(out, 512, err);

    for (size_t i = 0; status == ENVL_OK && i < 4; i++)
        status = envl_buf_append(out, parts[i], err);
    return status;
}

/* To a person's eyes, to where they say, or into a new file of mode 0600. */
static enum envl_status
give_out(const char *path, const char *public_text,
         const struct envl_secret *words, struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = make_text(public_text, words, &text, err);

    if (status == ENVL_OK && path != NULL && strcmp(path, "-") != 0)
        status = atomic_file_create(path, &key_rules, envl_buf_view(&text),
                                    err);
    else if (status == ENVL_OK)
        status = io_write(STDOUT_FILENO, "standard output",
                          envl_buf_view(&text), err);
    envl_buf_free(&text);
    return status;
}

static enum envl_status
check_way_out(const char *path, struct envl_error *err)
{
    const bool to_file = path != NULL && strcmp(path, "-") != 0;

    if (report_is_json() && !to_file)
        return envl_fail(err, ENVL_E_USAGE, "with --json the private half "
                         "goes to a file: --out FILE");
    if (path != NULL || isatty(STDOUT_FILENO))
        return ENVL_OK;
    envl_fail(err, ENVL_E_USAGE, "standard output is not a terminal: the "
              "private half would be left somewhere");
    envl_hint(err, "--out FILE writes a new file of mode 0600; --out - writes "
              "to standard output all the same, as to a printer");
    return ENVL_E_USAGE;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const char *path = cli->options.value[OPT_OUT];
    struct envl_secret *key = NULL, *words = NULL;
    char public_text[ENVL_RECOVERY_PUBLIC_SIZE];
    const bool to_file = path != NULL && strcmp(path, "-") != 0;
    enum envl_status status;

    if ((status = check_way_out(path, err)) != ENVL_OK)
        return status;
    status = envl_recovery_key_new(&key, public_text, err);
    if (status == ENVL_OK)
        status = envl_recovery_key_words(key, &words, err);
    if (status == ENVL_OK)
        status = give_out(path, public_text, words, err);
    envl_secret_free(words);
    envl_secret_free(key);
    if (status != ENVL_OK)
        return status;
    if (to_file)
        report_text("public   %s\nprivate  %s\n", public_text, path);
    report_json(json_pack("{s:i, s:s, s:s?}", "schema", 1, "public",
                          public_text, "file", path));
    report_hint("carry only the public half to the keyring's machine: "
                "`envelope unlock add safe --recovery-public %s`; keep the "
                "keyring's pin and a backup with the words", public_text);
    return ENVL_OK;
}

static const enum option_id options[] = { OPT_OUT, OPT_END };

const struct command cmd_unlock_recovery = {
    .name = "unlock recovery-key",
    .run = run,
    .summary = "make a recovery key: words for the safe",
    .options = options,
    .needs_nothing = true,
    .help =
        "Make an X25519 key pair and touch no keyring: do it on a machine\n"
        "that is offline. The private half is 18 words with a checksum, on\n"
        "the terminal or in the new file --out; write them on paper. The\n"
        "public half makes the entry: `unlock add --recovery-public`.\n\n"
        "With everything else gone, the words, a copy of the keyring and its\n"
        "pin open it: --recovery-file FILE, or - to type them.",
    .examples =
        "envelope unlock recovery-key\n"
        "envelope unlock recovery-key --out /media/usb/recovery.txt\n"
        "envelope unlock add safe --recovery-public erp1...\n"
        "ENVELOPE_PIN=... envelope key list --recovery-file -",
};
