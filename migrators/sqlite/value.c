#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "sqlite/value.h"

/* A context has room for 4096 bytes; a longer number is no identifier. */
#define DIGITS_MAX 512

enum envl_status
value_take(sqlite3_stmt *statement, int column, struct arena *arena,
           struct value *out)
{
    struct envl_bytes bytes;
    sqlite3_value *from;

    out->type = sqlite3_column_type(statement, column);
    switch (out->type) {
    case SQLITE_INTEGER:
        out->as.integer = sqlite3_column_int64(statement, column);
        return ENVL_OK;
    case SQLITE_FLOAT:
        out->as.real = sqlite3_column_double(statement, column);
        return ENVL_OK;
    case SQLITE_NULL:
        return ENVL_OK;
    case SQLITE_TEXT:
        bytes.ptr = sqlite3_column_text(statement, column);
        break;
    default:
        bytes.ptr = sqlite3_column_blob(statement, column);
        break;
    }
    bytes.len = (size_t)sqlite3_column_bytes(statement, column);
    /* An empty blob may be NULL; so is anything if memory is short. */
    from = sqlite3_column_value(statement, column);
    if (bytes.ptr == NULL &&
        (out->type == SQLITE_TEXT || sqlite3_value_bytes(from) > 0))
        return ENVL_E_NOMEM;
    return arena_dup(arena, bytes, &out->as.bytes);
}

int
value_bind(sqlite3_stmt *statement, int index, const struct value *value)
{
    struct envl_bytes bytes = { (const uint8_t *)"", 0 };

    switch (value->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(statement, index, value->as.integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(statement, index, value->as.real);
    case SQLITE_NULL:
        return sqlite3_bind_null(statement, index);
    default:
        if (value->as.bytes.len > 0)
            bytes = value->as.bytes;
        if (value->type == SQLITE_BLOB)
            return sqlite3_bind_blob64(statement, index, bytes.ptr, bytes.len,
                                       SQLITE_STATIC);
        return sqlite3_bind_text64(statement, index, (const char *)bytes.ptr,
                                   bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    }
}

struct envl_bytes
value_type_name(const struct value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        return (struct envl_bytes){ (const uint8_t *)"integer", 7 };
    case SQLITE_FLOAT:
        return (struct envl_bytes){ (const uint8_t *)"real", 4 };
    case SQLITE_TEXT:
        return (struct envl_bytes){ (const uint8_t *)"text", 4 };
    case SQLITE_BLOB:
        return (struct envl_bytes){ (const uint8_t *)"blob", 4 };
    default:
        return (struct envl_bytes){ (const uint8_t *)"null", 4 };
    }
}

struct envl_cell
value_cell(const struct value *value)
{
    const struct envl_cell other = { ENVL_KIND_OTHER, { NULL, 0 } };

    switch (value->type) {
    case SQLITE_NULL:
        return (struct envl_cell){ ENVL_KIND_NULL, { NULL, 0 } };
    case SQLITE_BLOB:
        return (struct envl_cell){ ENVL_KIND_BYTES, value->as.bytes };
    case SQLITE_TEXT:
        if (utf8_valid(value->as.bytes))
            return (struct envl_cell){ ENVL_KIND_TEXT, value->as.bytes };
        return other;
    default:
        return other;
    }
}

/* ---- identifiers -------------------------------------------------------- */

/* ${prefix} and ${text} in one piece. */
static enum envl_status
join(const char *prefix, struct envl_bytes text, struct arena *arena,
     struct envl_bytes *out)
{
    size_t head = strlen(prefix);
    uint8_t *copy = arena_alloc(arena, head + text.len + 1);

    if (copy == NULL)
        return ENVL_E_NOMEM;
    memcpy(copy, prefix, head);
    if (text.len > 0)
        memcpy(copy + head, text.ptr, text.len);
    copy[head + text.len] = '\0';
    *out = (struct envl_bytes){ copy, head + text.len };
    return ENVL_OK;
}

static enum envl_status
integer_text(int64_t integer, struct arena *arena, struct envl_bytes *out)
{
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (integer < 0)
        digits[--at] = '-';
    return join("int:", (struct envl_bytes){ (uint8_t *)digits + at,
                                             sizeof(digits) - at },
                arena, out);
}

/* A whole number is exact in decimal, however large. */
static enum envl_status
real_text(double real, struct arena *arena, struct envl_bytes *out)
{
    char digits[400];

    /* From 2^53 on every number is whole; infinity and NaN are none. */
    if (!(real > -1.7976931348623158e308 && real < 1.7976931348623158e308))
        return ENVL_OK;
    if (real > -9007199254740992.0 && real < 9007199254740992.0 &&
        (double)(int64_t)real != real)
        return ENVL_OK;
    snprintf(digits, sizeof(digits), "%.0f", real == 0 ? 0.0 : real);
    return join("int:", envl_bytes_of(digits), arena, out);
}

static enum envl_status
blob_text(struct envl_bytes bytes, struct arena *arena, struct envl_bytes *out)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t *text = arena_alloc(arena, bytes.len * 2 + 7);

    if (text == NULL)
        return ENVL_E_NOMEM;
    memcpy(text, "bin:0:", 6);
    for (size_t i = 0; i < bytes.len; i++) {
        text[6 + 2 * i] = (uint8_t)hex[bytes.ptr[i] >> 4];
        text[7 + 2 * i] = (uint8_t)hex[bytes.ptr[i] & 15];
    }
    text[6 + 2 * bytes.len] = '\0';
    *out = (struct envl_bytes){ text, 6 + 2 * bytes.len };
    return ENVL_OK;
}

enum envl_status
value_text(const struct value *value, struct arena *arena,
           struct envl_bytes *out)
{
    *out = (struct envl_bytes){ NULL, 0 };
    switch (value->type) {
    case SQLITE_INTEGER:
        return integer_text(value->as.integer, arena, out);
    case SQLITE_FLOAT:
        return real_text(value->as.real, arena, out);
    case SQLITE_BLOB:
        return blob_text(value->as.bytes, arena, out);
    case SQLITE_TEXT:
        if (utf8_valid(value->as.bytes))
            return join("str:", value->as.bytes, arena, out);
        return ENVL_OK;
    default:
        return ENVL_OK;
    }
}

/* ---- numbers of JSON ---------------------------------------------------- */

/* A JSON number taken apart: its digits without the point, and how many
   places the point stands behind the first of them. */
struct number {
    bool negative;
    char digits[DIGITS_MAX];
    long count, point;
};

static bool
take_digits(struct envl_bytes text, size_t *at, struct number *out)
{
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9';
         (*at)++) {
        if (out->count == DIGITS_MAX)
            return false;
        out->digits[out->count++] = (char)text.ptr[*at];
    }
    return true;
}

static bool
take_number(struct envl_bytes text, struct number *out)
{
    size_t at = 0;
    bool minus = false;
    long exponent = 0;

    out->negative = text.len > 0 && text.ptr[0] == '-';
    out->count = 0;
    at = out->negative ? 1 : 0;
    if (!take_digits(text, &at, out))
        return false;
    out->point = out->count;
    if (at < text.len && text.ptr[at] == '.') {
        at++;
        if (!take_digits(text, &at, out))
            return false;
    }
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
            minus = text.ptr[at++] == '-';
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
             at++) {
            if (exponent < 1000000)
                exponent = exponent * 10 + (text.ptr[at] - '0');
        }
    }
    out->point += minus ? -exponent : exponent;
    return at == text.len && out->count > 0;
}

/* The whole number in decimal, or nothing: spec JOB-35. */
static enum envl_status
number_text(struct envl_bytes text, struct arena *arena,
            struct envl_bytes *out)
{
    char whole[DIGITS_MAX + 2];
    struct number number;
    size_t len = 0;
    long first = 0;

    if (!take_number(text, &number))
        return ENVL_OK;
    while (first < number.count && number.digits[first] == '0')
        first++;
    if (first == number.count)
        return join("int:", envl_bytes_of("0"), arena, out);
    while (number.digits[number.count - 1] == '0')
        number.count--;
    if (number.point < number.count || number.point - first > DIGITS_MAX)
        return ENVL_OK;
    if (number.negative)
        whole[len++] = '-';
    for (long i = first; i < number.point; i++)
        whole[len++] = i < number.count ? number.digits[i] : '0';
    return join("int:", (struct envl_bytes){ (uint8_t *)whole, len }, arena,
                out);
}

enum envl_status
value_json_text(const struct envl_cell *cell, struct arena *arena,
                struct envl_bytes *out)
{
    *out = (struct envl_bytes){ NULL, 0 };
    if (cell->kind == ENVL_KIND_TEXT)
        return join("str:", cell->bytes, arena, out);
    if (cell->kind == ENVL_KIND_JSON)
        return number_text(cell->bytes, arena, out);
    return ENVL_OK;
}
