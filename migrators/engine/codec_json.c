#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "engine/codec_json.h"

void
codec_json_shape(struct envl_bytes token, struct codec_shape *shape)
{
    for (size_t i = 1; i + 1 < token.len; i++) {
        const uint8_t *p = token.ptr + i;

        if (*p != '\\')
            continue;
        i++;
        if (p[1] == '/')
            shape->slash = true;
        if (p[1] != 'u')
            continue;
        i += 4;
        for (unsigned d = 2; d < 6; d++)
            shape->upper |= p[d] >= 'A' && p[d] <= 'F';
        if (memcmp(p + 2, "00", 2) != 0 || p[4] >= '8')
            shape->ascii = true;
        else if (p[4] == '3' || p[4] == '2')
            shape->html = true;
    }
}

/* The character at ${p}, which is UTF-8, and its length. */
static uint32_t
character(const uint8_t *p, size_t *len)
{
    if (p[0] < 0x80) {
        *len = 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *len = 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (p[0] < 0xf0) {
        *len = 3;
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 |
               (p[2] & 0x3f);
    }
    *len = 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
           (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

/* The letter behind the backslash, or 0. */
static char
short_escape(uint32_t c, const struct codec_shape *shape)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;

    if (at != NULL)
        return to[at - from];
    return c == '/' && shape->slash ? '/' : '\0';
}

static bool
by_number(uint32_t c, const struct codec_shape *shape)
{
    return c < 0x20 || (c >= 0x80 && shape->ascii) ||
           ((c == '<' || c == '>' || c == '&') && shape->html);
}

static int
number(char *out, size_t size, uint32_t unit, const struct codec_shape *shape)
{
    return snprintf(out, size, shape->upper ? "\\u%04X" : "\\u%04x",
                    (unsigned)unit);
}

enum envl_status
codec_json_encode(const struct codec_shape *shape, struct envl_bytes text,
                  struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = envl_buf_append(out, envl_bytes_of("\""), err);
    size_t len;

    if (!utf8_valid(text))
        return ENVL_E_FORMAT;
    for (size_t i = 0; i < text.len && status == ENVL_OK; i += len) {
        uint32_t c = character(text.ptr + i, &len);
        char letter = short_escape(c, shape), escape[16];
        struct envl_bytes piece = { text.ptr + i, len };
        int at = 0;

        if (letter != '\0') {
            snprintf(escape, sizeof(escape), "\\%c", letter);
            piece = envl_bytes_of(escape);
        } else if (by_number(c, shape)) {
            if (c > 0xffff)
                at = number(escape, 8, 0xd7c0 + (c >> 10), shape);
            number(escape + at, 8, c > 0xffff ? 0xdc00 | (c & 0x3ff) : c,
                   shape);
            piece = envl_bytes_of(escape);
        }
        status = envl_buf_append(out, piece, err);
    }
    return status == ENVL_OK ? envl_buf_append(out, envl_bytes_of("\""), err)
                             : status;
}
