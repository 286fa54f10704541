#include <stdlib.h>
#include <string.h>

#include "core/base64url.h"
#include "envelope/beginning.h"
#include "envelope/parse.h"
#include "keyring/key.h"

/* Where base64url is decoded to. */
struct work {
    uint8_t *ptr;
    size_t room;
    bool head_only; /* keep what fits, check the rest */
};

static enum envl_status
broken(struct envl_error *err, const char *what)
{
    return envl_fail(err, ENVL_E_FORMAT, "a damaged envelope: %s", what);
}

/* Check characters that nobody needs decoded. */
static bool
valid_rest(struct envl_bytes text)
{
    uint8_t scratch[768 + 2];

    while (text.len > 0) {
        size_t len = text.len < 1024 ? text.len : 1024;

        if (base64url_decode((struct envl_bytes){ text.ptr, len }, scratch) ==
            SIZE_MAX)
            return false;
        text.ptr += len;
        text.len -= len;
    }
    return true;
}

/*
 * Decode ${text} to the work memory.  ${kept} is what lies there, ${total}
 * how much there is of it.
 */
static enum envl_status
decode(struct work *work, struct envl_bytes text, struct envl_bytes *kept,
       size_t *total, struct envl_error *err)
{
    struct envl_bytes rest = { NULL, 0 };
    size_t len, whole = text.len / 4 * 3 + text.len % 4 * 3 / 4;

    if (whole > work->room) {
        if (!work->head_only)
            return envl_fail(err, ENVL_E_LIMIT, "room for %zu bytes, %zu are "
                             "needed", work->room, whole);
        len = work->room / 3 * 4;
        rest = (struct envl_bytes){ text.ptr + len, text.len - len };
        text.len = len;
    }
    len = base64url_decode(text, work->ptr); /* spec: ENV-7.4 */
    if (len == SIZE_MAX || !valid_rest(rest))
        return broken(err, "its base64url is not valid");
    *kept = (struct envl_bytes){ work->ptr, len };
    *total = whole;
    work->ptr += len;
    work->room -= len;
    return ENVL_OK;
}

/* Take (length, wrapped key) off the front of ${rest}.  spec: ENV-3.5 */
static enum envl_status
take_wrapped(struct envl_bytes *rest, struct parsed *out,
             struct envl_error *err)
{
    size_t len;

    if (rest->len < 2)
        return broken(err, "it ends in its header");
    len = (size_t)rest->ptr[0] << 8 | rest->ptr[1];
    if (len < 1 || len > LAYOUT_WRAPPED_MAX || len > rest->len - 2)
        return broken(err, "its wrapped key has an impossible length");
    out->wrapped = (struct envl_bytes){ rest->ptr + 2, len };
    rest->ptr += 2 + len;
    rest->len -= 2 + len;
    return ENVL_OK;
}

/* The mode byte, and what follows it before the payload. */
static enum envl_status
take_mode(uint8_t mode, struct envl_bytes *rest, struct parsed *out,
          struct envl_error *err)
{
    out->wrapped = (struct envl_bytes){ NULL, 0 };
    if (mode > ENVL_MODE_WRAPPED) /* spec: ENV-3.3 */
        return broken(err, "its mode is not one of version 1");
    out->mode = (enum envl_mode)mode;
    return mode == ENVL_MODE_WRAPPED ? take_wrapped(rest, out, err) : ENVL_OK;
}

static enum envl_status
take_kid(struct envl_bytes kid, struct parsed *out, struct envl_error *err)
{
    if (!key_name_valid(kid)) /* spec: ENV-2.1 */
        return broken(err, "its key id is not one");
    out->kid = kid;
    return ENVL_OK;
}

/* ---- the encodings ------------------------------------------------------ */

/* spec: ENV-3.1 to ENV-3.4, ENV-7.3 */
static enum envl_status
parse_binary(struct envl_bytes in, struct parsed *out, struct envl_error *err)
{
    struct envl_bytes rest;
    enum envl_status status;

    if (in.len < 6 || in.len - 6 < in.ptr[5])
        return broken(err, "it ends in its header");
    status = take_kid((struct envl_bytes){ in.ptr + 6, in.ptr[5] }, out, err);
    if (status != ENVL_OK)
        return status;
    rest.ptr = out->kid.ptr + out->kid.len;
    rest.len = in.len - 6 - out->kid.len;
    status = take_mode(in.ptr[4], &rest, out, err);
    out->payload = rest;
    out->payload_len = rest.len;
    return status;
}

/* spec: ENV-7.1 */
static enum envl_status
parse_text(struct envl_bytes in, size_t at, struct work *work,
           struct parsed *out, struct envl_error *err)
{
    const uint8_t *kid = in.ptr + at, *colon;
    size_t left = in.len - at, total;
    struct envl_bytes body;
    enum envl_status status;

    colon = memchr(kid, ':', left < ENVL_KID_MAX + 1 ? left : ENVL_KID_MAX + 1);
    if (colon == NULL)
        return broken(err, "its key id is not one");
    status = take_kid((struct envl_bytes){ kid, (size_t)(colon - kid) }, out,
                      err);
    if (status != ENVL_OK)
        return status;
    left -= out->kid.len + 1;
    status = decode(work, (struct envl_bytes){ colon + 1, left }, &body,
                    &total, err);
    if (status != ENVL_OK)
        return status;
    if (body.len == 0)
        return broken(err, "it ends in its header");
    out->payload = (struct envl_bytes){ body.ptr + 1, body.len - 1 };
    status = take_mode(body.ptr[0], &out->payload, out, err);
    out->payload_len = total - (size_t)(out->payload.ptr - body.ptr);
    return status;
}

/* The strings of an object, raw. */
struct strings {
    struct envl_bytes kid, mode, payload, wrapped;
};

/* Exactly the members of an envelope, each once.  spec: ENV-7.2, ENV-7.6 */
static bool
collect(struct envl_bytes in, const struct object_scan *scan,
        struct strings *out)
{
    struct {
        const char *name;
        struct envl_bytes *value;
    } known[] = {
        { "kid", &out->kid },
        { "mode", &out->mode },
        { "payload", &out->payload },
        { "wrapped", &out->wrapped },
    };

    memset(out, 0, sizeof(*out));
    if (scan->count > OBJECT_SCAN_MEMBERS)
        return false;
    for (size_t i = 0; i < scan->count; i++) {
        const struct object_member *member = &scan->members[i];
        struct envl_bytes name = object_scan_part(in, member->name);
        size_t k = 0;

        if (object_scan_is(name, "env"))
            continue;
        while (k < 4 && !object_scan_is(name, known[k].name))
            k++;
        if (k == 4 || member->kind != OBJECT_SCAN_STRING ||
            known[k].value->ptr != NULL)
            return false;
        *known[k].value = object_scan_part(in, member->value);
    }
    return out->kid.ptr != NULL && out->mode.ptr != NULL &&
           out->payload.ptr != NULL;
}

static enum envl_status
object_kid(struct envl_bytes raw, struct parsed *out, struct envl_error *err)
{
    uint8_t plain[6 * ENVL_KID_MAX];
    size_t len;

    if (memchr(raw.ptr, '\\', raw.len) == NULL)
        return take_kid(raw, out, err);
    if (raw.len > sizeof(plain) || !object_scan_unescape(raw, plain, &len) ||
        len > ENVL_KID_MAX)
        return broken(err, "its key id is not one");
    memcpy(out->kid_text, plain, len);
    return take_kid((struct envl_bytes){ out->kid_text, len }, out, err);
}

/* As decode, for a string that may hold escapes. */
static enum envl_status
decode_string(struct work *work, struct envl_bytes raw,
              struct envl_bytes *kept, size_t *total, struct envl_error *err)
{
    enum envl_status status;
    uint8_t *plain;
    size_t len;

    if (raw.len == 0 || memchr(raw.ptr, '\\', raw.len) == NULL)
        return decode(work, raw, kept, total, err);
    plain = malloc(raw.len);
    if (plain == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for an envelope");
    if (object_scan_unescape(raw, plain, &len))
        status = decode(work, (struct envl_bytes){ plain, len }, kept, total,
                        err);
    else
        status = broken(err, "its base64url is not valid");
    free(plain);
    return status;
}

static enum envl_status
object_wrapped(struct envl_bytes raw, struct work *work, struct parsed *out,
               struct envl_error *err)
{
    enum envl_status status;
    size_t total;

    status = decode_string(work, raw, &out->wrapped, &total, err);
    if (status == ENVL_OK && (total < 1 || total > LAYOUT_WRAPPED_MAX))
        return broken(err, "its wrapped key has an impossible length");
    return status;
}

/*
 * What the scanner has read, taken strictly.  A string that is no JSON, or
 * holds what no member can, is no base64url, kid or mode: spec ENV-7.5,
 * ENV-7.10.
 */
static enum envl_status
parse_object(struct envl_bytes in, const struct object_scan *scan,
             struct work *work, struct parsed *out, struct envl_error *err)
{
    enum envl_status status;
    struct strings strings;

    if (!collect(in, scan, &strings))
        return broken(err, "its members are not those of version 1");
    if (object_scan_is(strings.mode, "derived"))
        out->mode = ENVL_MODE_DERIVED;
    else if (object_scan_is(strings.mode, "wrapped"))
        out->mode = ENVL_MODE_WRAPPED;
    else
        return broken(err, "its mode is not one of version 1");
    if ((out->mode == ENVL_MODE_WRAPPED) != (strings.wrapped.ptr != NULL))
        return broken(err, "its members are not those of version 1");

    out->wrapped = (struct envl_bytes){ NULL, 0 };
    status = object_kid(strings.kid, out, err);
    if (status == ENVL_OK && out->mode == ENVL_MODE_WRAPPED)
        status = object_wrapped(strings.wrapped, work, out, err);
    if (status == ENVL_OK)
        status = decode_string(work, strings.payload, &out->payload,
                               &out->payload_len, err);
    return status;
}

/* ---- all of them -------------------------------------------------------- */

/* spec: ENV-8.4 */
static enum envl_status
parse(struct envl_bytes in, struct work *work, struct parsed *out,
      struct envl_error *err)
{
    struct beginning found;
    enum envl_status status = beginning_find(in, &found);

    if (status != ENVL_OK)
        return beginning_fail(status, err);
    out->encoding = found.encoding;
    if (found.encoding == ENVL_ENCODING_TEXT)
        status = parse_text(in, found.at, work, out, err);
    else if (found.encoding == ENVL_ENCODING_BINARY)
        status = parse_binary(in, out, err);
    else
        status = parse_object(in, &found.scan, work, out, err);
    if (status == ENVL_OK && !payload_len_valid(out->payload_len))
        return broken(err, "its payload has an impossible length");
    return status;
}

enum envl_status
parse_whole(struct envl_bytes envelope, struct envl_span work,
            struct parsed *out, struct envl_error *err)
{
    struct work w = { work.ptr, work.len, false };

    return parse(envelope, &w, out, err);
}

enum envl_status
parse_head(struct envl_bytes envelope, uint8_t room[PARSE_HEAD_ROOM],
           struct parsed *out, struct envl_error *err)
{
    struct work w = { room, PARSE_HEAD_ROOM, true };

    return parse(envelope, &w, out, err);
}
