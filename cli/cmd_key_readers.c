/* envelope key report and key readers: who has which generation. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "readers.h"
#include "report.h"
#include "ring_session.h"
#include "table.h"

static enum envl_status
find_folder(const struct cli *cli, const char **out, struct envl_error *err)
{
    *out = settings_get(&cli->settings, SETTING_REPORTS);
    if (*out != NULL)
        return ENVL_OK;
    envl_fail(err, ENVL_E_USAGE, "no folder of reports is named");
    envl_hint(err, "--reports FOLDER, ENVELOPE_REPORTS, or \"reports\" in the "
              "configuration");
    return ENVL_E_USAGE;
}

/* This host's name as a name of a ring: other characters become hyphens. */
static void
own_name(char out[ENVL_NAME_SIZE])
{
    char host[256] = "";
    size_t len;

    (void)gethostname(host, sizeof(host) - 1);
    for (len = 0; host[len] != '\0' && len < ENVL_NAME_SIZE - 1; len++) {
        const int c = tolower((unsigned char)host[len]);

        out[len] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           (c == '.' && len > 0)
                       ? (char)c : len > 0 ? '-' : 'x';
    }
    out[len] = '\0';
}

static enum envl_status
run_report(struct cli *cli, struct envl_error *err)
{
    const char *reader = cli->options.value[OPT_READER], *folder;
    struct ring_session session = RING_SESSION_INIT;
    struct envl_ring_mark mark;
    char own[ENVL_NAME_SIZE];
    enum envl_status status;

    if (reader == NULL) {
        own_name(own);
        reader = own;
    }
    if ((status = find_folder(cli, &folder, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    status = envl_keyring_report(session.ring, folder, reader, err);
    if (status == ENVL_OK) {
        envl_keyring_mark(session.ring, &mark);
        report_text("%s: generation %llu\n", reader,
                    (unsigned long long)mark.generation);
        report_json(json_pack("{s:i, s:s, s:s, s:I}", "schema", 1, "reader",
                              reader, "keyring", mark.id, "generation",
                              (json_int_t)mark.generation));
    }
    ring_session_free(&session);
    return status;
}

static const enum option_id report_options[] = {
    OPT_REPORTS, OPT_READER, OPT_END
};

const struct command cmd_key_report = {
    .name = "key report",
    .run = run_report,
    .summary = "say which generation this reader has",
    .options = report_options,
    .help =
        "Open the keyring as readers here do, and write READER.json to the\n"
        "folder --reports: which generation is here, and when, under a MAC.\n"
        "The folder may be shared, or its files carried by any means. Run it\n"
        "by a timer, or let the application call envl_keyring_report.",
    .examples =
        "envelope key report --reports /srv/reports\n"
        "envelope key report --reports /srv/reports --reader web-1",
};

static const char *
name_of(enum readers_state state)
{
    static const char *const names[] = { "current", "behind", "late",
                                         "unknown" };

    return names[state];
}

static void
tell(const struct envl_reader_report *list, size_t count,
     const struct envl_ring_mark *mark, uint64_t hours)
{
    static const char *const heads[] = { "READER", "GENERATION", "REPORTED",
                                         "STATE" };
    json_t *table = json_array(), *readers = json_array();
    size_t current = 0;

    table_row(table, 4, heads);
    for (size_t i = 0; i < count; i++) {
        const enum readers_state state =
            readers_state_of(&list[i], mark->generation, hours);
        char generation[24];

        snprintf(generation, sizeof(generation), "%llu",
                 (unsigned long long)list[i].generation);
        table_row(table, 4,
                  (const char *const[]){ list[i].reader,
                                         list[i].generation > 0 ? generation
                                                                : "-",
                                         list[i].at[0] != '\0' ? list[i].at
                                                               : "-",
                                         name_of(state) });
        json_array_append_new(
            readers, json_pack("{s:s, s:I, s:s?, s:s}", "reader",
                               list[i].reader, "generation",
                               (json_int_t)list[i].generation, "at",
                               list[i].at[0] != '\0' ? list[i].at : NULL,
                               "state", name_of(state)));
        current += state == READERS_CURRENT;
    }
    table_print(table);
    report_text("%zu of %zu have generation %llu\n", current, count,
                (unsigned long long)mark->generation);
    report_json(json_pack("{s:i, s:s, s:I, s:I, s:o}", "schema", 1, "keyring",
                          mark->id, "generation",
                          (json_int_t)mark->generation, "current",
                          (json_int_t)current, "readers", readers));
}

static enum envl_status
run_readers(struct cli *cli, struct envl_error *err)
{
    struct ring_session session = RING_SESSION_INIT;
    struct envl_reader_report *list = NULL;
    struct envl_ring_mark mark;
    enum envl_status status;
    const char *folder;
    uint64_t hours;
    size_t count = 0;

    if ((status = find_folder(cli, &folder, err)) != ENVL_OK ||
        (status = readers_hours(cli, &hours, err)) != ENVL_OK ||
        (status = ring_session_open(cli, &session, err)) != ENVL_OK)
        return status;
    status = envl_keyring_reports(session.ring, folder, &list, &count, err);
    if (status == ENVL_OK) {
        envl_keyring_mark(session.ring, &mark);
        tell(list, count, &mark, hours);
    }
    free(list);
    ring_session_free(&session);
    return status;
}

static const enum option_id readers_options[] = {
    OPT_REPORTS, OPT_WITHIN, OPT_END
};

const struct command cmd_key_readers = {
    .name = "key readers",
    .run = run_readers,
    .summary = "list what readers have reported",
    .options = readers_options,
    .help =
        "List the reports in the folder --reports: current (has the present\n"
        "generation), behind, late (has it, but has not said so for --within\n"
        "hours), or unknown (no report of this keyring, or changed).",
    .examples = "envelope key readers --reports /srv/reports",
};
