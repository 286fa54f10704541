/* envelope unlock: who and what can open the keyring. */
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "command.h"
#include "rekey.h"
#include "report.h"
#include "ring_change.h"
#include "secrets.h"
#include "settings_providers.h"
#include "table.h"

const struct command cmd_unlock = {
    .name = "unlock",
    .summary = "who and what can open the keyring",
    .help =
        "Each unlock entry opens the keyring on its own: people by a\n"
        "passphrase, machines by a key file or by a Vault, a KMS or another\n"
        "provider that the configuration describes. Changing one touches no\n"
        "key and no sealed value. `envelope help providers` says more.",
};

static enum envl_status
run_list(struct cli *cli, struct envl_error *err)
{
    static const char *const heads[] = { "NAME", "TYPE" };
    struct ring_session session = RING_SESSION_INIT;
    struct envl_unlock_info *entries = NULL;
    struct envl_ring_mark mark;
    enum envl_status status;
    json_t *list, *table;
    size_t count;

    if ((status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    status = envl_keyring_unlocks(session.ring, &entries, &count, err);
    if (status == ENVL_OK) {
        envl_keyring_mark(session.ring, &mark);
        list = json_array();
        table = json_array();
        table_row(table, 2, heads);
        for (size_t i = 0; i < count; i++) {
            json_array_append_new(list, json_pack("{s:s, s:s}", "name",
                                                  entries[i].name, "type",
                                                  entries[i].type));
            table_row(table, 2,
                      (const char *const[]){ entries[i].name,
                                             entries[i].type });
        }
        table_print(table);
        report_json(json_pack("{s:i, s:s, s:I, s:o}", "schema", 1, "keyring",
                              mark.id, "generation",
                              (json_int_t)mark.generation, "unlock", list));
    }
    free(entries);
    ring_session_free(&session);
    return status;
}

const struct command cmd_unlock_list = {
    .name = "unlock list",
    .run = run_list,
    .summary = "list the unlock entries",
    .help = "List the name and type of every unlock entry.",
    .examples = "envelope unlock list",
};

/* What shall open the ring from now on. */
struct newcomer {
    struct envl_provider *provider;
    const char *made; /* a key file that was made for it, or NULL */
};

static enum envl_status
check_newcomer(const struct options *options, struct envl_error *err)
{
    static const enum option_id ways[] = {
        OPT_NEW_KEY_FILE, OPT_NEW_PASSPHRASE_FILE, OPT_NEW_PASSPHRASE_FD,
        OPT_NEW_PROVIDER, OPT_RECOVERY_PUBLIC
    };
    size_t given = 0;
    enum envl_status status;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        given += options->value[ways[i]] != NULL;
    /* With a file or descriptor it says only what kind of secret is there. */
    if (given == 1 && (options->value[OPT_NEW_PASSPHRASE] == NULL ||
                       options->value[OPT_NEW_PASSPHRASE_FILE] != NULL ||
                       options->value[OPT_NEW_PASSPHRASE_FD] != NULL))
        return ENVL_OK;
    if (given == 0 && options->value[OPT_NEW_PASSPHRASE] != NULL)
        return ENVL_OK;
    status = envl_fail(err, ENVL_E_USAGE,
                       "say one thing that shall open the keyring");
    envl_hint(err, "--new-key-file FILE, --new-passphrase, "
                   "--new-passphrase-file FILE, --new-passphrase-fd N or "
                   "--new-provider or --recovery-public ERP1");
    return status;
}

static enum envl_status
make_newcomer(struct cli *cli, struct newcomer *out, struct envl_error *err)
{
    const struct options *options = &cli->options;
    const char *key_file = options->value[OPT_NEW_KEY_FILE];
    struct envl_passphrase_cost cost;
    struct secrets_source source = {
        options->value[OPT_NEW_PASSPHRASE_FILE],
        options->value[OPT_NEW_PASSPHRASE_FD], &cli->settings, &cost
    };
    enum envl_status status;

    if ((status = options_number(options,
                                 (struct number_rule){ OPT_OPSLIMIT, 2, 10,
                                                       3 },
                                 &cost.opslimit, err)) != ENVL_OK ||
        (status = options_number(options,
                                 (struct number_rule){ OPT_MEMLIMIT, 64, 2048,
                                                       256 },
                                 &cost.memlimit, err)) != ENVL_OK)
        return status;
    cost.memlimit *= 1024u * 1024u;
    if (options->value[OPT_NEW_PROVIDER] != NULL)
        return settings_providers_new(&cli->settings, options->operands[0],
                                      &out->provider, err);
    if (options->value[OPT_RECOVERY_PUBLIC] != NULL)
        return envl_recovery_public_provider_new(
            options->value[OPT_RECOVERY_PUBLIC], &out->provider, err);
    if (key_file == NULL)
        return secrets_passphrase(&source, "New passphrase", true,
                                  &out->provider, err);
    if (access(key_file, F_OK) != 0) {
        if ((status = envl_keyfile_create(key_file, err)) != ENVL_OK)
            return status;
        out->made = key_file;
    }
    return secrets_key_file(key_file, &cli->settings, &out->provider, err);
}

/* A ring may be written, and only what comes after it fail: then its new key
   file is needed, perhaps as the only one that opens it. */
static bool
has_moved(struct envl_keyring *ring, const struct envl_ring_mark *was)
{
    struct envl_ring_mark now;

    envl_keyring_mark(ring, &now);
    return now.generation != was->generation;
}

typedef enum envl_status enroll_fn(struct envl_keyring *ring,
                                   const char *name,
                                   struct envl_provider *provider,
                                   struct envl_error *err);

static enum envl_status
enroll(struct cli *cli, enroll_fn *how, const char *done,
       struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    struct newcomer newcomer = { NULL, NULL };
    const char *name = cli->options.operands[0];
    struct envl_ring_mark was = { 0 };
    enum envl_status status;

    if ((status = check_newcomer(&cli->options, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &change.session, err)) != ENVL_OK)
        return status;
    envl_keyring_mark(change.session.ring, &was);
    if ((status = make_newcomer(cli, &newcomer, err)) == ENVL_OK &&
        (status = trail_begin(cli, change.session.ring, name, &change.trail,
                              err)) == ENVL_OK)
        status = ring_change_end(cli, &change,
                                 how(change.session.ring, name,
                                     newcomer.provider, err), err);
    if (status == ENVL_OK)
        report_text("%s %s\n", name, done);
    else if (newcomer.made != NULL && !has_moved(change.session.ring, &was))
        unlink(newcomer.made);
    ring_change_free(&change);
    envl_provider_free(newcomer.provider);
    return status;
}

static enum envl_status
run_add(struct cli *cli, struct envl_error *err)
{
    return enroll(cli, envl_keyring_unlock_add, "opens the keyring, too",
                  err);
}

static enum envl_status
run_change(struct cli *cli, struct envl_error *err)
{
    return enroll(cli, envl_keyring_unlock_change, "has a new secret", err);
}

static const enum option_id enroll_options[] = {
    OPT_NEW_KEY_FILE, OPT_NEW_PASSPHRASE, OPT_NEW_PASSPHRASE_FILE,
    OPT_NEW_PASSPHRASE_FD, OPT_NEW_PROVIDER, OPT_RECOVERY_PUBLIC, OPT_OPSLIMIT,
    OPT_MEMLIMIT, OPT_END
};

const struct command cmd_unlock_add = {
    .name = "unlock add",
    .run = run_add,
    .operands = "NAME",
    .summary = "let something else open the keyring, too",
    .options = enroll_options,
    .help =
        "Add the unlock entry NAME: a key file (made, mode 0600, if it does\n"
        "not exist), a passphrase, the provider that the configuration\n"
        "describes under NAME, or the public half of a recovery key. What\n"
        "opens the keyring now is given as always, by --key-file or\n"
        "--passphrase-file.",
    .examples =
        "envelope unlock add ana --new-passphrase\n"
        "envelope unlock add backup-host --new-key-file /media/usb/host.key\n"
        "envelope unlock add vault --new-provider\n"
        "envelope unlock add safe --recovery-public erp1...",
};

const struct command cmd_unlock_change = {
    .name = "unlock change",
    .run = run_change,
    .operands = "NAME",
    .summary = "give an unlock entry a new secret",
    .options = enroll_options,
    .help =
        "Replace the secret of the unlock entry NAME in one write. Copies of\n"
        "the keyring from before still open with the old one: after a theft\n"
        "use `unlock remove`, and rotate the keys.",
    .examples = "envelope unlock change ana --new-passphrase",
};

static enum envl_status
remove_entry(struct cli *cli, const char *name, struct ring_change *change,
             struct envl_error *err)
{
    enum envl_status status;
    bool accepted;

    if ((status = ring_session_open(cli, &change->session, err)) != ENVL_OK ||
        (status = ring_change_keep_jobs(cli, change, err)) != ENVL_OK ||
        (status = rekey_confirm(cli, change->session.ring, name, name,
                                &accepted, err)) != ENVL_OK ||
        (status = trail_begin(cli, change->session.ring, name, &change->trail,
                              err)) != ENVL_OK)
        return status;
    return ring_change_rekeyed_end(
        cli, change,
        envl_keyring_unlock_remove(change->session.ring, name, accepted, err),
        err);
}

static void
tell_removed(struct envl_keyring *ring, const char *name)
{
    struct envl_ring_mark mark;
    char pin[2 * sizeof(mark.pin) + 1];

    envl_keyring_mark(ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    report_json(json_pack("{s:i, s:s, s:I, s:s, s:s}", "schema", 1, "keyring",
                          mark.id, "generation", (json_int_t)mark.generation,
                          "removed", name, "pin", pin));
}

static enum envl_status
run_remove(struct cli *cli, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    const char *name = cli->options.operands[0];
    enum envl_status status;

    status = remove_entry(cli, name, &change, err);
    if (status == ENVL_OK) {
        report_text("%s no longer opens the keyring\n", name);
        tell_removed(change.session.ring, name);
        report_hint("whoever had that secret may have kept the keys: rotate "
                    "them with `envelope rotate`");
    }
    ring_change_free(&change);
    return status;
}

static const enum option_id remove_options[] = { OPT_YES, OPT_END };

const struct command cmd_unlock_remove = {
    .name = "unlock remove",
    .run = run_remove,
    .operands = "NAME",
    .summary = "let an unlock entry no longer open the keyring",
    .options = remove_options,
    .help =
        "Remove the unlock entry NAME and make a new ring key, so that its\n"
        "secret opens no later copy of the keyring. Other entries whose\n"
        "secret is not at hand are dropped, too; they are listed first. The\n"
        "name is to be typed, or given as --yes=NAME.",
    .examples = "envelope unlock remove ana --yes=ana",
};
