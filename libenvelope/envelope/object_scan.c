#include <string.h>

#include "envelope/object_scan.h"

/* What comes next.  spec: ENV-8.5, ENV-8.6 */
enum {
    BEFORE = 0,  /* white space, '{'           */
    FIRST,       /* white space, a name or '}' */
    WANT_NAME,
    IN_NAME,
    WANT_COLON,
    WANT_VALUE,
    AFTER_MINUS, /* a digit */
    IN_NUMBER,
    IN_LITERAL,
    IN_STRING,
    IN_NESTED,
    IN_NESTED_STRING,
    WANT_COMMA,  /* white space, ',' or '}' */
    OVER
};

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int
hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- names, their escapes undone as they come --------------------------- */

/* A name with anything but ASCII in it is none of ours: make it too long. */
static void
add_char(struct object_scan *scan, int c)
{
    if (c < 0)
        scan->word_len = sizeof(scan->word);
    if (scan->word_len < sizeof(scan->word))
        scan->word[scan->word_len++] = (char)c;
}

static void
escaped_byte(struct object_scan *scan, uint8_t c)
{
    scan->escape = false;
    if (c == 'u') {
        scan->hex = 4;
        scan->code = 0;
    } else {
        add_char(scan, c == '"' || c == '\\' || c == '/' ? c : -1);
    }
}

static void
hex_byte(struct object_scan *scan, uint8_t c)
{
    int digit = hex_digit(c);

    if (digit < 0) {
        add_char(scan, -1);
        scan->hex = 0;
        return;
    }
    scan->code = scan->code * 16 + (unsigned)digit;
    if (--scan->hex == 0)
        add_char(scan, scan->code < 0x80 ? (int)scan->code : -1);
}

/* A byte of a name; true for the quote that ends it. */
static bool
name_byte(struct object_scan *scan, uint8_t c)
{
    if (scan->escape) {
        escaped_byte(scan, c);
        return false;
    }
    if (scan->hex > 0)
        hex_byte(scan, c); /* the quote or '\' may also cut it short */
    else if (c != '"' && c != '\\')
        add_char(scan, c);
    scan->escape = c == '\\';
    return c == '"';
}

static bool
name_is(const struct object_scan *scan, const char *word)
{
    return scan->word_len == strlen(word) &&
           memcmp(scan->word, word, scan->word_len) == 0;
}

/* ---- members ------------------------------------------------------------ */

static void
begin_name(struct object_scan *scan, size_t at)
{
    memset(&scan->now, 0, sizeof(scan->now));
    scan->now.name.at = at + 1;
    scan->word_len = 0;
    scan->hex = 0;
    scan->escape = false;
    scan->state = IN_NAME;
}

/* The name and its ':' were read. */
static void
begin_member(struct object_scan *scan)
{
    scan->count++;
    if (name_is(scan, "env"))
        scan->envs++;
    if (name_is(scan, "payload"))
        scan->payload = true;
    scan->state = WANT_VALUE;
}

/* The first digit of a number was read. */
static void
begin_number(struct object_scan *scan)
{
    scan->now.kind = OBJECT_SCAN_NUMBER;
    scan->state = IN_NUMBER;
    if (name_is(scan, "env")) {
        scan->number = true;
        if (scan->count == 1)
            scan->first = true;
    }
}

/* The value ends before ${end}. */
static void
end_value(struct object_scan *scan, size_t end)
{
    scan->now.value.len = end - scan->now.value.at;
    if (scan->count <= OBJECT_SCAN_MEMBERS)
        scan->members[scan->count - 1] = scan->now;
    if (scan->now.kind == OBJECT_SCAN_NUMBER && name_is(scan, "env"))
        scan->env = scan->now.value;
    scan->state = WANT_COMMA;
}

static void
stop(struct object_scan *scan, size_t at, bool closed)
{
    scan->closed = closed;
    scan->stopped = !closed;
    scan->end = at;
    scan->state = OVER;
}

static void
begin_value(struct object_scan *scan, uint8_t c, size_t at)
{
    scan->now.value.at = at;
    if (c == '"') {
        scan->now.kind = OBJECT_SCAN_STRING;
        scan->now.value.at++;
        scan->state = IN_STRING;
    } else if (c == '{' || c == '[') {
        scan->now.kind = OBJECT_SCAN_NESTED;
        scan->depth = 1;
        scan->state = IN_NESTED;
    } else if (c == '-') {
        scan->state = AFTER_MINUS;
    } else if (is_digit(c)) {
        begin_number(scan);
    } else if (c >= 'a' && c <= 'z') {
        scan->now.kind = OBJECT_SCAN_LITERAL;
        scan->state = IN_LITERAL;
    } else {
        stop(scan, at, false);
    }
}

/* ---- bytes -------------------------------------------------------------- */

/* Where white space may be. */
static void
between(struct object_scan *scan, uint8_t c, size_t at)
{
    if (is_space(c))
        return;
    if (scan->state == BEFORE && c == '{')
        scan->state = FIRST;
    else if ((scan->state == FIRST || scan->state == WANT_NAME) && c == '"')
        begin_name(scan, at);
    else if ((scan->state == FIRST || scan->state == WANT_COMMA) && c == '}')
        stop(scan, at + 1, true);
    else if (scan->state == WANT_COLON && c == ':')
        begin_member(scan);
    else if (scan->state == WANT_COMMA && c == ',')
        scan->state = WANT_NAME;
    else if (scan->state == WANT_VALUE)
        begin_value(scan, c, at);
    else
        stop(scan, at, false);
}

/* In a string that is not a name, or in what is nested. */
static void
inside(struct object_scan *scan, uint8_t c, size_t at)
{
    if (scan->escape) {
        scan->escape = false;
    } else if (scan->state == IN_NESTED) {
        if (c == '"')
            scan->state = IN_NESTED_STRING;
        else if (c == '{' || c == '[')
            scan->depth++;
        else if ((c == '}' || c == ']') && --scan->depth == 0)
            end_value(scan, at + 1);
    } else if (c == '\\') {
        scan->escape = true;
    } else if (c == '"') {
        if (scan->state == IN_STRING)
            end_value(scan, at);
        else
            scan->state = IN_NESTED;
    }
}

static bool
number_goes_on(uint8_t c)
{
    return is_digit(c) || c == '+' || c == '-' || c == '.' || c == 'e' ||
           c == 'E';
}

static void
take(struct object_scan *scan, uint8_t c, size_t at)
{
    switch (scan->state) {
    case IN_NAME:
        if (name_byte(scan, c)) {
            scan->now.name.len = at - scan->now.name.at;
            scan->state = WANT_COLON;
        }
        return;
    case AFTER_MINUS:
        if (is_digit(c))
            begin_number(scan);
        else
            stop(scan, at, false);
        return;
    case IN_NUMBER:
        if (number_goes_on(c))
            return;
        break;
    case IN_LITERAL:
        if (c >= 'a' && c <= 'z')
            return;
        break;
    case IN_STRING: case IN_NESTED: case IN_NESTED_STRING:
        inside(scan, c, at);
        return;
    default:
        between(scan, c, at);
        return;
    }
    /* A number or literal has ended, and ${c} is what follows it. */
    end_value(scan, at);
    between(scan, c, at);
}

/* Bytes of a string that mean nothing, which most of them do. */
static size_t
skip_plain(const struct object_scan *scan, struct envl_bytes piece, size_t i)
{
    if (scan->escape ||
        (scan->state != IN_STRING && scan->state != IN_NESTED_STRING))
        return i;
    while (i < piece.len && piece.ptr[i] != '"' && piece.ptr[i] != '\\')
        i++;
    return i;
}

bool
object_scan_update(struct object_scan *scan, struct envl_bytes piece)
{
    size_t i = 0;

    while (scan->state != OVER && i < piece.len) {
        i = skip_plain(scan, piece, i);
        if (i < piece.len) {
            take(scan, piece.ptr[i], scan->offset + i);
            i++;
        }
    }
    scan->offset += i;
    return scan->state != OVER;
}

struct envl_bytes
object_scan_part(struct envl_bytes text, struct object_part part)
{
    return (struct envl_bytes){ text.ptr + part.at, part.len };
}

/* spec: ENV-8.6 */
bool
object_scan_begins(const struct object_scan *scan)
{
    return (scan->number && scan->payload) || (!scan->closed && scan->first);
}

/* ---- a raw string against a word ---------------------------------------- */

/* The ASCII character of the escape at ${raw}, or -1; ${taken} its length. */
static int
escaped_ascii(struct envl_bytes raw, size_t *taken)
{
    int value = 0;

    *taken = 2;
    if (raw.len < 2)
        return -1;
    if (raw.ptr[1] == '"' || raw.ptr[1] == '\\' || raw.ptr[1] == '/')
        return raw.ptr[1];
    if (raw.ptr[1] != 'u' || raw.len < 6)
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(raw.ptr[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    *taken = 6;
    return value < 0x80 ? value : -1;
}

bool
object_scan_is(struct envl_bytes raw, const char *word)
{
    for (; *word != '\0'; word++) {
        size_t taken = 1;
        int c;

        if (raw.len == 0)
            return false;
        c = raw.ptr[0] == '\\' ? escaped_ascii(raw, &taken) : raw.ptr[0];
        if (c != *word)
            return false;
        raw.ptr += taken;
        raw.len -= taken;
    }
    return raw.len == 0;
}

bool
object_scan_unescape(struct envl_bytes raw, uint8_t *out, size_t *len)
{
    size_t at = 0, count = 0;

    while (at < raw.len) {
        struct envl_bytes rest = { raw.ptr + at, raw.len - at };
        size_t taken = 1;
        int c = rest.ptr[0];

        if (c == '\\')
            c = escaped_ascii(rest, &taken);
        if (c < 0)
            return false;
        out[count++] = (uint8_t)c;
        at += taken;
    }
    *len = count;
    return true;
}
