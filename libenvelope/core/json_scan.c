#include <string.h>

#include "core/json_scan.h"
#include "core/utf8.h"

/* What may come next. */
enum {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* just after '[' */
    WANT_NAME_OR_END,  /* just after '{' */
    WANT_NAME,
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING, /* the outermost value is complete */
    FAILED
};

void
json_scan_init(struct json_scan *scan, struct envl_bytes text)
{
    memset(scan, 0, sizeof(*scan));
    scan->text = text;
    scan->expect = WANT_VALUE;
}

void
json_scan_free(struct json_scan *scan)
{
    envl_buf_free(&scan->stack);
}

static enum json_token
fail(struct json_scan *scan)
{
    scan->expect = FAILED;
    return JSON_SCAN_ERROR;
}

/* ---- the stack: one bit a level, 1 for an object ------------------------ */

#define INLINE_LEVELS (8 * sizeof(((struct json_scan *)NULL)->inline_stack))

static uint8_t *
level_byte(struct json_scan *scan, size_t level)
{
    if (level < INLINE_LEVELS)
        return &scan->inline_stack[level / 8];
    return &scan->stack.ptr[(level - INLINE_LEVELS) / 8];
}

static bool
push(struct json_scan *scan, bool object)
{
    static const uint8_t zero = 0;
    size_t level = scan->depth;
    uint8_t *byte;

    if (level >= INLINE_LEVELS &&
        (level - INLINE_LEVELS) / 8 >= scan->stack.len &&
        envl_buf_append(&scan->stack, (struct envl_bytes){ &zero, 1 },
                        NULL) != ENVL_OK) {
        scan->no_memory = true;
        return false;
    }
    byte = level_byte(scan, level);
    if (object)
        *byte = (uint8_t)(*byte | 1u << level % 8);
    else
        *byte = (uint8_t)(*byte & ~(1u << level % 8));
    scan->depth++;
    return true;
}

static bool
in_object(struct json_scan *scan)
{
    size_t level = scan->depth - 1;

    return (*level_byte(scan, level) >> level % 8 & 1) != 0;
}

/* ---- tokens ------------------------------------------------------------- */

/* The byte at ${at}, or 0, which no rule accepts, past the end. */
static uint8_t
peek(const struct json_scan *scan, size_t at)
{
    return at < scan->text.len ? scan->text.ptr[at] : 0;
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void
skip_space(struct json_scan *scan)
{
    for (;;) {
        uint8_t c = peek(scan, scan->at);

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        scan->at++;
    }
}

/* An escape after its '\'; returns the offset past it, or 0. */
static size_t
after_escape(const struct json_scan *scan, size_t at)
{
    uint8_t c = peek(scan, at);

    if (c == 'u') {
        for (size_t i = 1; i <= 4; i++) {
            if (!is_hex(peek(scan, at + i)))
                return 0;
        }
        return at + 5;
    }
    return c != 0 && strchr("\"\\/bfnrt", c) != NULL ? at + 1 : 0;
}

/* From the opening quote; returns the offset past the closing one, or 0. */
static size_t
after_string(const struct json_scan *scan, size_t at)
{
    size_t begin = ++at;
    bool ascii = true;

    for (; at < scan->text.len; at++) {
        uint8_t c = scan->text.ptr[at];

        if (c == '"')
            break;
        if (c < 0x20)
            return 0;
        if (c >= 0x80)
            ascii = false;
        if (c == '\\') {
            at = after_escape(scan, at + 1);
            if (at == 0)
                return 0;
            at--;
        }
    }
    if (at >= scan->text.len)
        return 0;
    if (!ascii && !utf8_valid((struct envl_bytes){ scan->text.ptr + begin,
                                                   at - begin }))
        return 0;
    return at + 1;
}

static size_t
after_digits(const struct json_scan *scan, size_t at)
{
    if (!is_digit(peek(scan, at)))
        return 0;
    while (is_digit(peek(scan, at)))
        at++;
    return at;
}

/* RFC 8259 section 6; returns the offset past the number, or 0. */
static size_t
after_number(const struct json_scan *scan, size_t at)
{
    if (peek(scan, at) == '-')
        at++;
    at = peek(scan, at) == '0' ? at + 1 : after_digits(scan, at);
    if (at != 0 && peek(scan, at) == '.')
        at = after_digits(scan, at + 1);
    if (at != 0 && (peek(scan, at) == 'e' || peek(scan, at) == 'E')) {
        at++;
        if (peek(scan, at) == '+' || peek(scan, at) == '-')
            at++;
        at = after_digits(scan, at);
    }
    return at;
}

static size_t
after_word(const struct json_scan *scan, size_t at, const char *word)
{
    size_t len = strlen(word);

    if (scan->text.len - at < len ||
        memcmp(scan->text.ptr + at, word, len) != 0)
        return 0;
    return at + len;
}

/* A token from scan->at to ${end}; 0 means that there was none. */
static enum json_token
give(struct json_scan *scan, size_t end, enum json_token token)
{
    if (end == 0)
        return fail(scan);
    scan->start = scan->at;
    scan->len = end - scan->at;
    scan->at = end;
    return token;
}

static enum json_token
end_value(struct json_scan *scan, enum json_token token)
{
    if (token != JSON_SCAN_ERROR)
        scan->expect = scan->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
    return token;
}

static enum json_token
open_level(struct json_scan *scan, bool object)
{
    if (!push(scan, object))
        return fail(scan);
    scan->expect = object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return give(scan, scan->at + 1,
                object ? JSON_SCAN_OBJECT_BEGIN : JSON_SCAN_ARRAY_BEGIN);
}

static enum json_token
close_level(struct json_scan *scan)
{
    bool object = in_object(scan);

    if (peek(scan, scan->at) != (object ? '}' : ']'))
        return fail(scan);
    scan->depth--;
    return end_value(scan, give(scan, scan->at + 1,
                                object ? JSON_SCAN_OBJECT_END
                                       : JSON_SCAN_ARRAY_END));
}

static enum json_token
take_value(struct json_scan *scan)
{
    size_t at = scan->at;

    switch (peek(scan, at)) {
    case '{':
        return open_level(scan, true);
    case '[':
        return open_level(scan, false);
    case '"':
        return end_value(scan, give(scan, after_string(scan, at),
                                    JSON_SCAN_STRING));
    case 't':
        return end_value(scan, give(scan, after_word(scan, at, "true"),
                                    JSON_SCAN_TRUE));
    case 'f':
        return end_value(scan, give(scan, after_word(scan, at, "false"),
                                    JSON_SCAN_FALSE));
    case 'n':
        return end_value(scan, give(scan, after_word(scan, at, "null"),
                                    JSON_SCAN_NULL));
    default:
        return end_value(scan, give(scan, after_number(scan, at),
                                    JSON_SCAN_NUMBER));
    }
}

static enum json_token
take_name(struct json_scan *scan)
{
    if (peek(scan, scan->at) != '"')
        return fail(scan);
    scan->expect = WANT_COLON;
    return give(scan, after_string(scan, scan->at), JSON_SCAN_NAME);
}

enum json_token
json_scan_next(struct json_scan *scan)
{
    skip_space(scan);
    switch (scan->expect) {
    case WANT_VALUE:
        return take_value(scan);
    case WANT_VALUE_OR_END:
        if (peek(scan, scan->at) == ']')
            return close_level(scan);
        return take_value(scan);
    case WANT_NAME_OR_END:
        if (peek(scan, scan->at) == '}')
            return close_level(scan);
        return take_name(scan);
    case WANT_NAME:
        return take_name(scan);
    case WANT_COLON:
        if (peek(scan, scan->at) != ':')
            return fail(scan);
        scan->at++;
        skip_space(scan);
        return take_value(scan);
    case WANT_COMMA_OR_END:
        if (peek(scan, scan->at) != ',')
            return close_level(scan);
        scan->at++;
        skip_space(scan);
        return in_object(scan) ? take_name(scan) : take_value(scan);
    case WANT_NOTHING:
        if (scan->at < scan->text.len)
            return fail(scan);
        scan->start = scan->at;
        scan->len = 0;
        return JSON_SCAN_END;
    default:
        return JSON_SCAN_ERROR;
    }
}

bool
json_scan_skip(struct json_scan *scan)
{
    size_t outside;

    if (scan->expect != WANT_VALUE_OR_END && scan->expect != WANT_NAME_OR_END)
        return scan->expect != FAILED;
    outside = scan->depth - 1;
    while (scan->depth > outside) {
        if (json_scan_next(scan) == JSON_SCAN_ERROR)
            return false;
    }
    return true;
}

bool
json_scan_valid(struct envl_bytes text)
{
    struct json_scan scan;
    enum json_token token;

    json_scan_init(&scan, text);
    do {
        token = json_scan_next(&scan);
    } while (token != JSON_SCAN_ERROR && token != JSON_SCAN_END);
    json_scan_free(&scan);
    return token == JSON_SCAN_END;
}
