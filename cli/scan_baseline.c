#include <string.h>

#include <sodium.h>

#include "io.h"
#include "outfile.h"
#include "scan_baseline.h"

#define BASELINE_MAX (64u * 1024u * 1024u)
#define HEX (2u * SCAN_DIGEST + 1u)

static enum envl_status
not_one(const char *path, struct envl_error *err)
{
    enum envl_status status =
        envl_fail(err, ENVL_E_FORMAT, "%s is no baseline of a scan", path);

    envl_hint(err, "write a new one: `envelope scan --write-baseline %s "
              "PATH...`", path);
    return status;
}

enum envl_status
scan_baseline_read(const char *path, uint8_t *salt, json_t **out,
                   struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct io_source source;
    enum envl_status status;
    const char *hex;
    size_t len = 0;

    *out = NULL;
    if ((status = io_open_source(path, &source, err)) != ENVL_OK)
        return status;
    status = io_read_all(&source, BASELINE_MAX, &text, err);
    io_close_source(&source);
    if (status == ENVL_OK)
        *out = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    envl_buf_free(&text);
    if (status != ENVL_OK)
        return status;
    hex = json_string_value(json_object_get(*out, "salt"));
    if (json_integer_value(json_object_get(*out, "envelope_scan_baseline")) !=
            1 || hex == NULL ||
        sodium_hex2bin(salt, SCAN_SALT, hex, strlen(hex), NULL, &len, NULL) !=
            0 || len != SCAN_SALT ||
        !json_is_array(json_object_get(*out, "findings"))) {
        json_decref(*out);
        *out = NULL;
        return not_one(path, err);
    }
    return ENVL_OK;
}

void
scan_baseline_apply(struct scan_list *list, const json_t *baseline,
                    size_t *gone)
{
    const json_t *entries = json_object_get(baseline, "findings");
    const json_t *entry;
    size_t i;

    *gone = 0;
    json_array_foreach(entries, i, entry) {
        const char *want =
            json_string_value(json_object_get(entry, "digest"));
        uint8_t digest[SCAN_DIGEST];
        bool found = false;
        size_t len = 0;

        if (want == NULL ||
            sodium_hex2bin(digest, sizeof(digest), want, strlen(want), NULL,
                           &len, NULL) != 0 || len != sizeof(digest))
            continue;
        for (size_t k = 0; k < list->count && !found; k++) {
            found = !list->items[k].known &&
                    memcmp(list->items[k].digest, digest, len) == 0;
            list->items[k].known |= found;
        }
        *gone += !found;
    }
}

static json_t *
document(const struct scan_list *list)
{
    json_t *findings = json_array(), *doc;
    char hex[HEX], salt[2 * SCAN_SALT + 1];

    sodium_bin2hex(salt, sizeof(salt), list->salt, SCAN_SALT);
    for (size_t i = 0; i < list->count; i++) {
        const struct scan_item *item = &list->items[i];

        sodium_bin2hex(hex, sizeof(hex), item->digest, SCAN_DIGEST);
        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:s, s:s}", "path", item->path,
                                "name", item->name, "rule", item->rule,
                                "digest", hex));
    }
    doc = json_pack("{s:i, s:s, s:o}", "envelope_scan_baseline", 1, "salt",
                    salt, "findings", findings);
    return doc;
}

enum envl_status
scan_baseline_write(const struct scan_list *list, const char *path,
                    struct envl_error *err)
{
    json_t *doc = document(list);
    enum envl_status status = outfile_json(path, doc, 1, err);

    json_decref(doc);
    return status;
}
