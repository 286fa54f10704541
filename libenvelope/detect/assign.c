#include <string.h>

#include "detect/assign.h"
#include "detect/charset.h"

#define NAME_LONGEST 128u

static bool
is_quote(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`';
}

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool
in_name(uint8_t c)
{
    return charset_has(CHARSET_DOTTED, c) || c == '[' || c == ']' ||
           c == '$' || c >= 0x80;
}

/* The name that ends before the separator at ${at}; empty: there is none. */
static struct envl_bytes
name_before(struct envl_bytes text, size_t at)
{
    size_t end = at, begin;
    uint8_t quote = 0;

    while (end > 0 && is_blank(text.ptr[end - 1]))
        end--;
    if (end > 0 && is_quote(text.ptr[end - 1])) {
        quote = text.ptr[--end];
        if (end > 0 && text.ptr[end - 1] == '\\')
            end--;
    }
    begin = end;
    while (begin > 0 && end - begin < NAME_LONGEST) {
        uint8_t c = text.ptr[begin - 1];

        if (quote != 0 ? c == quote || c == '\n' || c == '\\' : !in_name(c))
            break;
        begin--;
    }
    if (quote != 0 && (begin == 0 || text.ptr[begin - 1] != quote))
        begin = end;
    return (struct envl_bytes){ text.ptr + begin, end - begin };
}

/* The offset of the quote ${mark} (escaped as it was opened), or the end. */
static size_t
closing(struct envl_bytes text, size_t at, uint8_t mark, bool escaped)
{
    for (; at < text.len && text.ptr[at] != '\n'; at++) {
        if (escaped) {
            if (text.ptr[at] == '\\' && at + 1 < text.len) {
                if (text.ptr[at + 1] == mark)
                    return at;
                /* \\\" is the inner text's own quote: skip it whole */
                if (text.ptr[at + 1] == '\\')
                    at += at + 3 < text.len && text.ptr[at + 2] == '\\' ? 3
                                                                       : 1;
            } else if (text.ptr[at] == mark) {
                return at;
            }
        } else if (text.ptr[at] == '\\') {
            at++;
        } else if (text.ptr[at] == mark) {
            return at;
        }
    }
    return at < text.len ? at : text.len;
}

static void
quoted_value(struct envl_bytes text, size_t at, struct assign *out)
{
    bool escaped = text.ptr[at] == '\\';
    uint8_t mark = text.ptr[at + escaped];
    size_t begin = at + escaped + 1, end;

    if (text.len - begin >= 2 && !escaped && text.ptr[begin] == mark &&
        text.ptr[begin + 1] == mark)
        begin += 2; /* three of them */
    end = closing(text, begin, mark, escaped);
    out->at = begin;
    out->value = (struct envl_bytes){ text.ptr + begin, end - begin };
    out->quoted = true;
    out->open = end >= text.len || text.ptr[end] == '\n';
}

static void
bare_value(struct envl_bytes text, size_t at, struct assign *out)
{
    size_t end = at;

    if (at > out->bare_from && at < out->bare_end)
        end = out->bare_end;
    while (end < text.len && text.ptr[end] > ' ' && text.ptr[end] != 0x7f &&
           memchr(",;\"'`<>|", text.ptr[end], 8) == NULL &&
           !(memchr("&)}]", text.ptr[end], 4) != NULL &&
             (end == at || text.ptr[at] != '$')))
        end++;
    out->at = out->bare_from = at;
    out->bare_end = end;
    out->value = (struct envl_bytes){ text.ptr + at, end - at };
    out->quoted = out->open = false;
}

/* Length of the separator at ${at}; 0: none. */
static size_t
separator(struct envl_bytes text, size_t at)
{
    uint8_t c = text.ptr[at], next = at + 1 < text.len ? text.ptr[at + 1] : 0;
    uint8_t before = at > 0 ? text.ptr[at - 1] : 0;

    if (c == '=') {
        if (memchr("=!<>~+-*/|", before, 10) != NULL && before != 0)
            return 0;
        if (next == '=' || next == '~')
            return 0;
        return next == '>' ? 2 : 1;
    }
    if (c == ':') {
        if (next == ':' || before == ':' || next == '/')
            return 0;
        return next == '=' ? 2 : 1;
    }
    return 0;
}

bool
assign_next(struct envl_bytes text, size_t from, struct assign *out)
{
    for (size_t i = from; i < text.len; i++) {
        size_t len = separator(text, i), at;

        if (len == 0)
            continue;
        out->name = name_before(text, i);
        if (out->name.len == 0)
            continue;
        for (at = i + len; at < text.len && is_blank(text.ptr[at]); at++)
            continue;
        if (at >= text.len || text.ptr[at] == '\n' || text.ptr[at] == '\r')
            continue;
        out->lined = text.ptr[i] == ':' || i + len < at;
        if (is_quote(text.ptr[at]) ||
            (text.ptr[at] == '\\' && at + 1 < text.len &&
             is_quote(text.ptr[at + 1])))
            quoted_value(text, at, out);
        else
            bare_value(text, at, out);
        if (out->value.len > 0)
            return true;
        i = at > i ? at - 1 : i;
    }
    return false;
}

struct envl_bytes
assign_line(struct envl_bytes text, const struct assign *assign)
{
    size_t end = assign->at;
    struct envl_bytes line;

    while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r' &&
           !(text.ptr[end] == '#' && end > assign->at &&
             is_blank(text.ptr[end - 1])))
        end++;
    while (end > assign->at && is_blank(text.ptr[end - 1]))
        end--;
    line = (struct envl_bytes){ text.ptr + assign->at, end - assign->at };
    return line;
}
