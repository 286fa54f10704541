/* envelope key jobs: which jobs may keep a key from being disabled. */
#include "command.h"
#include "io.h"
#include "report.h"
#include "ring_change.h"
#include "ring_verified.h"
#include "table.h"

static const char *
text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text == NULL ? "never" : text;
}

static void
print(json_t *entries)
{
    static const char *const heads[] = { "JOB", "STORE", "WROTE", "VERIFIED",
                                         "FILE" };
    json_t *table = json_array();
    const json_t *entry;
    size_t i;

    if (json_array_size(entries) > 0)
        table_row(table, 5, heads);
    else
        report_text("no job has written under this keyring from here\n");
    json_array_foreach(entries, i, entry) {
        const char *const cells[] = {
            text_of(entry, "job"), text_of(entry, "store"),
            json_is_true(json_object_get(entry, "open"))
                ? "unfinished" : text_of(entry, "wrote"),
            text_of(entry, "verified"), text_of(entry, "file")
        };

        table_row(table, 5, cells);
    }
    table_print(table);
    report_json(json_pack("{s:i, s:O}", "schema", 1, "jobs", entries));
}

static enum envl_status
forget(struct cli *cli, const char *name, struct envl_error *err)
{
    const char *ring = settings_get(&cli->settings, SETTING_KEYRING);
    struct ring_change change = RING_CHANGE_INIT;
    enum envl_status status;

    status = io_confirm(cli->command->name, name,
                        cli->options.value[OPT_YES], err);
    if (status == ENVL_OK)
        status = ring_change_begin(cli, name, &change, err);
    if (status == ENVL_OK)
        status = ring_change_end(cli, &change,
                                 ring_verified_forget(ring,
                                                      change.session.ring,
                                                      name, err), err);
    if (status == ENVL_OK)
        report_text("%s no longer keeps a key from being disabled\n", name);
    ring_change_free(&change);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    json_t *entries = NULL;
    enum envl_status status;

    if (cli->options.value[OPT_FORGET] != NULL)
        return forget(cli, cli->options.value[OPT_FORGET], err);
    status = ring_session_open(cli, &session, err);
    if (status == ENVL_OK)
        status = ring_verified_list(settings_get(&cli->settings,
                                                 SETTING_KEYRING),
                                    session.ring, &entries, err);
    if (status == ENVL_OK)
        print(entries);
    json_decref(entries);
    ring_session_free(&session);
    return status;
}

static const enum option_id options[] = { OPT_FORGET, OPT_YES, OPT_END };

const struct command cmd_key_jobs = {
    .name = "key jobs",
    .run = run,
    .operands = NULL,
    .summary = "the jobs that may keep a key from being disabled",
    .options = options,
    .help =
        "List the jobs that wrote under this keyring, when each wrote last\n"
        "and when it was last fully verified, from the file RING.jobs beside\n"
        "the keyring. `key disable` and `key destroy` go by it. --forget\n"
        "removes a job whose database is gone for good; its name is to be\n"
        "typed again, or given as --yes=NAME.",
    .examples =
        "envelope key jobs\n"
        "envelope key jobs --forget old-shop --yes=old-shop",
};
