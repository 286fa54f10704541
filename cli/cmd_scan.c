/* envelope scan: where plaintext secrets are, never what they are. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "report.h"
#include "scan_baseline.h"
#include "scan_files.h"
#include "scan_list.h"
#include "scan_sarif.h"
#include "table.h"

#define USUAL_BASELINE ".envelope-baseline.json" /* with --ci */

static enum hit_sure
least_of(const struct options *options)
{
    const char *word = options->value[OPT_LEAST];

    if (word == NULL)
        return HIT_MEDIUM;
    return strcmp(word, "low") == 0 ? HIT_LOW
           : strcmp(word, "high") == 0 ? HIT_HIGH : HIT_MEDIUM;
}

/* ${counts}[sure]: findings that are not in the baseline. */
static size_t
count(const struct scan_list *list, size_t counts[HIT_HIGH + 1])
{
    size_t new = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].known)
            continue;
        counts[list->items[i].sure]++;
        new++;
    }
    return new;
}

static void
tell_items(const struct scan_list *list)
{
    json_t *table = json_array();

    table_row(table, 4, (const char *const[]){ "PLACE", "NAME", "SURE",
                                               "WHY" });
    for (size_t i = 0; i < list->count; i++) {
        const struct scan_item *item = &list->items[i];
        char place[4400], why[160];

        if (item->known)
            continue;
        snprintf(place, sizeof(place), "%s:%zu:%zu", item->path, item->line,
                 item->column);
        snprintf(why, sizeof(why), "%s: %s", item->rule, item->why);
        table_row(table, 4,
                  (const char *const[]){ place,
                                         item->name[0] != '\0' ? item->name
                                                               : "-",
                                         scan_list_sure(item->sure), why });
    }
    table_print(table);
}

static json_t *
items_json(const struct scan_list *list)
{
    json_t *items = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct scan_item *item = &list->items[i];

        if (!item->known)
            json_array_append_new(
                items,
                json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s}", "path",
                          item->path, "line", (json_int_t)item->line,
                          "column", (json_int_t)item->column, "name",
                          item->name, "rule", item->rule, "sure",
                          scan_list_sure(item->sure), "why", item->why));
    }
    return items;
}

static void
tell(const struct scan_list *list, size_t new, size_t gone,
     const size_t counts[HIT_HIGH + 1])
{
    report_json(json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:O}",
                          "schema", 1, "findings", items_json(list), "known",
                          (json_int_t)(list->count - new), "gone",
                          (json_int_t)gone, "files", (json_int_t)list->files,
                          "bytes", (json_int_t)list->bytes, "found",
                          (json_int_t)new, "skipped", list->skipped));
    if (new > 0 && !report_is_json())
        tell_items(list);
    report_text("%zu found (%zu high, %zu medium, %zu low) in %llu files",
                new, counts[HIT_HIGH], counts[HIT_MEDIUM], counts[HIT_LOW],
                (unsigned long long)list->files);
    if (list->count > new)
        report_text(", %zu more are in the baseline", list->count - new);
    report_text("\n");
    if (gone > 0)
        report_note("%zu entries of the baseline were not found again: "
                    "--write-baseline drops them", gone);
    if (json_array_size(list->skipped) > 0)
        report_note("%zu not looked into (binary files, links, what cannot "
                    "be read): --json lists them",
                    json_array_size(list->skipped));
}

static enum envl_status
look(struct cli *cli, struct scan_list *list, size_t *gone,
     struct envl_error *err)
{
    const char *path = cli->options.value[OPT_BASELINE];
    json_t *baseline = NULL;
    enum envl_status status = ENVL_OK;

    if (path == NULL && cli->options.value[OPT_CI] != NULL &&
        cli->options.value[OPT_WRITE_BASELINE] == NULL &&
        access(USUAL_BASELINE, F_OK) == 0)
        path = USUAL_BASELINE;
    if (path != NULL)
        status = scan_baseline_read(path, list->salt, &baseline, err);
    for (int i = 0; status == ENVL_OK && i < cli->options.operand_count; i++)
        status = scan_files_walk(list, cli->options.operands[i],
                                 least_of(&cli->options), err);
    if (status == ENVL_OK) {
        scan_list_sort(list);
        scan_baseline_apply(list, baseline, gone);
    }
    json_decref(baseline);
    return status;
}

static enum envl_status
write_out(struct cli *cli, const struct scan_list *list,
          struct envl_error *err)
{
    const char *sarif = cli->options.value[OPT_SARIF];
    const char *baseline = cli->options.value[OPT_WRITE_BASELINE];
    enum envl_status status = ENVL_OK;

    if (sarif != NULL)
        status = scan_sarif_write(list, sarif, err);
    if (status == ENVL_OK && baseline != NULL)
        status = scan_baseline_write(list, baseline, err);
    return status;
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    size_t counts[HIT_HIGH + 1] = { 0 }, gone = 0, new;
    struct scan_list list;
    enum envl_status status = scan_list_init(&list, err);

    if (status == ENVL_OK)
        status = look(cli, &list, &gone, err);
    if (status == ENVL_OK)
        status = write_out(cli, &list, err);
    if (status != ENVL_OK) {
        scan_list_free(&list);
        return status;
    }
    new = count(&list, counts);
    if (cli->options.value[OPT_SARIF] == NULL ||
        strcmp(cli->options.value[OPT_SARIF], "-") != 0)
        tell(&list, new, gone, counts);
    scan_list_free(&list);
    if (new > 0 && cli->options.value[OPT_WRITE_BASELINE] == NULL) {
        status = envl_fail(err, ENVL_E_FINDINGS,
                           "%zu places look like plaintext secrets", new);
        envl_hint(err, "reissue each secret that is real, then take it out; "
                  "what is none goes into a baseline: --write-baseline FILE");
    }
    return status;
}

static const enum option_id options[] = { OPT_BASELINE, OPT_CI, OPT_LEAST,
                                          OPT_SARIF, OPT_WRITE_BASELINE,
                                          OPT_END };

const struct command cmd_scan = {
    .name = "scan",
    .run = run,
    .operands = "PATH...",
    .summary = "find plaintext secrets in files; never shows one",
    .options = options,
    .needs_nothing = true,
    .help =
        "Look into files and folders for secrets in plaintext: by the form\n"
        "of known tokens, private keys and connection strings (and base64 of\n"
        "those), by the names that values stand under, and by characters\n"
        "drawn by chance. Contracts (JSON Schema, OpenAPI) are read for\n"
        "members that hand a secret out. Places and reasons are shown, never\n"
        "a value; envelopes are no findings. Exit 4 if there are any.\n\n"
        "A baseline holds what was looked at and accepted. It keeps digests\n"
        "under a salt, and none of a value that could be guessed, so that it\n"
        "may lie in the repository. --sarif writes what code hosts read.",
    .examples =
        "envelope scan .\n"
        "envelope scan --ci --baseline .envelope-baseline.json "
        "--sarif scan.sarif .\n"
        "envelope scan --write-baseline .envelope-baseline.json .\n"
        "docker compose config | envelope scan -",
};
