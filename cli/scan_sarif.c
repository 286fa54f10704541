#include <string.h>

#include <sodium.h>

#include <envelope/version.h>

#include "outfile.h"
#include "scan_sarif.h"

static const char *
level(enum hit_sure sure)
{
    return sure == HIT_HIGH ? "error" : sure == HIT_MEDIUM ? "warning"
                                                           : "note";
}

/* Each rule once, in the order in which it is first met. */
static json_t *
rules_of(const struct scan_list *list)
{
    json_t *rules = json_array(), *seen = json_object();

    for (size_t i = 0; i < list->count; i++) {
        const struct scan_item *item = &list->items[i];

        if (item->known || json_object_get(seen, item->rule) != NULL)
            continue;
        json_object_set_new(seen, item->rule, json_true());
        json_array_append_new(
            rules, json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", item->rule,
                             "shortDescription", "text", item->why,
                             "defaultConfiguration", "level",
                             level(item->sure)));
    }
    json_decref(seen);
    return rules;
}

static json_t *
result_of(const struct scan_item *item)
{
    char digest[2 * SCAN_DIGEST + 1];

    sodium_bin2hex(digest, sizeof(digest), item->digest, SCAN_DIGEST);
    return json_pack(
        "{s:s, s:s, s:{s:s}, s:[{s:{s:{s:s}, s:{s:I, s:I}}}], s:{s:s}}",
        "ruleId", item->rule, "level", level(item->sure), "message", "text",
        item->why, "locations", "physicalLocation", "artifactLocation", "uri",
        item->path, "region", "startLine", (json_int_t)item->line,
        "startColumn", (json_int_t)item->column, "partialFingerprints",
        "envelopeScan/v1", digest);
}

static json_t *
document(const struct scan_list *list)
{
    json_t *results = json_array();

    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].known)
            json_array_append_new(results, result_of(&list->items[i]));
    return json_pack(
        "{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:o}]}", "$schema",
        "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
        "runs", "tool", "driver", "name", "envelope scan", "version",
        envl_version(), "rules", rules_of(list), "columnKind",
        "utf16CodeUnits", "results", results);
}

enum envl_status
scan_sarif_write(const struct scan_list *list, const char *path,
                 struct envl_error *err)
{
    json_t *doc = document(list);
    enum envl_status status = outfile_json(path, doc, 1, err);

    json_decref(doc);
    return status;
}
