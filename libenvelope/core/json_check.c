#include <string.h>

#include "core/json_check.h"

/* What may come next; the numbers' states after N_ are by RFC 8259. */
enum {
    VALUE = 0,
    VALUE_OR_END,
    NAME,
    NAME_OR_END,
    COLON,
    COMMA_OR_END,
    STRING,
    ESCAPE,
    HEX,
    WORD,
    N_MINUS,    /* -      a digit must follow              */
    N_ZERO,     /* 0      nothing, or a fraction, exponent */
    N_WHOLE,    /* 12     the same, or digits              */
    N_POINT,    /* 1.     a digit must follow              */
    N_FRACTION, /* 1.5                                     */
    N_E,        /* 1e     a sign or digit must follow      */
    N_SIGN,     /* 1e+    a digit must follow              */
    N_EXPONENT, /* 1e+7                                    */
    DONE
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

static enum envl_status
push(struct json_check *check, bool object, struct envl_error *err)
{
    static const uint8_t zero = 0;
    uint8_t bit = (uint8_t)(1u << check->depth % 8);
    uint8_t *byte;

    if (check->depth / 8 >= check->stack.len) {
        enum envl_status status =
            envl_buf_append(&check->stack, (struct envl_bytes){ &zero, 1 },
                            err);

        if (status != ENVL_OK)
            return status;
    }
    byte = &check->stack.ptr[check->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    check->depth++;
    check->state = object ? NAME_OR_END : VALUE_OR_END;
    return ENVL_OK;
}

static bool
in_object(const struct json_check *check)
{
    size_t level = check->depth - 1;

    return (check->stack.ptr[level / 8] >> level % 8 & 1) != 0;
}

static void
end_value(struct json_check *check)
{
    check->state = check->depth == 0 ? DONE : COMMA_OR_END;
}

static bool
pop(struct json_check *check, uint8_t c)
{
    if (check->depth == 0 || c != (in_object(check) ? '}' : ']'))
        return false;
    check->depth--;
    end_value(check);
    return true;
}

static bool
begin_word(struct json_check *check, const char *rest)
{
    check->word = rest;
    check->state = WORD;
    return true;
}

/* The first byte of a value; brackets are the caller's. */
static bool
begin_value(struct json_check *check, uint8_t c)
{
    switch (c) {
    case '"':
        check->name = false;
        check->state = STRING;
        return true;
    case 't':
        return begin_word(check, "rue");
    case 'f':
        return begin_word(check, "alse");
    case 'n':
        return begin_word(check, "ull");
    case '-':
        check->state = N_MINUS;
        return true;
    case '0':
        check->state = N_ZERO;
        return true;
    default:
        check->state = N_WHOLE;
        return is_digit(c);
    }
}

static bool
in_string(struct json_check *check, uint8_t c)
{
    switch (check->state) {
    case ESCAPE:
        check->state = c == 'u' ? HEX : STRING;
        check->hex = 4;
        return c == 'u' || (c != 0 && strchr("\"\\/bfnrt", c) != NULL);
    case HEX:
        if (--check->hex == 0)
            check->state = STRING;
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    default:
        if (c == '"') {
            if (check->name)
                check->state = COLON;
            else
                end_value(check);
        } else if (c == '\\') {
            check->state = ESCAPE;
        }
        return c >= 0x20;
    }
}

/* Take ${c} into a number; false if the number does not go on with it. */
static bool
in_number(struct json_check *check, uint8_t c)
{
    unsigned state = check->state;
    bool whole = state == N_ZERO || state == N_WHOLE;

    if (is_digit(c)) {
        if (state == N_ZERO)
            return false;
        if (state == N_MINUS)
            check->state = c == '0' ? N_ZERO : N_WHOLE;
        else if (state == N_POINT)
            check->state = N_FRACTION;
        else if (state == N_E || state == N_SIGN)
            check->state = N_EXPONENT;
        return true;
    }
    if (c == '.' && whole) {
        check->state = N_POINT;
        return true;
    }
    if ((c == 'e' || c == 'E') && (whole || state == N_FRACTION)) {
        check->state = N_E;
        return true;
    }
    if ((c == '+' || c == '-') && state == N_E) {
        check->state = N_SIGN;
        return true;
    }
    return false;
}

static bool
number_may_end(unsigned state)
{
    return state == N_ZERO || state == N_WHOLE || state == N_FRACTION ||
           state == N_EXPONENT;
}

static bool
between(struct json_check *check, uint8_t c)
{
    switch (check->state) {
    case VALUE_OR_END:
        return c == ']' ? pop(check, c) : begin_value(check, c);
    case VALUE:
        return begin_value(check, c);
    case NAME_OR_END:
        if (c == '}')
            return pop(check, c);
        /* fallthrough */
    case NAME:
        check->name = true;
        check->state = STRING;
        return c == '"';
    case COLON:
        check->state = VALUE;
        return c == ':';
    case COMMA_OR_END:
        if (c != ',')
            return pop(check, c);
        check->state = in_object(check) ? NAME : VALUE;
        return true;
    default:
        return false;
    }
}

static enum envl_status
take(struct json_check *check, uint8_t c, struct envl_error *err)
{
    bool good;

    if (check->state >= N_MINUS && check->state <= N_EXPONENT) {
        if (in_number(check, c))
            return ENVL_OK;
        if (!number_may_end(check->state))
            goto bad;
        end_value(check); /* and ${c} is what follows the number */
    }
    if (check->state >= STRING && check->state <= HEX) {
        good = in_string(check, c);
    } else if (check->state == WORD) {
        good = c == (uint8_t)*check->word;
        if (good && *++check->word == '\0')
            end_value(check);
    } else if (is_space(c)) {
        good = true;
    } else if ((c == '{' || c == '[') &&
               (check->state == VALUE || check->state == VALUE_OR_END)) {
        return push(check, c == '{', err);
    } else {
        good = between(check, c);
    }
    if (good)
        return ENVL_OK;
bad:
    check->failed = true;
    return envl_fail(err, ENVL_E_USAGE, "the value is not JSON");
}

enum envl_status
json_check_update(struct json_check *check, struct envl_bytes piece,
                  struct envl_error *err)
{
    if (check->failed || !utf8_update(&check->utf8, piece)) {
        check->failed = true;
        return envl_fail(err, ENVL_E_USAGE, "the value is not JSON");
    }
    for (size_t i = 0; i < piece.len; i++) {
        enum envl_status status;
        uint8_t c = piece.ptr[i];

        /* Most bytes of most documents. */
        if (check->state == STRING && c >= 0x20 && c != '"' && c != '\\')
            continue;
        status = take(check, c, err);
        if (status != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

enum envl_status
json_check_finish(const struct json_check *check, struct envl_error *err)
{
    if (!check->failed && utf8_finish(&check->utf8) &&
        (check->state == DONE ||
         (check->depth == 0 && number_may_end(check->state))))
        return ENVL_OK;
    return envl_fail(err, ENVL_E_USAGE, "the value is not JSON");
}

void
json_check_free(struct json_check *check)
{
    envl_buf_free(&check->stack);
}
