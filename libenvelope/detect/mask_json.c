#include <string.h>

#include "core/json_scan.h"
#include "detect/mask.h"
#include "detect/value.h"

#define DEPTH_MAX 128u /* deeper is masked whole: nobody logs that */

/* A walk through one document; ${done} bytes of it were copied. */
struct walk {
    struct mask *mask;
    struct json_scan scan;
    struct envl_buf *out;
    size_t done;
    size_t secret_depth; /* everything deeper than this is secret; 0: none */
    bool secret_next;    /* the member that follows is                     */
    struct envl_buf plain; /* a string's content                           */
};

/* Copy what is before the token, put the mask in its place. */
static enum envl_status
replace(struct walk *walk, struct envl_error *err)
{
    struct json_scan *scan = &walk->scan;
    struct envl_bytes before = { scan->text.ptr + walk->done,
                                 scan->start - walk->done };
    const struct envl_bytes quote = { (const uint8_t *)"\"", 1 };
    enum envl_status status = envl_buf_append(walk->out, before, err);

    if (status == ENVL_OK)
        status = envl_buf_append(walk->out, quote, err);
    if (status == ENVL_OK)
        status = mask_put(walk->mask, walk->out, err);
    if (status == ENVL_OK)
        status = envl_buf_append(walk->out, quote, err);
    walk->done = scan->start + scan->len;
    return status;
}

static struct envl_bytes
token(const struct walk *walk)
{
    return (struct envl_bytes){ walk->scan.text.ptr + walk->scan.start,
                                walk->scan.len };
}

/* An envelope, and "", are no secrets under whatever name. */
static bool
is_open(struct envl_bytes content)
{
    return content.len == 0 || value_is_envelope(content);
}

/*
 * A string that is not secret by its name can hold one.  One without escapes
 * is masked in place; another, whose bytes are not its content's, whole.
 */
static enum envl_status
string(struct walk *walk, bool secret, struct envl_error *err)
{
    struct envl_bytes raw = token(walk);
    struct envl_buf masked = ENVL_BUF_INIT;
    uint64_t before = walk->mask->masked;
    bool in_key, escaped = memchr(raw.ptr, '\\', raw.len) != NULL;
    enum envl_status status;

    raw = (struct envl_bytes){ raw.ptr + 1, raw.len - 2 };
    if (secret)
        return is_open(raw) ? ENVL_OK : replace(walk, err);
    if (escaped) {
        envl_buf_clear(&walk->plain);
        status = json_scan_unescape_raw(raw, &walk->plain, err);
        if (status != ENVL_OK)
            return status;
        raw = envl_buf_view(&walk->plain);
    }
    status = mask_text(walk->mask, raw, &masked, &in_key, err);
    if (status == ENVL_OK && walk->mask->masked > before) {
        if (escaped) {
            walk->mask->masked = before;
            status = replace(walk, err);
        } else {
            struct json_scan *scan = &walk->scan;
            struct envl_bytes lead = { scan->text.ptr + walk->done,
                                       scan->start + 1 - walk->done };

            status = envl_buf_append(walk->out, lead, err);
            if (status == ENVL_OK)
                status = envl_buf_append(walk->out, envl_buf_view(&masked),
                                         err);
            walk->done = scan->start + scan->len - 1;
        }
    }
    envl_buf_free(&masked);
    return status;
}

static enum envl_status
name(struct walk *walk, struct envl_error *err)
{
    struct envl_bytes raw = token(walk);
    enum envl_status status;

    envl_buf_clear(&walk->plain);
    status = json_scan_unescape_raw(
        (struct envl_bytes){ raw.ptr + 1, raw.len - 2 }, &walk->plain, err);
    if (status == ENVL_OK)
        walk->secret_next =
            mask_name(walk->mask, envl_buf_view(&walk->plain));
    /* A name can be a secret itself: {"sk-live-...": 1} */
    return status == ENVL_OK ? string(walk, false, err) : status;
}

/* One token; ${next} says whether the member before it means a secret. */
static enum envl_status
step(struct walk *walk, enum json_token kind, struct envl_error *err)
{
    bool secret = walk->secret_next || walk->secret_depth > 0;
    enum envl_status status = ENVL_OK;

    switch (kind) {
    case JSON_SCAN_OBJECT_BEGIN:
    case JSON_SCAN_ARRAY_BEGIN:
        if (walk->scan.depth > DEPTH_MAX)
            return envl_fail(err, ENVL_E_FORMAT, "JSON is nested too deeply");
        if (walk->secret_next && walk->secret_depth == 0)
            walk->secret_depth = walk->scan.depth;
        break;
    case JSON_SCAN_OBJECT_END:
    case JSON_SCAN_ARRAY_END:
        if (walk->scan.depth < walk->secret_depth)
            walk->secret_depth = 0;
        break;
    case JSON_SCAN_NAME:
        return name(walk, err);
    case JSON_SCAN_STRING:
        status = string(walk, secret, err);
        break;
    case JSON_SCAN_NUMBER:
        if (secret)
            status = replace(walk, err);
        break;
    default: /* true, false and null say nothing */
        break;
    }
    walk->secret_next = false;
    return status;
}

enum envl_status
mask_json(struct mask *mask, struct envl_bytes text, struct envl_buf *out,
          struct envl_error *err)
{
    struct envl_buf made = ENVL_BUF_INIT;
    struct walk walk = { .mask = mask, .out = &made,
                         .plain = ENVL_BUF_INIT };
    uint64_t before = mask->masked;
    enum envl_status status = ENVL_OK;
    enum json_token kind;

    json_scan_init(&walk.scan, text);
    while (status == ENVL_OK &&
           (kind = json_scan_next(&walk.scan)) != JSON_SCAN_END) {
        if (kind == JSON_SCAN_ERROR)
            status = walk.scan.no_memory
                         ? envl_fail(err, ENVL_E_NOMEM, "out of memory")
                         : envl_fail(err, ENVL_E_FORMAT, "not JSON");
        else
            status = step(&walk, kind, err);
    }
    if (status == ENVL_OK)
        status = envl_buf_append(&made,
                                 (struct envl_bytes){ text.ptr + walk.done,
                                                      text.len - walk.done },
                                 err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, envl_buf_view(&made), err);
    if (status != ENVL_OK)
        mask->masked = before;
    envl_buf_free(&made);
    envl_buf_free(&walk.plain);
    json_scan_free(&walk.scan);
    return status;
}
