/*
 * The strings of json_scan.h: escapes undone and done.
 */
#include <string.h>

#include "core/json_scan.h"

static uint32_t
hex_value(uint8_t c)
{
    if (c <= '9')
        return (uint32_t)c - '0';
    return (uint32_t)(c | 0x20) - 'a' + 10;
}

/* The four digits after "\u". */
static uint32_t
code_unit(const uint8_t *p)
{
    return hex_value(p[0]) << 12 | hex_value(p[1]) << 8 |
           hex_value(p[2]) << 4 | hex_value(p[3]);
}

/* UTF-8 of a code point; returns its length. */
static size_t
put_utf8(uint32_t cp, uint8_t out[4])
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (uint8_t)(0xc0 | cp >> 6);
        out[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (uint8_t)(0xe0 | cp >> 12);
        out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | cp >> 18);
    out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

/*
 * Undo the escape at ${p} (its backslash), which the scanner has checked.
 * Returns the bytes it takes, or 0 for a lone surrogate.
 */
static size_t
undo_escape(const uint8_t *p, const uint8_t *end, uint8_t out[4], size_t *len)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *name = strchr(names, p[1]);
    uint32_t cp, low;

    if (p[1] != 'u') {
        out[0] = name == NULL ? p[1] : (uint8_t)bytes[name - names];
        *len = 1;
        return 2;
    }
    cp = code_unit(p + 2);
    if (cp < 0xd800 || cp > 0xdfff) {
        *len = put_utf8(cp, out);
        return 6;
    }
    if (cp > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return 0;
    low = code_unit(p + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *len = put_utf8(0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00), out);
    return 12;
}

static enum envl_status
unescape(struct envl_bytes raw, bool lenient, struct envl_buf *out,
         struct envl_error *err)
{
    const uint8_t *p = raw.ptr, *end = raw.ptr + raw.len;
    size_t before = out->len;
    enum envl_status status;

    /* An escape is never shorter than what it stands for. */
    status = envl_buf_reserve(out, raw.len, err);
    if (status != ENVL_OK)
        return status;
    while (p < end) {
        const uint8_t *escape = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((escape == NULL ? end : escape) - p);
        uint8_t utf8[4];
        size_t len = 0, taken;

        memcpy(out->ptr + out->len, p, run);
        out->len += run;
        p += run;
        if (escape == NULL)
            break;
        taken = undo_escape(p, end, utf8, &len);
        if (taken == 0 && lenient) {
            len = put_utf8(0xfffd, utf8);
            taken = 6;
        } else if (taken == 0) {
            out->len = before;
            return envl_fail(err, ENVL_E_FORMAT, "a JSON string holds half "
                             "of a surrogate pair");
        }
        memcpy(out->ptr + out->len, utf8, len);
        out->len += len;
        p += taken;
    }
    return ENVL_OK;
}

enum envl_status
json_scan_unescape(struct envl_bytes token, struct envl_buf *out,
                   struct envl_error *err)
{
    return unescape((struct envl_bytes){ token.ptr + 1, token.len - 2 },
                    false, out, err);
}

enum envl_status
json_scan_unescape_raw(struct envl_bytes raw, struct envl_buf *out,
                       struct envl_error *err)
{
    return unescape(raw, true, out, err);
}

/* The escape of a byte that needs one; returns its length. */
static size_t
escape(uint8_t c, uint8_t out[6])
{
    static const char digits[] = "0123456789abcdef";
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *known = c == 0 ? NULL : strchr(bytes, c);

    out[0] = '\\';
    if (c == '"' || c == '\\') {
        out[1] = c;
        return 2;
    }
    if (known != NULL) {
        out[1] = (uint8_t)names[known - bytes];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = (uint8_t)digits[c >> 4];
    out[5] = (uint8_t)digits[c & 0xf];
    return 6;
}

enum envl_status
json_scan_escape(struct envl_bytes text, struct envl_buf *out,
                 struct envl_error *err)
{
    size_t need = 2;
    enum envl_status status;
    uint8_t *p, six[6];

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        need += c >= 0x20 && c != '"' && c != '\\' ? 1 : escape(c, six);
        if (need > SIZE_MAX / 2)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for a string");
    }
    status = envl_buf_reserve(out, need, err);
    if (status != ENVL_OK)
        return status;
    p = out->ptr + out->len;
    *p++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            *p++ = c;
        else
            p += escape(c, p);
    }
    *p = '"';
    out->len += need;
    return ENVL_OK;
}
