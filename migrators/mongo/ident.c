#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/context.h>

#include "core/utf8.h"
#include "mongo/ident.h"

#define DIGITS_MAX 34 /* of a Decimal128 */

static const struct envl_cell other = { ENVL_KIND_OTHER, { NULL, 0 } };

/* ${prefix} and ${rest}, unless a context could not hold them. */
static enum envl_status
join(const char *prefix, struct envl_bytes rest, struct arena *arena,
     struct envl_cell *out)
{
    size_t len = strlen(prefix);
    uint8_t *text;

    *out = other;
    if (rest.len > ENVL_CONTEXT_MAX_BYTES - len)
        return ENVL_OK;
    if ((text = arena_alloc(arena, len + rest.len + 1)) == NULL)
        return ENVL_E_NOMEM;
    memcpy(text, prefix, len);
    if (rest.len > 0)
        memcpy(text + len, rest.ptr, rest.len);
    text[len + rest.len] = 0;
    *out = (struct envl_cell){ ENVL_KIND_TEXT, { text, len + rest.len } };
    return ENVL_OK;
}

/* ---- whole numbers ------------------------------------------------------- */

static enum envl_status
int64_text(int64_t number, struct arena *arena, struct envl_cell *out)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)number);
    return join("int:", envl_bytes_of(text), arena, out);
}

/* "%.0f" writes every digit of a whole double: at most 309 of them. */
static enum envl_status
double_text(double number, struct arena *arena, struct envl_cell *out)
{
    char text[400];

    *out = other;
    if (!isfinite(number) || trunc(number) != number)
        return ENVL_OK;
    if (number == 0)
        number = 0; /* -0 is 0 */
    snprintf(text, sizeof(text), "%.0f", fabs(number));
    return join(number < 0 ? "int:-" : "int:", envl_bytes_of(text), arena,
                out);
}

/* A decimal number taken apart: digits * 10^exponent. */
struct decimal {
    bool negative;
    char digits[DIGITS_MAX + 1];
    size_t count;
    long exponent;
};

/* libbson's text is digits with at most one point, then perhaps E and a
   signed exponent; false for Infinity and NaN. */
static bool
take_apart(const char *text, struct decimal *out)
{
    bool point = false;

    *out = (struct decimal){ .negative = *text == '-' };
    text += out->negative;
    for (; (*text >= '0' && *text <= '9') || *text == '.'; text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        out->exponent -= point;
        if (*text == '0' && out->count == 0)
            continue;
        if (out->count == DIGITS_MAX)
            return false;
        out->digits[out->count++] = *text;
    }
    if (*text == 'E')
        out->exponent += strtol(text + 1, NULL, 10);
    else if (*text != '\0')
        return false;
    return true;
}

static enum envl_status
decimal_text(const bson_decimal128_t *number, struct arena *arena,
             struct envl_cell *out)
{
    char text[BSON_DECIMAL128_STRING];
    static const uint8_t zero = '0';
    struct decimal d;
    uint8_t *whole;
    size_t zeros;

    *out = other;
    bson_decimal128_to_string(number, text);
    if (!take_apart(text, &d))
        return ENVL_OK;
    if (d.count == 0)
        return join("int:", (struct envl_bytes){ &zero, 1 }, arena, out);
    while (d.exponent < 0 && d.digits[d.count - 1] == '0') {
        d.count--;
        d.exponent++;
    }
    if (d.exponent < 0 || d.exponent > (long)ENVL_CONTEXT_MAX_BYTES)
        return ENVL_OK;
    zeros = (size_t)d.exponent;
    if ((whole = arena_alloc(arena, d.count + zeros)) == NULL)
        return ENVL_E_NOMEM;
    memcpy(whole, d.digits, d.count);
    memset(whole + d.count, '0', zeros);
    return join(d.negative ? "int:-" : "int:",
                (struct envl_bytes){ whole, d.count + zeros }, arena, out);
}

/* ---- bytes --------------------------------------------------------------- */

static enum envl_status
hex_text(const char *prefix, struct envl_bytes bytes, struct arena *arena,
         struct envl_cell *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *hex;

    *out = other;
    if (bytes.len > ENVL_CONTEXT_MAX_BYTES / 2)
        return ENVL_OK;
    if ((hex = arena_alloc(arena, 2 * bytes.len + 1)) == NULL)
        return ENVL_E_NOMEM;
    for (size_t i = 0; i < bytes.len; i++) {
        hex[2 * i] = (uint8_t)digits[bytes.ptr[i] >> 4];
        hex[2 * i + 1] = (uint8_t)digits[bytes.ptr[i] & 15];
    }
    return join(prefix, (struct envl_bytes){ hex, 2 * bytes.len }, arena,
                out);
}

static enum envl_status
uuid_text(const uint8_t bytes[16], struct arena *arena, struct envl_cell *out)
{
    char text[37], *p = text;

    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        p += snprintf(p, 3, "%02x", bytes[i]);
    }
    return join("uuid:", envl_bytes_of(text), arena, out);
}

static enum envl_status
binary_text(const bson_iter_t *at, struct arena *arena, struct envl_cell *out)
{
    bson_subtype_t subtype;
    const uint8_t *bytes;
    char prefix[16];
    uint32_t len;

    bson_iter_binary(at, &subtype, &len, &bytes);
    if (subtype == BSON_SUBTYPE_UUID && len == 16)
        return uuid_text(bytes, arena, out);
    snprintf(prefix, sizeof(prefix), "bin:%u:", (unsigned)subtype);
    return hex_text(prefix, (struct envl_bytes){ bytes, len }, arena, out);
}

static enum envl_status
string_text(const bson_iter_t *at, struct arena *arena, struct envl_cell *out)
{
    uint32_t len;
    const char *text = bson_iter_utf8(at, &len);
    struct envl_bytes bytes = { (const uint8_t *)text, len };

    *out = other;
    return utf8_valid(bytes) ? join("str:", bytes, arena, out) : ENVL_OK;
}

/* spec: JOB-35 */
enum envl_status
ident_text(const bson_iter_t *at, struct arena *arena, struct envl_cell *out)
{
    bson_decimal128_t decimal;

    switch (bson_iter_type(at)) {
    case BSON_TYPE_INT32:
        return int64_text(bson_iter_int32(at), arena, out);
    case BSON_TYPE_INT64:
        return int64_text(bson_iter_int64(at), arena, out);
    case BSON_TYPE_DOUBLE:
        return double_text(bson_iter_double(at), arena, out);
    case BSON_TYPE_DECIMAL128:
        bson_iter_decimal128(at, &decimal);
        return decimal_text(&decimal, arena, out);
    case BSON_TYPE_UTF8:
        return string_text(at, arena, out);
    case BSON_TYPE_OID:
        return hex_text("oid:", (struct envl_bytes){
            bson_iter_oid(at)->bytes, 12 }, arena, out);
    case BSON_TYPE_BINARY:
        return binary_text(at, arena, out);
    default:
        *out = other;
        return ENVL_OK;
    }
}
