/* envelope audit: what changed, and whether the record of it is whole. */
#include <string.h>

#include <envelope/audit.h>

#include "audit_log.h"
#include "audit_show.h"
#include "command.h"
#include "report.h"
#include "ring_session.h"

const struct command cmd_audit = {
    .name = "audit",
    .summary = "the record of what changed: show it, verify it",
    .help =
        "Whatever changes a keyring, a file or a database is recorded before\n"
        "it is done, in a chain of hashes under a key of the keyring.",
};

static enum envl_status
run_show(struct cli *cli, struct envl_error *err)
{
    enum envl_status status;
    uint64_t tail;

    if ((status = options_number(&cli->options,
                                 (struct number_rule){ OPT_TAIL, 1, 1000000000,
                                                       0 },
                                 &tail, err)) != ENVL_OK)
        return status;
    return audit_show(audit_log_path(cli), tail, err);
}

static const enum option_id show_options[] = { OPT_TAIL, OPT_LOG, OPT_END };

const struct command cmd_audit_show = {
    .name = "audit show",
    .run = run_show,
    .summary = "show the record",
    .options = show_options,
    .help =
        "Print the audit log, a line a record; with --json each record as it\n"
        "is stored. Nothing is checked: `audit verify` does that.",
    .examples = "envelope audit show --tail 20\nenvelope audit show --json",
};

static void
tell(const char *path, const struct envl_audit_report *found)
{
    report_json(json_pack(
        "{s:i, s:b, s:I, s:I, s:s, s:o, s:s}", "schema", 1, "ok",
        found->broken_line == 0, "records", (json_int_t)found->records,
        "unauthenticated", (json_int_t)found->unauthenticated, "head",
        found->head, "broken_line",
        found->broken_line == 0
            ? json_null() : json_integer((json_int_t)found->broken_line),
        "reason", found->reason));
    if (found->broken_line != 0)
        return;
    report_text("%s: %llu records, whole\nhead %s\n", path,
                (unsigned long long)found->records, found->head);
    if (found->unauthenticated > 0)
        report_note("records without an HMAC of this keyring's key: %llu; "
                    "they are chained, but anyone could have written them",
                    (unsigned long long)found->unauthenticated);
}

static enum envl_status
run_verify(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    struct envl_audit_report found = { .records = 0 };
    enum envl_status status;
    char hash[65];

    if ((status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    status = audit_log_check(cli, session.ring, 0, hash, &found, err);
    if (status == ENVL_OK || found.broken_line != 0)
        tell(audit_log_path(cli), &found);
    ring_session_free(&session);
    return status;
}

static const enum option_id verify_options[] = { OPT_LOG, OPT_END };

const struct command cmd_audit_verify = {
    .name = "audit verify",
    .run = run_verify,
    .summary = "check the chain, and name the first broken record",
    .options = verify_options,
    .help =
        "Walk the whole audit log. Exit 18 names the first record that does\n"
        "not fit. Records cut off at the end do not show by themselves: let\n"
        "`audit seal` sign the head now and then, keep that elsewhere, and\n"
        "`audit check` it against the log.",
    .examples = "envelope audit verify\nenvelope audit verify --json",
};
