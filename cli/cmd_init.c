/* envelope init: a keyring, what opens it, and a first key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "command.h"
#include "folders.h"
#include "report.h"
#include "secrets.h"
#include "settings_providers.h"
#include "ring_session.h"
#include "trail.h"

/* What is being made. */
struct plan {
    const char *ring;
    const char *key_file; /* NULL: something else opens it */
    const char *provider; /* NULL: key file or passphrase  */
    const char *entry;
    const char *kid;
    char default_kid[16];
    bool made_key_file;
};

static enum envl_status
make_plan(struct cli *cli, struct plan *plan, struct envl_error *err)
{
    const struct options *o = &cli->options;
    const bool secret_given = o->value[OPT_PASSPHRASE] != NULL ||
                              o->value[OPT_PASSPHRASE_FILE] != NULL ||
                              o->value[OPT_PASSPHRASE_FD] != NULL;
    time_t now = time(NULL);
    struct tm date;

    plan->provider = o->value[OPT_PROVIDER];
    if ((o->value[OPT_KEY_FILE] != NULL) + secret_given +
            (plan->provider != NULL) > 1)
        return envl_fail(err, ENVL_E_USAGE, "--key-file, a passphrase and "
                         "--provider exclude each other; `unlock add` adds "
                         "the second");
    if (plan->provider != NULL && o->value[OPT_NAME] != NULL)
        return envl_fail(err, ENVL_E_USAGE, "the unlock entry of a provider "
                         "has the provider's name: --name is not taken");
    plan->ring = settings_get(&cli->settings, SETTING_KEYRING);
    plan->key_file = secret_given || plan->provider != NULL
                         ? NULL : settings_get(&cli->settings,
                                               SETTING_KEY_FILE);
    plan->entry = plan->provider != NULL ? plan->provider
                  : o->value[OPT_NAME] != NULL ? o->value[OPT_NAME] : "main";
    gmtime_r(&now, &date);
    strftime(plan->default_kid, sizeof(plan->default_kid), "k%Y-%m", &date);
    plan->kid = o->value[OPT_KID] != NULL ? o->value[OPT_KID]
                                          : plan->default_kid;
    return ENVL_OK;
}

static enum envl_status
make_folders(struct cli *cli, const struct plan *plan, struct envl_error *err)
{
    /* Folders that the user named are his business: they must exist. */
    if (cli->settings.item[SETTING_KEYRING].chosen)
        return ENVL_OK;
    return folders_make_for(plan->ring, err);
}

static enum envl_status
make_provider(struct cli *cli, struct plan *plan, struct envl_provider **out,
              struct envl_error *err)
{
    const struct secrets_source source = {
        cli->options.value[OPT_PASSPHRASE_FILE] != NULL
            ? cli->options.value[OPT_PASSPHRASE_FILE]
            : settings_get(&cli->settings, SETTING_PASSPHRASE_FILE),
        cli->options.value[OPT_PASSPHRASE_FD], &cli->settings, NULL
    };
    enum envl_status status;

    if (plan->provider != NULL)
        return settings_providers_new(&cli->settings, plan->provider, out,
                                      err);
    if (plan->key_file == NULL)
        return secrets_passphrase(&source, "Passphrase for the new keyring",
                                  true, out, err);
    if (access(plan->key_file, F_OK) != 0) {
        if ((status = envl_keyfile_create(plan->key_file, err)) != ENVL_OK)
            return status;
        plan->made_key_file = true;
    }
    return secrets_key_file(plan->key_file, &cli->settings, out, err);
}

/* Make the ring and open it, as proof, with what will open it later. */
static enum envl_status
make_ring(struct cli *cli, struct plan *plan, struct ring_session *session,
          struct envl_error *err)
{
    const struct envl_key_spec first = {
        .kid = plan->kid, .use = ENVL_USE_SEAL, .activate = true
    };
    struct envl_ring_mark mark;
    enum envl_status status;

    status = make_provider(cli, plan, &session->providers[0], err);
    if (status == ENVL_OK) {
        session->provider_count = 1;
        status = envl_keyring_create_marked(plan->ring,
                                            session->providers[0],
                                            plan->entry, &first, &mark, err);
    }
    /*
     * A key file that opens nothing would only be a riddle; if there is a
     * ring, another's that began as we did or ours, it may open that.
     */
    if (status != ENVL_OK && plan->made_key_file &&
        access(plan->ring, F_OK) != 0)
        unlink(plan->key_file);
    if (status != ENVL_OK)
        return status;
    return ring_session_open_new(cli, plan->ring, &mark, session, err);
}

static void
tell(const struct plan *plan, const struct ring_session *session)
{
    struct envl_ring_mark mark;
    char pin[33];

    envl_keyring_mark(session->ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    report_json(json_pack(
        "{s:i, s:s, s:s, s:I, s:s, s:s, s:s?}", "schema", 1, "keyring",
        mark.id, "path", plan->ring, "generation",
        (json_int_t)mark.generation, "kid", plan->kid, "pin", pin, "key_file",
        plan->key_file));
    report_text("keyring  %s\n", plan->ring);
    report_text("id       %s\n", mark.id);
    report_text("pin      %s\n", pin);
    report_text("key      %s  active\n", plan->kid);
    if (plan->key_file != NULL)
        report_text("unlock   %s  key file %s%s\n", plan->entry,
                    plan->key_file, plan->made_key_file ? ", new" : "");
    else
        report_text("unlock   %s  %s\n", plan->entry,
                    plan->provider != NULL ? "provider" : "passphrase");
}

static void
advise(const struct plan *plan)
{
    const char *slash = strrchr(plan->ring, '/');
    size_t folder = slash != NULL ? (size_t)(slash - plan->ring) : 0;

    if (plan->key_file != NULL && folder > 0 &&
        strncmp(plan->ring, plan->key_file, folder) == 0 &&
        strchr(plan->key_file + folder + 1, '/') == NULL)
        report_warning("the key file lies beside the keyring: that protects "
                       "copies of the keyring, not this machine");
    report_hint("back it up now: `envelope key backup --out FILE`%s",
                plan->key_file != NULL
                    ? ", and keep a copy of the key file somewhere else; "
                      "without both, what is sealed is lost"
                : plan->provider != NULL
                    ? "; and add a second way in for the day the provider is "
                      "gone: `envelope unlock add`"
                    : "; without it or the passphrase, what is sealed is "
                      "lost");
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    struct trail trail = TRAIL_INIT;
    struct plan plan = { 0 };
    enum envl_status status;

    if ((status = make_plan(cli, &plan, err)) != ENVL_OK)
        return status;
    if (access(plan.ring, F_OK) == 0) {
        status = envl_fail(err, ENVL_E_POLICY, "there is a keyring already: "
                           "%s", plan.ring);
        envl_hint(err, "`envelope key add` adds a key to it; --keyring makes "
                       "another");
        return status;
    }
    if ((status = make_folders(cli, &plan, err)) != ENVL_OK ||
        (status = trail_begin(cli, NULL, plan.ring, &trail, err)) != ENVL_OK)
        return status;
    status = make_ring(cli, &plan, &session, err);
    if (status == ENVL_OK)
        status = trail_rekeyed(&trail, session.ring, err);
    status = trail_end(&trail, status, NULL, err);
    if (status == ENVL_OK) {
        ring_session_remember(cli, &session);
        tell(&plan, &session);
        advise(&plan);
    }
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = {
    OPT_KID, OPT_NAME, OPT_PASSPHRASE, OPT_PROVIDER, OPT_END
};

const struct command cmd_init = {
    .name = "init",
    .run = run,
    .operands = NULL,
    .summary = "make a keyring and its first key",
    .options = options,
    .help =
        "Make a keyring with one active key. A key file opens it (made, mode\n"
        "0600, if it does not exist), or a passphrase, or a Vault, a KMS or\n"
        "another provider that the configuration describes (--provider): then\n"
        "note the pin, which other machines need. Nothing is ever\n"
        "overwritten. Say --keyring and --key-file to choose the places.",
    .examples =
        "envelope init\n"
        "envelope init --kid k2026-11 --key-file /media/usb/shop.key\n"
        "envelope init --passphrase\n"
        "envelope init --provider vault\n"
        "envelope init --passphrase-fd 3 3< passphrase.txt",
};
