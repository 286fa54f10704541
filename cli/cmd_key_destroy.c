/* envelope key destroy: a key that shall open nothing, ever again. */
#include "command.h"
#include "io.h"
#include "key_report.h"
#include "rekey.h"
#include "report.h"
#include "ring_change.h"

static enum envl_status
destroy(struct cli *cli, const char *kid, struct ring_change *change,
        struct envl_error *err)
{
    struct envl_key_info key;
    bool accepted;
    enum envl_status status;

    if ((status = ring_session_open(cli, &change->session, err)) != ENVL_OK ||
        (status = envl_keyring_find(change->session.ring, kid, &key, err)) !=
            ENVL_OK ||
        (status = ring_change_check_key(cli, change, kid, err)) != ENVL_OK ||
        (status = ring_change_keep_jobs(cli, change, err)) != ENVL_OK ||
        (status = rekey_confirm(cli, change->session.ring, NULL, kid,
                                &accepted, err)) != ENVL_OK ||
        (status = trail_begin(cli, change->session.ring, kid, &change->trail,
                              err)) != ENVL_OK)
        return status;
    return ring_change_rekeyed_end(
        cli, change,
        envl_keyring_destroy(change->session.ring, kid, accepted, err), err);
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    const char *kid = cli->options.operands[0];
    enum envl_status status;

    status = destroy(cli, kid, &change, err);
    if (status == ENVL_OK)
        status = key_report_one(change.session.ring, kid, "destroyed", err);
    if (status == ENVL_OK)
        report_hint("backups of the keyring still hold this key until the "
                    "secrets that open them are gone, too");
    ring_change_free(&change);
    return status;
}

static const enum option_id options[] = { OPT_YES, OPT_END };

const struct command cmd_key_destroy = {
    .name = "key destroy",
    .run = run,
    .operands = "KID",
    .summary = "remove a key for ever",
    .options = options,
    .help =
        "Remove the material of KID from the keyring, under a new ring key.\n"
        "What is sealed under it never opens again. Unlock entries whose\n"
        "secret is not at hand are dropped; they are listed first. The name\n"
        "is to be typed, or given as --yes=KID. It is refused as `key\n"
        "disable` is.",
    .examples =
        "envelope key destroy k2026-11\n"
        "envelope key destroy k2026-11 --yes=k2026-11",
};
