#include <string.h>

#include "core/utf8.h"
#include "envelope/context_code.h"

static const char label[] = "libenvelope/v1"; /* its NUL belongs to it */
#define MODE_AT (sizeof(label))

/* spec: CTX-3, CTX-4, CTX-5, CTX-7; nothing is normalised: CTX-8, CTX-9 */
static enum envl_status
check_pair(const struct envl_pair *pair, struct envl_error *err)
{
    if (pair->name.len == 0)
        return envl_fail(err, ENVL_E_USAGE, "a context name is empty");
    if (memchr(pair->name.ptr, '=', pair->name.len) != NULL)
        return envl_fail(err, ENVL_E_USAGE, "a context name holds '='");
    if (memchr(pair->name.ptr, 0, pair->name.len) != NULL)
        return envl_fail(err, ENVL_E_USAGE, "a context name holds U+0000");
    if (!utf8_valid(pair->name) || !utf8_valid(pair->value))
        return envl_fail(err, ENVL_E_USAGE,
                         "a context name or value is not UTF-8");
    return ENVL_OK;
}

/* Unsigned bytes, the shorter first on a tie.  spec: CTX-10 */
static int
compare_names(struct envl_bytes a, struct envl_bytes b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, both);

    if (order != 0 || a.len == b.len)
        return order;
    return a.len < b.len ? -1 : 1;
}

/*
 * Check all of spec CTX and store the order of the pairs.  At most 32, and
 * mostly two: insertion.
 */
static enum envl_status
check_and_sort(const struct envl_context *context,
               uint8_t order[ENVL_CONTEXT_MAX_PAIRS], struct envl_error *err)
{
    size_t room = ENVL_CONTEXT_MAX_BYTES;

    if (context->count > ENVL_CONTEXT_MAX_PAIRS) /* spec: CTX-1 */
        return envl_fail(err, ENVL_E_USAGE, "a context of %zu pairs, at most "
                         "%u are allowed", context->count,
                         ENVL_CONTEXT_MAX_PAIRS);
    for (size_t i = 0; i < context->count; i++) {
        const struct envl_pair *pair = &context->pairs[i];
        enum envl_status status = ENVL_OK;
        size_t at = i;

        /* spec: CTX-2 */
        if (pair->name.len > room || pair->value.len > room - pair->name.len)
            return envl_fail(err, ENVL_E_USAGE, "a context of more than %u "
                             "bytes", ENVL_CONTEXT_MAX_BYTES);
        room -= pair->name.len + pair->value.len;
        status = check_pair(pair, err);
        if (status != ENVL_OK)
            return status;
        for (; at > 0; at--) {
            int less = compare_names(pair->name,
                                     context->pairs[order[at - 1]].name);

            if (less == 0) /* spec: CTX-6 */
                return envl_fail(err, ENVL_E_USAGE,
                                 "a context name is given twice");
            if (less > 0)
                break;
            order[at] = order[at - 1];
        }
        order[at] = (uint8_t)i;
    }
    return ENVL_OK;
}

static uint8_t *
put_u32(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
    return p + 4;
}

static uint8_t *
put_bytes(uint8_t *p, struct envl_bytes bytes)
{
    p = put_u32(p, bytes.len);
    if (bytes.len > 0)
        memcpy(p, bytes.ptr, bytes.len);
    return p + bytes.len;
}

enum envl_status
context_code_make(const struct envl_context *context, struct context_code *out,
                  struct envl_error *err)
{
    static const struct envl_context none = { NULL, 0 };
    uint8_t order[ENVL_CONTEXT_MAX_PAIRS];
    uint8_t *p = out->bytes;
    enum envl_status status;

    if (context == NULL)
        context = &none;
    status = check_and_sort(context, order, err);
    if (status != ENVL_OK)
        return status;

    /* spec: CTX-11; neither kid nor wrapped key is in it: CTX-12 */
    memcpy(p, label, sizeof(label));
    p += sizeof(label);
    *p++ = ENVL_MODE_DERIVED;
    p = put_u32(p, context->count);
    for (size_t i = 0; i < context->count; i++) {
        const struct envl_pair *pair = &context->pairs[order[i]];

        p = put_bytes(p, pair->name);
        p = put_bytes(p, pair->value);
    }
    out->len = (size_t)(p - out->bytes);
    return ENVL_OK;
}

void
context_code_set_mode(struct context_code *code, enum envl_mode mode)
{
    code->bytes[MODE_AT] = (uint8_t)mode;
}

struct envl_bytes
context_code_view(const struct context_code *code)
{
    return (struct envl_bytes){ code->bytes, code->len };
}

enum envl_status
envl_context_check(const struct envl_context *context, struct envl_error *err)
{
    static const struct envl_context none = { NULL, 0 };
    uint8_t order[ENVL_CONTEXT_MAX_PAIRS];

    return check_and_sort(context == NULL ? &none : context, order, err);
}
