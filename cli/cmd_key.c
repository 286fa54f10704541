/* envelope key: list and add. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "io.h"
#include "key_material.h"
#include "key_report.h"
#include "readers.h"
#include "report.h"
#include "settings_providers.h"
#include "ring_change.h"

const struct command cmd_key = {
    .name = "key",
    .summary = "the keys of the keyring: list, add, change, back up",
    .help =
        "A key is pre-active (opens), then active (opens and seals; one for\n"
        "each use and scope), then decrypt-only, and at last disabled or\n"
        "destroyed. Add a key early, activate it when every reader has it.",
};

static enum envl_status
run_list(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    enum envl_status status;

    if ((status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    status = key_report_list(session.ring, err);
    ring_session_free(&session);
    return status;
}

const struct command cmd_key_list = {
    .name = "key list",
    .run = run_list,
    .summary = "list the keys",
    .help = "List every key with its use, scope, state and dates.",
    .examples = "envelope key list\nenvelope key list --json",
};

/* Prove the provider before the ring names it.  spec: KEY-61 */
static enum envl_status
add_proven(const struct cli *cli, struct envl_keyring *ring,
           const struct envl_key_spec *spec, struct envl_error *err)
{
    struct envl_provider *provider = NULL;
    struct envl_ring_mark mark;
    enum envl_status status = ENVL_OK;

    if (spec->provider != NULL) {
        envl_keyring_mark(ring, &mark);
        status = settings_providers_new(&cli->settings, spec->provider,
                                        &provider, err);
        if (status == ENVL_OK) {
            memcpy(provider->ring_id, mark.id, sizeof(mark.id));
            status = key_material_prove(provider, err);
        }
        envl_provider_free(provider);
    }
    return status == ENVL_OK ? envl_keyring_add(ring, spec, err) : status;
}

static enum envl_status
run_add(struct cli *cli, struct envl_error *err)
{
    const char *const *given = cli->options.value;
    struct ring_change change = RING_CHANGE_INIT;
    struct envl_secret *material = NULL;
    struct envl_key_spec spec = { 0 };
    enum envl_status status;
    int use;

    if ((status = options_choice(&cli->options, OPT_USE, ENVL_USE_SEAL, &use,
                                 err)) != ENVL_OK)
        return status;
    if (given[OPT_KID] == NULL) {
        status = envl_fail(err, ENVL_E_USAGE, "--kid is missing");
        envl_hint(err, "a kid is never used twice; a date in it helps, such "
                       "as --kid k2026-11");
        return status;
    }
    if (given[OPT_IMPORT] != NULL &&
        (status = key_material_read(given[OPT_IMPORT], &material, err)) !=
            ENVL_OK)
        return status;
    spec.kid = given[OPT_KID];
    spec.use = (enum envl_key_use)use;
    spec.scope = given[OPT_SCOPE];
    spec.expires = given[OPT_EXPIRES];
    spec.material = material;
    spec.provider = given[OPT_PROVIDER];
    spec.activate = given[OPT_ACTIVATE] != NULL;
    spec.retain_until = given[OPT_RETAIN_UNTIL];
    if (spec.activate && (status = readers_check_new(cli, err)) != ENVL_OK) {
        envl_secret_free(material);
        return status;
    }
    if ((status = ring_change_begin(cli, spec.kid, &change, err)) == ENVL_OK)
        status = ring_change_end(cli, &change,
                                 add_proven(cli, change.session.ring, &spec,
                                            err), err);
    if (status == ENVL_OK)
        status = key_report_one(change.session.ring, spec.kid, "added", err);
    if (status == ENVL_OK && !spec.activate)
        report_hint("when every reader has this keyring: `envelope key "
                    "activate %s`", spec.kid);
    ring_change_free(&change);
    envl_secret_free(material);
    return status;
}

static const enum option_id add_options[] = {
    OPT_KID, OPT_USE, OPT_SCOPE, OPT_ACTIVATE, OPT_EXPIRES,
    OPT_RETAIN_UNTIL, OPT_IMPORT, OPT_PROVIDER, OPT_END
};

const struct command cmd_key_add = {
    .name = "key add",
    .run = run_add,
    .operands = NULL,
    .summary = "add a key",
    .options = add_options,
    .help =
        "Add a key of 32 random bytes, or of those in a file (--import), or,\n"
        "for --use wrap, a key that never leaves the provider --provider\n"
        "names: a Vault, a KMS or an HSM.\n"
        "It is pre-active, so that readers can have it before anything is\n"
        "sealed under it, or with --activate active at once.",
    .examples =
        "envelope key add --kid k2026-12\n"
        "envelope key add --kid w1 --use wrap --activate\n"
        "envelope key add --kid w2 --use wrap --provider transit --activate\n"
        "envelope key add --kid acme-1 --scope acme --activate",
};
