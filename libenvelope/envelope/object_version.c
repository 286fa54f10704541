#include <string.h>

#include "envelope/object_version.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Reading position; ${at} never passes ${end}. */
struct reader {
    const uint8_t *at, *end;
};

static bool
take(struct reader *r, uint8_t c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* A number by JSON's grammar, cut into its digits. */
struct number {
    bool negative, integer, exponent_negative;
    struct envl_bytes whole, fraction, exponent;
};

static struct envl_bytes
take_digits(struct reader *r)
{
    struct envl_bytes digits = { r->at, 0 };

    while (r->at < r->end && is_digit(*r->at))
        r->at++;
    digits.len = (size_t)(r->at - digits.ptr);
    return digits;
}

static bool
read_number(struct envl_bytes text, struct number *out)
{
    struct reader r = { text.ptr, text.ptr + text.len };

    memset(out, 0, sizeof(*out));
    out->negative = take(&r, '-');
    out->whole = take_digits(&r);
    if (out->whole.len == 0 || (out->whole.len > 1 && out->whole.ptr[0] == '0'))
        return false;
    out->integer = r.at == r.end;
    if (take(&r, '.')) {
        out->fraction = take_digits(&r);
        if (out->fraction.len == 0)
            return false;
    }
    if (take(&r, 'e') || take(&r, 'E')) {
        out->exponent_negative = take(&r, '-');
        if (!out->exponent_negative)
            (void)take(&r, '+');
        out->exponent = take_digits(&r);
        if (out->exponent.len == 0)
            return false;
    }
    return r.at == r.end;
}

static uint8_t
digit_at(const struct number *n, size_t i)
{
    if (i < n->whole.len)
        return n->whole.ptr[i];
    return n->fraction.ptr[i - n->whole.len];
}

/* The exponent's size if it is at most ${limit}, else ${limit} + 1. */
static size_t
exponent_size(const struct number *n, size_t limit)
{
    size_t size = 0;

    for (size_t i = 0; i < n->exponent.len; i++) {
        size = size * 10 + (size_t)(n->exponent.ptr[i] - '0');
        if (size > limit)
            return limit + 1;
    }
    return size;
}

/*
 * On the decimal digits, never as floating point (spec: ENV-7.7): the one
 * digit that is not 0 is a 1, and the exponent moves it to the ones.
 */
static bool
equals_one(const struct number *n)
{
    size_t count = n->whole.len + n->fraction.len, at = 0, size;

    while (at < count && digit_at(n, at) == '0')
        at++;
    if (n->negative || at == count || digit_at(n, at) != '1')
        return false;
    for (size_t i = at + 1; i < count; i++) {
        if (digit_at(n, i) != '0')
            return false;
    }
    size = exponent_size(n, count);
    if (at < n->whole.len)
        return size == n->whole.len - 1 - at &&
               (size == 0 || n->exponent_negative);
    return size == at - n->whole.len + 1 && !n->exponent_negative;
}

enum envl_status
object_version(struct envl_bytes text, const struct object_scan *scan)
{
    struct number number;

    /* spec: ENV-8.7 */
    if (!scan->closed || scan->envs != 1)
        return ENVL_E_FORMAT;
    for (size_t i = scan->end; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return ENVL_E_FORMAT;
    }
    if (!read_number(object_scan_part(text, scan->env), &number))
        return ENVL_E_FORMAT;
    /* spec: ENV-8.3, ENV-7.7 */
    if (number.integer && !number.negative && number.whole.len == 1 &&
        number.whole.ptr[0] == '1')
        return ENVL_OK;
    if (!number.integer && equals_one(&number))
        return ENVL_E_FORMAT;
    return ENVL_E_VERSION;
}
