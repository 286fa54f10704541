#include "detect/detect.h"
#include "detect/decode.h"
#include "detect/name.h"
#include "detect/shape.h"
#include "detect/value.h"

#define LEAST 4u /* shorter is no secret, whatever its name */

static bool
say(struct hit *hit, struct envl_bytes value, enum hit_sure sure,
    const char *rule, const char *why)
{
    *hit = (struct hit){ 0, value.len, rule, why, sure };
    return true;
}

static bool
is_number(struct envl_bytes value)
{
    size_t i = 0;

    while (i < value.len && ((value.ptr[i] >= '0' && value.ptr[i] <= '9') ||
                             value.ptr[i] == '.' || value.ptr[i] == '-'))
        i++;
    return i == value.len;
}

static bool
is_prose(struct envl_bytes value)
{
    size_t blanks = 0;

    for (size_t i = 0; i < value.len; i++)
        blanks += value.ptr[i] == ' ';
    return blanks >= 3 || (blanks >= 2 && value.len < 40);
}

/* Base64 of what a person can read was not drawn by chance. */
static bool
is_readable_base64(struct envl_bytes value)
{
    struct envl_buf inner = ENVL_BUF_INIT;
    bool readable = decode_base64(value, &inner);

    envl_buf_free(&inner);
    return readable;
}

static bool
by_name(struct envl_bytes value, struct hit *hit)
{
    if (value_is_digest(value))
        return say(hit, value, HIT_LOW, "password-hash",
                   "a stored hash under a secret's name");
    if (value_is_default(value))
        return say(hit, value, HIT_MEDIUM, "default-password",
                   "a password that software ships with");
    if (value_is_random(value))
        return say(hit, value, HIT_HIGH, "named-secret",
                   "random characters under a secret's name");
    if (value_is_reference(value) || is_prose(value) || is_number(value))
        return false;
    return say(hit, value, value.len >= 8 ? HIT_MEDIUM : HIT_LOW,
               "named-secret", "its name says that it is a secret");
}

bool
detect_value(struct envl_bytes name, struct envl_bytes value, struct hit *hit)
{
    enum name_says says;

    *hit = (struct hit){ 0 };
    while (value.len > 0 && (value.ptr[value.len - 1] == '\n' ||
                             value.ptr[value.len - 1] == '\r'))
        value.len--;
    if (value.len < LEAST || value_is_envelope(value))
        return false;
    if (shape_next(value, 0, hit))
        return true;
    if (value_is_placeholder(value))
        return false;

    says = name_judge(name);
    if (says == NAME_SECRET)
        return by_name(value, hit);
    if (says == NAME_PUBLIC || value_is_digest(value) ||
        value_is_reference(value) ||
        !value_is_random(value) || is_readable_base64(value))
        return false;
    if (says == NAME_MAYBE)
        return say(hit, value, HIT_MEDIUM, "random-value",
                   "random characters under a name that can mean a secret");
    return say(hit, value, HIT_LOW, "random-value", "random characters");
}
