/* envelope audit key, seal, check: what holds for people who were not there. */
#include <string.h>

#include "audit_log.h"
#include "report.h"
#include "ring_session.h"
#include "signed.h"
#include "trail.h"

#define KIND_HEAD "audit-head"

/* ---- key ---------------------------------------------------------------- */

static enum envl_status
run_key(struct cli *cli, struct envl_error *err)
{
    const char *path = cli->options.operands[0];
    char public[SIGNED_PUBLIC_SIZE];
    enum envl_status status = signed_key_create(path, public, err);

    if (status != ENVL_OK)
        return status;
    report_text("%s\n", public);
    report_json(json_pack("{s:i, s:s, s:s}", "schema", 1, "file", path,
                          "public", public));
    report_hint("keep %s where no reader of the keyring can reach it, and "
                "give %s.pub to whoever checks", path, path);
    return ENVL_OK;
}

const struct command cmd_audit_key = {
    .name = "audit key",
    .run = run_key,
    .operands = "FILE",
    .summary = "make a key that signs heads and verifications",
    .help =
        "Make an Ed25519 signing key: FILE (32 bytes, mode 0600) and its\n"
        "public half FILE.pub, which is also printed. Whoever can open the\n"
        "keyring could write the log anew; who has FILE alone could sign it.\n"
        "So keep FILE on another machine, or at least with another user.",
    .examples = "envelope audit key /mnt/auditor/sign.key",
};

/* ---- seal --------------------------------------------------------------- */

static enum envl_status
write_head(struct cli *cli, struct envl_keyring *ring, struct envl_error *err)
{
    struct envl_audit_report found = { .records = 0 };
    char hash[65];
    struct signed_spec spec = {
        .kind = KIND_HEAD, .ring = ring,
        .key = cli->options.value[OPT_SIGN_KEY],
        .path = cli->options.value[OPT_OUTPUT], .settings = &cli->settings,
    };
    enum envl_status status = audit_log_check(cli, ring, 0, hash, &found,
                                              err);
    json_t *body;

    if (status != ENVL_OK)
        return status;
    body = json_pack("{s:s, s:I, s:s}", "log", audit_log_path(cli),
                     "records", (json_int_t)found.records, "head",
                     found.head);
    spec.body = body;
    status = body != NULL ? signed_write(&spec, err)
                          : envl_fail(err, ENVL_E_NOMEM, "out of memory");
    json_decref(body);
    return status;
}

static enum envl_status
run_seal(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    struct trail trail = TRAIL_INIT;
    enum envl_status status;

    if (cli->options.value[OPT_SIGN_KEY] == NULL) {
        envl_fail(err, ENVL_E_USAGE, "--sign-key is missing");
        envl_hint(err, "`envelope audit key FILE` makes one");
        return ENVL_E_USAGE;
    }
    /* The record of it is under the seal. */
    if ((status = ring_session_open(cli, &session, err)) == ENVL_OK &&
        (status = trail_begin(cli, session.ring, audit_log_path(cli), &trail,
                              err)) == ENVL_OK)
        status = trail_end(&trail, write_head(cli, session.ring, err), NULL,
                           err);
    ring_session_free(&session);
    return status;
}

static const enum option_id seal_options[] = { OPT_SIGN_KEY, OPT_OUTPUT,
                                               OPT_LOG, OPT_END };

const struct command cmd_audit_seal = {
    .name = "audit seal",
    .run = run_seal,
    .summary = "sign the head of the log, so that cutting it shows",
    .options = seal_options,
    .help =
        "Check the whole log, and sign how many records it has and the hash\n"
        "of the last one. Kept elsewhere, that line shows later, by `audit\n"
        "check`, that nothing up to it was cut off or written anew.",
    .examples =
        "envelope audit seal --sign-key /mnt/auditor/sign.key -o head.json",
};

/* ---- check -------------------------------------------------------------- */

/* The log must still hold the record that was its head.  spec: AUD-45 */
static enum envl_status
check_head(struct cli *cli, struct envl_keyring *ring, const json_t *body,
           struct envl_error *err)
{
    const char *head = json_string_value(json_object_get(body, "head"));
    json_int_t records =
        json_integer_value(json_object_get(body, "records"));
    struct envl_audit_report found = { .records = 0 };
    enum envl_status status;
    char hash[65];

    if (head == NULL || records < 0)
        return envl_fail(err, ENVL_E_INTEGRITY, "the document holds no head");
    status = audit_log_check(cli, ring, (uint64_t)records, hash, &found, err);
    if (status != ENVL_OK || records == 0)
        return status;
    if (found.records < (uint64_t)records)
        status = envl_fail(err, ENVL_E_INTEGRITY, "%s has %llu records, and "
                           "had %lld when its head was signed: it was cut "
                           "off, or begun anew", audit_log_path(cli),
                           (unsigned long long)found.records,
                           (long long)records);
    else if (strcmp(hash, head) != 0)
        status = envl_fail(err, ENVL_E_INTEGRITY, "%s: record %lld is not "
                           "the one that was signed: the log was written "
                           "anew", audit_log_path(cli), (long long)records);
    else
        report_text("log      %s holds them, and %llu more since\n",
                    audit_log_path(cli),
                    (unsigned long long)(found.records - (uint64_t)records));
    return status;
}

static void
tell_verification(const json_t *body)
{
    const char *names[] = { "job", "store", "begun", "ended" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text =
            json_string_value(json_object_get(body, names[i]));

        report_text("%-8s %s\n", names[i], text == NULL ? "?" : text);
    }
    report_text("result   %s: %lld opened in their place, %lld amiss\n",
                json_is_true(json_object_get(body, "ok")) ? "ok" : "amiss",
                (long long)json_integer_value(
                    json_object_get(body, "opened")),
                (long long)json_integer_value(
                    json_object_get(body, "amiss")));
}

static void
tell(const struct signed_found *found, bool head)
{
    const json_t *root = found->root;
    const char *public = json_string_value(json_object_get(root, "public"));

    report_text("kind     %s, written at %s\n",
                json_string_value(json_object_get(root, "kind")),
                json_string_value(json_object_get(root, "at")));
    report_text("signed   %s%s\n", public != NULL ? "by " : "no",
                public != NULL ? public : "");
    report_text("keyring  %s%s\n",
                json_string_value(json_object_get(root, "keyring")),
                found->by_ring ? ", its MAC holds" : ", not checked here");
    if (!head)
        tell_verification(json_object_get(root, "body"));
    if (found->by_key && !found->pinned)
        report_note("anybody can sign under a key of their own: compare the "
                    "key, or name it with --public-key");
    report_json(json_pack("{s:i, s:O, s:O, s:b, s:b, s:b, s:O}", "schema", 1,
                          "kind", json_object_get(root, "kind"), "at",
                          json_object_get(root, "at"), "mac_holds",
                          found->by_ring, "signature_holds", found->by_key,
                          "pinned", found->pinned, "body",
                          json_object_get(root, "body")));
}

static enum envl_status
run_check(struct cli *cli, struct envl_error *err)
{
    const char *public = cli->options.value[OPT_PUBLIC_KEY];
    struct ring_session session = RING_SESSION_INIT;
    struct signed_found found = { .root = NULL };
    enum envl_status status = ring_session_open(cli, &session, err);
    const char *kind;
    bool head;

    /* Who checks a signature needs no keyring. */
    if (status != ENVL_OK && public != NULL) {
        report_note("without the keyring only the signature is checked: %s",
                    err->message);
        *err = (struct envl_error){ .status = ENVL_OK };
        status = ENVL_OK;
    }
    if (status == ENVL_OK)
        status = signed_read(cli->options.operands[0], session.ring, public,
                             &found, err);
    if (status == ENVL_OK) {
        kind = json_string_value(json_object_get(found.root, "kind"));
        head = kind != NULL && strcmp(kind, KIND_HEAD) == 0;
        tell(&found, head);
        if (head)
            status = check_head(cli, session.ring,
                                json_object_get(found.root, "body"), err);
    }
    json_decref(found.root);
    ring_session_free(&session);
    return status;
}

static const enum option_id check_options[] = { OPT_PUBLIC_KEY, OPT_LOG,
                                                OPT_END };

const struct command cmd_audit_check = {
    .name = "audit check",
    .run = run_check,
    .operands = "FILE",
    .summary = "check a sealed head, or the report of a verify",
    .options = check_options,
    .help =
        "Check that FILE, which `audit seal` or `verify -o` wrote, is as it\n"
        "was written: by its MAC if the keyring can be opened, by its\n"
        "signature if it has one. --public-key says whose it must be, and\n"
        "then no keyring is needed. A sealed head is compared with the log:\n"
        "exit 18 if records up to it are gone or others.",
    .examples =
        "envelope audit check head.json --public-key sign.key.pub\n"
        "envelope audit check shop.verify.json --json",
};
