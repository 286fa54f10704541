#include <string.h>

#include <envelope/bson.h>

#include "core/bson_check.h"
#include "core/json_scan.h"
#include "core/utf8.h"
#include "envelope/value.h"

/* spec: ENV-9.3 */
static enum envl_status
check_json(struct envl_bytes value, struct envl_error *err)
{
    struct json_scan scan;
    enum json_token token;
    bool no_memory;

    json_scan_init(&scan, value);
    do {
        token = json_scan_next(&scan);
    } while (token != JSON_SCAN_ERROR && token != JSON_SCAN_END);
    no_memory = scan.no_memory;
    json_scan_free(&scan);
    if (token == JSON_SCAN_END)
        return ENVL_OK;
    if (no_memory)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for JSON this deep");
    return envl_fail(err, ENVL_E_USAGE, "the value is not JSON");
}

/* The only element of {"v": value}; false if the document is another. */
static bool
wrapped_value(struct envl_bytes document, struct bson_element *out)
{
    struct bson_element after;
    size_t at;

    if (document.len < 5)
        return false;
    at = bson_check_next(document, 4, out);
    return at != 0 && at != SIZE_MAX && out->name.len == 1 &&
           out->name.ptr[0] == 'v' &&
           bson_check_next(document, at, &after) == 0;
}

static enum envl_status
check_bson(struct envl_bytes value, struct envl_error *err)
{
    struct bson_element element;
    enum envl_status status = bson_check_document(value, err);

    if (status == ENVL_OK && !wrapped_value(value, &element))
        return envl_fail(err, ENVL_E_USAGE,
                         "the value is not a BSON document with only 'v'");
    return status;
}

enum envl_status
value_check(struct envl_bytes value, enum envl_type type,
            struct envl_error *err)
{
    switch (type) {
    case ENVL_TYPE_TEXT:
        if (!utf8_valid(value))
            return envl_fail(err, ENVL_E_USAGE, "the value is not UTF-8");
        return ENVL_OK;
    case ENVL_TYPE_JSON:
        return check_json(value, err);
    case ENVL_TYPE_BSON:
        return check_bson(value, err);
    default:
        return ENVL_OK;
    }
}

/* ---- nesting ------------------------------------------------------------ */

static enum envl_status
nested(struct envl_error *err)
{
    (void)envl_fail(err, ENVL_E_POLICY,
                    "the value begins like an envelope: it may be sealed "
                    "already");
    envl_hint(err, "allow nesting if sealing it twice is meant");
    return ENVL_E_POLICY;
}

/*
 * The raw content of a JSON text that is a string, as far as it is here; an
 * escape that is cut short does not belong to it.
 */
static bool
json_string(struct envl_bytes value, struct envl_bytes *raw)
{
    const uint8_t *p = value.ptr, *end = p + value.len;

    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    if (p == end || *p++ != '"')
        return false;
    raw->ptr = p;
    while (p < end && *p != '"') {
        size_t len = 1;

        if (*p == '\\')
            len = end - p > 1 && p[1] == 'u' ? 6 : 2;
        if ((size_t)(end - p) < len)
            break;
        p += len;
    }
    raw->len = (size_t)(p - raw->ptr);
    return true;
}

static enum envl_status
check_json_nesting(struct envl_bytes value, struct envl_error *err)
{
    struct envl_buf content = ENVL_BUF_INIT;
    struct envl_bytes raw;
    enum envl_status status;

    if (!json_string(value, &raw))
        return ENVL_OK;
    if (raw.len == 0 || memchr(raw.ptr, '\\', raw.len) == NULL)
        return envl_begins(raw) == ENVL_OK ? nested(err) : ENVL_OK;
    status = json_scan_unescape_raw(raw, &content, err);
    if (status == ENVL_OK && envl_begins(envl_buf_view(&content)) == ENVL_OK)
        status = nested(err);
    envl_buf_free(&content);
    return status;
}

static bool
bson_nests(struct envl_bytes value)
{
    struct bson_element e;

    if (!wrapped_value(value, &e))
        return false;
    if (e.type == BSON_DOCUMENT)
        return envl_bson_begins(e.value) == ENVL_OK;
    /* The bytes as they lie there, and those of the old binary form. */
    if (e.type == BSON_BINARY &&
        envl_begins((struct envl_bytes){ e.value.ptr + 5, e.value.len - 5 }) ==
            ENVL_OK)
        return true;
    return (e.type == BSON_STRING || e.type == BSON_BINARY) &&
           envl_begins(e.bytes) == ENVL_OK;
}

enum envl_status
value_check_nesting(struct envl_bytes value, enum envl_type type,
                    struct envl_error *err)
{
    if (envl_begins(value) == ENVL_OK)
        return nested(err);
    if (type == ENVL_TYPE_JSON)
        return check_json_nesting(value, err);
    if (type == ENVL_TYPE_BSON && bson_nests(value))
        return nested(err);
    return ENVL_OK;
}
