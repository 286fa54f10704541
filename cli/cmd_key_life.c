/* envelope key activate, retire, disable, enable: a key's moves. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "key_report.h"
#include "readers.h"
#include "report.h"
#include "ring_change.h"

#define REASON_MOST 200u /* bytes */

/* --retain-until, in a write of its own, before anything else. */
static enum envl_status
retain(struct cli *cli, struct envl_keyring *ring, const char *kid,
       struct envl_error *err)
{
    const char *date = cli->options.value[OPT_RETAIN_UNTIL];

    return date == NULL ? ENVL_OK
                        : envl_keyring_retain(ring, kid, date, err);
}

/* In an incident values may have to stop opening while jobs still need them;
   that is said twice. */
static enum envl_status
check_jobs(struct cli *cli, struct ring_change *change, const char *kid,
           struct envl_error *err)
{
    const char *yes = cli->options.value[OPT_YES];
    enum envl_status status = ring_change_check_key(cli, change, kid, err);

    if (status != ENVL_E_POLICY ||
        cli->options.value[OPT_INCIDENT] == NULL || yes == NULL)
        return status;
    if (strcmp(yes, kid) != 0)
        return envl_fail(err, ENVL_E_POLICY, "--yes=%s does not name %s", yes,
                         kid);
    report_warning("a job still needs %s: what is sealed under it does not "
                   "open until it is enabled", kid);
    return ENVL_OK;
}

static enum envl_status
change_state(struct cli *cli, struct ring_change *change, const char *kid,
             enum envl_key_state state, struct envl_error *err)
{
    enum envl_status status = retain(cli, change->session.ring, kid, err);

    if (status == ENVL_OK && state == ENVL_KEY_DISABLED)
        status = check_jobs(cli, change, kid, err);
    return status == ENVL_OK
               ? envl_keyring_set_state(change->session.ring, kid, state, err)
               : status;
}

/* ---- why: recorded before it happens ------------------------------------ */

static enum envl_status
check_reason(const char *text, const char *option, struct envl_error *err)
{
    if (text == NULL)
        return ENVL_OK;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return envl_fail(err, ENVL_E_USAGE, "--%s is one line of text",
                             option);
    if (*text == '\0' || strlen(text) > REASON_MOST)
        return envl_fail(err, ENVL_E_USAGE, "--%s is 1 to %u bytes long",
                         option, REASON_MOST);
    return ENVL_OK;
}

static enum envl_status
record_reason(struct cli *cli, struct envl_keyring *ring, const char *kid,
              struct envl_error *err)
{
    const char *reason = cli->options.value[OPT_REASON];
    const char *incident = cli->options.value[OPT_INCIDENT];
    char object[2 * REASON_MOST + 80];
    struct trail trail = TRAIL_INIT;
    enum envl_status status;

    if ((status = check_reason(reason, "reason", err)) != ENVL_OK ||
        (status = check_reason(incident, "incident", err)) != ENVL_OK ||
        (reason == NULL && incident == NULL))
        return status;
    snprintf(object, sizeof(object), "%.63s%s%s%s%s", kid,
             incident != NULL ? ", incident " : "",
             incident != NULL ? incident : "", reason != NULL ? ": " : "",
             reason != NULL ? reason : "");
    status = trail_begin_as(cli, ring, "key disable, reason", object, &trail,
                            err);
    return status == ENVL_OK ? trail_end(&trail, ENVL_OK, NULL, err) : status;
}

/* What is to do now that the key opens nothing any more. */
static void
advise_incident(const struct cli *cli)
{
    if (cli->options.value[OPT_INCIDENT] != NULL)
        report_hint("values under it do not open: enable it on one machine, "
                    "`envelope rotate --kid NEW --job JOB --execute`, reissue "
                    "the secrets themselves, and disable it again");
}

/* ---- one move ----------------------------------------------------------- */

typedef enum envl_status before_fn(struct cli *cli, struct envl_keyring *ring,
                                   const char *kid, struct envl_error *err);

static enum envl_status
move(struct cli *cli, enum envl_key_state state, before_fn *before,
     const char *done, struct envl_error *err)
{
    struct ring_change change = RING_CHANGE_INIT;
    const char *kid = cli->options.operands[0];
    enum envl_status status;

    if ((status = ring_session_open(cli, &change.session, err)) == ENVL_OK &&
        before != NULL)
        status = before(cli, change.session.ring, kid, err);
    if (status == ENVL_OK &&
        (status = trail_begin(cli, change.session.ring, kid, &change.trail,
                              err)) == ENVL_OK)
        status = ring_change_end(cli, &change,
                                 change_state(cli, &change, kid, state, err),
                                 err);
    if (status == ENVL_OK)
        status = key_report_one(change.session.ring, kid, done, err);
    ring_change_free(&change);
    return status;
}

static enum envl_status
have_readers(struct cli *cli, struct envl_keyring *ring, const char *kid,
             struct envl_error *err)
{
    struct envl_key_info key;
    enum envl_status status = envl_keyring_find(ring, kid, &key, err);

    return status == ENVL_OK ? readers_check(cli, ring, err) : status;
}

static enum envl_status
run_activate(struct cli *cli, struct envl_error *err)
{
    return move(cli, ENVL_KEY_ACTIVE, have_readers, "activated", err);
}

static enum envl_status
run_retire(struct cli *cli, struct envl_error *err)
{
    return move(cli, ENVL_KEY_DECRYPT_ONLY, NULL, "retired", err);
}

static enum envl_status
run_disable(struct cli *cli, struct envl_error *err)
{
    enum envl_status status = move(cli, ENVL_KEY_DISABLED, record_reason,
                                   "disabled", err);

    if (status == ENVL_OK)
        advise_incident(cli);
    return status;
}

static enum envl_status
run_enable(struct cli *cli, struct envl_error *err)
{
    return move(cli, ENVL_KEY_DECRYPT_ONLY, NULL, "enabled", err);
}

static const enum option_id activate_options[] = {
    OPT_READERS, OPT_REPORTS, OPT_WITHIN, OPT_END
};

const struct command cmd_key_activate = {
    .name = "key activate",
    .run = run_activate,
    .operands = "KID",
    .summary = "make a key the one that seals",
    .options = activate_options,
    .help =
        "Make KID active. The former active key of its use and scope becomes\n"
        "decrypt-only in the same write. Readers must have the keyring\n"
        "first: --readers N refuses (exit 14) unless N of them have lately\n"
        "reported its generation to the folder --reports (`key report`). The\n"
        "settings readers, reports and readers_hours make that the rule.",
    .examples =
        "envelope key activate k2026-12\n"
        "envelope key activate k2026-12 --readers 3 --reports /srv/reports",
};

static const enum option_id retire_options[] = { OPT_RETAIN_UNTIL, OPT_END };

const struct command cmd_key_retire = {
    .name = "key retire",
    .run = run_retire,
    .operands = "KID",
    .summary = "let a key open, but no longer seal",
    .options = retire_options,
    .help =
        "Make KID decrypt-only. Without another active key of its use and\n"
        "scope nothing can be sealed any more. With --retain-until it cannot\n"
        "be destroyed before that date, which only moves later.",
    .examples =
        "envelope key retire k2026-11\n"
        "envelope key retire k2026-11 --retain-until 2032-12-31T00:00:00Z",
};

static const enum option_id disable_options[] = {
    OPT_REASON, OPT_INCIDENT, OPT_YES, OPT_RETAIN_UNTIL, OPT_END
};

const struct command cmd_key_disable = {
    .name = "key disable",
    .run = run_disable,
    .operands = "KID",
    .summary = "let a key open nothing, for now",
    .options = disable_options,
    .help =
        "Disable KID: what is sealed under it does not open until `key\n"
        "enable`. It is refused while the last full `envelope verify` of a\n"
        "job that wrote under this keyring (`key jobs`) found a value under\n"
        "KID, or is older than the job's last write, or KID still sealed\n"
        "then. An active key is retired first.\n\n"
        "--reason and --incident go to the audit log, before it happens;\n"
        "they are no place for secrets. In an incident --yes=KID disables a\n"
        "key that a job still needs.",
    .examples =
        "envelope key disable k2026-11\n"
        "envelope key disable k2026-11 --incident INC-42 --reason 'stolen' "
        "--yes=k2026-11",
};

const struct command cmd_key_enable = {
    .name = "key enable",
    .run = run_enable,
    .operands = "KID",
    .summary = "undo key disable",
    .help = "Make a disabled KID decrypt-only: it opens again.",
    .examples = "envelope key enable k2026-11",
};
