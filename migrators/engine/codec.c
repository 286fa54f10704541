#include <string.h>

#include <sodium.h>

#include "core/json_scan.h"
#include "engine/codec.h"
#include "engine/codec_json.h"

static bool
holds(struct envl_bytes value, int byte)
{
    return value.len > 0 && memchr(value.ptr, byte, value.len) != NULL;
}

/* ---- base64 -------------------------------------------------------------- */

/* The length of the line break at ${at}: 0, 1 or 2. */
static size_t
break_at(struct envl_bytes value, size_t at)
{
    if (value.ptr[at] == '\n')
        return 1;
    return at + 1 < value.len && value.ptr[at] == '\r' &&
                   value.ptr[at + 1] == '\n' ? 2 : 0;
}

/*
 * Lines of one length, a multiple of 4, but for the last, which may be
 * shorter, is not empty, and may end in a break, too (RFC 2045).
 * ${out}, of value.len bytes, receives the characters without the breaks.
 */
static bool
join_lines(struct envl_bytes value, struct codec_shape *shape, uint8_t *out,
           size_t *len)
{
    size_t start = 0, at = 0, ends = 0;

    *len = 0;
    while (at < value.len) {
        size_t end = break_at(value, at);

        if (end == 0) {
            out[(*len)++] = value.ptr[at++];
            continue;
        }
        if (ends++ == 0) {
            shape->crlf = end == 2;
            shape->line = (uint32_t)(at - start);
        }
        if (shape->crlf != (end == 2) || at == start ||
            at - start > shape->line)
            return false;
        at += end;
        shape->final_end = at == value.len;
        if (at - end - start != shape->line && !shape->final_end)
            return false;
        start = at;
    }
    if (ends == 0 || (ends == 1 && shape->final_end)) {
        shape->line = 0;
        return true;
    }
    return shape->line % 4 == 0 && at - start <= shape->line;
}

/*
 * RFC 4648 section 4 or 5, with or without padding; libsodium refuses other
 * characters, a mixture of the two alphabets, a wrong length, wrong padding
 * and trailing bits that are not zero.
 */
static int
variant_of(const struct codec_shape *shape)
{
    return shape->url ? shape->padded
                            ? sodium_base64_VARIANT_URLSAFE
                            : sodium_base64_VARIANT_URLSAFE_NO_PADDING
           : shape->padded ? sodium_base64_VARIANT_ORIGINAL
                           : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
}

static enum envl_status
decode_base64(struct envl_bytes value, const struct codec_room *room,
              struct codec_shape *shape, struct envl_bytes *out,
              struct envl_error *err)
{
    size_t len = value.len / 4 * 3 + 2;
    uint8_t *bytes = slab_take(room->slab, len + 1, err);

    if (bytes == NULL)
        return ENVL_E_NOMEM;
    if (holds(value, '\n')) {
        uint8_t *joined = slab_take(room->slab, value.len, err);

        if (joined == NULL)
            return ENVL_E_NOMEM;
        if (!join_lines(value, shape, joined, &value.len))
            return ENVL_E_FORMAT;
        value.ptr = joined;
    }
    shape->url = holds(value, '-') || holds(value, '_');
    shape->padded = value.len > 0 && value.ptr[value.len - 1] == '=';
    if (sodium_base642bin(bytes, len, (const char *)value.ptr, value.len,
                          NULL, &len, NULL, variant_of(shape)) != 0)
        return ENVL_E_FORMAT;
    if (!shape->url && value.len % 4 == 0)
        shape->padded = true;
    *out = (struct envl_bytes){ bytes, len };
    return ENVL_OK;
}

static enum envl_status
append_lines(const struct codec_shape *shape, struct envl_bytes text,
             struct envl_buf *out, struct envl_error *err)
{
    struct envl_bytes end = envl_bytes_of(shape->crlf ? "\r\n" : "\n");
    size_t line = shape->line == 0 ? text.len : shape->line;
    enum envl_status status = ENVL_OK;

    while (text.len > 0 && status == ENVL_OK) {
        size_t len = text.len < line ? text.len : line;

        status = envl_buf_append(out, (struct envl_bytes){ text.ptr, len },
                                 err);
        text.ptr += len;
        text.len -= len;
        if (status == ENVL_OK && (text.len > 0 || shape->final_end))
            status = envl_buf_append(out, end, err);
    }
    return status;
}

static enum envl_status
encode_base64(const struct codec_shape *shape, struct envl_bytes value,
              struct envl_buf *out, struct envl_error *err)
{
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status;
    size_t size;

    if (value.len > SIZE_MAX / 2)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a value");
    size = sodium_base64_encoded_len(value.len, variant_of(shape));
    status = envl_buf_reserve(&text, size, err);
    if (status == ENVL_OK) {
        (void)sodium_bin2base64((char *)text.ptr, size, value.ptr, value.len,
                                variant_of(shape));
        text.len = strlen((const char *)text.ptr);
        status = append_lines(shape, envl_buf_view(&text), out, err);
    }
    envl_buf_free(&text);
    return status;
}

/* ---- hex ----------------------------------------------------------------- */

static enum envl_status
decode_hex(struct envl_bytes value, const struct codec_room *room,
           struct codec_shape *shape, struct envl_bytes *out,
           struct envl_error *err)
{
    size_t len = value.len / 2;
    uint8_t *bytes = slab_take(room->slab, len + 1, err);

    if (bytes == NULL)
        return ENVL_E_NOMEM;
    for (size_t i = 0; i < value.len; i++)
        shape->upper |= value.ptr[i] >= 'A' && value.ptr[i] <= 'F';
    if (sodium_hex2bin(bytes, len, (const char *)value.ptr, value.len, NULL,
                       &len, NULL) != 0)
        return ENVL_E_FORMAT;
    *out = (struct envl_bytes){ bytes, len };
    return ENVL_OK;
}

static enum envl_status
encode_hex(const struct codec_shape *shape, struct envl_bytes value,
           struct envl_buf *out, struct envl_error *err)
{
    const char *digits = shape->upper ? "0123456789ABCDEF"
                                      : "0123456789abcdef";
    enum envl_status status = value.len > SIZE_MAX / 2
                                  ? ENVL_E_NOMEM
                                  : envl_buf_reserve(out, 2 * value.len, err);

    for (size_t i = 0; status == ENVL_OK && i < value.len; i++) {
        out->ptr[out->len++] = (uint8_t)digits[value.ptr[i] >> 4];
        out->ptr[out->len++] = (uint8_t)digits[value.ptr[i] & 15];
    }
    return status;
}

/* ---- json ---------------------------------------------------------------- */

/* One JSON string and nothing around it, so that it can be written again. */
static enum envl_status
decode_json(struct envl_bytes value, const struct codec_room *room,
            struct codec_shape *shape, struct envl_bytes *out,
            struct envl_error *err)
{
    struct json_scan scan;
    enum envl_status status = ENVL_E_FORMAT;
    char *copy;

    json_scan_init(&scan, value);
    if (json_scan_next(&scan) == JSON_SCAN_STRING && scan.start == 0 &&
        scan.len == value.len && json_scan_next(&scan) == JSON_SCAN_END)
        status = json_scan_unescape(value, room->spare, err);
    json_scan_free(&scan);
    if (status == ENVL_OK) {
        codec_json_shape(value, shape);
        copy = slab_copy(room->slab, envl_buf_view(room->spare), err);
        *out = (struct envl_bytes){ (const uint8_t *)copy, room->spare->len };
        if (copy == NULL)
            status = ENVL_E_NOMEM;
    }
    envl_buf_clear(room->spare);
    return status;
}

/* ---- all of them --------------------------------------------------------- */

/* spec: JOB-23 */
enum envl_status
codec_decode(enum job_codec codec, struct envl_bytes value,
             const struct codec_room *room, struct codec_shape *shape,
             struct envl_bytes *out, struct envl_error *err)
{
    struct codec_shape found = { .url = false };
    enum envl_status status;

    status = codec == JOB_CODEC_BASE64
                 ? decode_base64(value, room, &found, out, err)
             : codec == JOB_CODEC_HEX
                 ? decode_hex(value, room, &found, out, err)
                 : decode_json(value, room, &found, out, err);
    if (status == ENVL_OK && shape != NULL)
        *shape = found;
    return status;
}

/* spec: JOB-28 */
enum envl_status
codec_encode(enum job_codec codec, const struct codec_shape *shape,
             struct envl_bytes value, struct envl_buf *out,
             struct envl_error *err)
{
    switch (codec) {
    case JOB_CODEC_BASE64:
        return encode_base64(shape, value, out, err);
    case JOB_CODEC_HEX:
        return encode_hex(shape, value, out, err);
    default:
        return codec_json_encode(shape, value, out, err);
    }
}
