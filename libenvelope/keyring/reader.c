#include "keyring/reader.h"

#include <sodium.h>
#include <string.h>

#include "core/clock.h"

#define MAX_INTEGER 9007199254740991u /* 2^53 - 1 */

/*
 * The first refusal stands.  No stored value is in its text: this is said
 * before the MAC is checked.  spec: KEY-4
 */
bool
reader_refuse(struct reader *r, const char *name, const char *why)
{
    if (r->status == ENVL_OK && r->number > 0)
        r->status = envl_fail(r->err, ENVL_E_INTEGRITY,
                              "keyring: %s%zu: %s%s%s", r->part, r->number,
                              name, name[0] == '\0' ? "" : " ", why);
    else if (r->status == ENVL_OK)
        r->status = envl_fail(r->err, ENVL_E_INTEGRITY, "keyring: %s: %s%s%s",
                              r->part, name, name[0] == '\0' ? "" : " ",
                              why);
    return false;
}

bool
reader_no_memory(struct reader *r)
{
    if (r->status == ENVL_OK)
        r->status = envl_fail(r->err, ENVL_E_NOMEM,
                              "out of memory for a keyring");
    return false;
}

static struct envl_bytes
token(const struct reader *r)
{
    return (struct envl_bytes){ r->scan.text.ptr + r->scan.start,
                                r->scan.len };
}

/* The content of the string token, borrowed until the next string. */
bool
reader_content(struct reader *r, struct envl_bytes *out)
{
    struct envl_bytes raw = token(r);
    enum envl_status status;

    if (memchr(raw.ptr, '\\', raw.len) == NULL) {
        *out = (struct envl_bytes){ raw.ptr + 1, raw.len - 2 };
        return true;
    }
    r->text.len = 0;
    status = json_scan_unescape(raw, &r->text, NULL);
    if (status == ENVL_E_NOMEM)
        return reader_no_memory(r);
    if (status != ENVL_OK)
        return reader_refuse(r, "", "a string is not valid");
    *out = envl_buf_view(&r->text);
    return true;
}

bool
reader_string(struct reader *r, const char *name, struct envl_bytes *out)
{
    if (json_scan_next(&r->scan) != JSON_SCAN_STRING)
        return reader_refuse(r, name, "is not a string");
    return reader_content(r, out);
}

bool
reader_integer(struct reader *r, const char *name, uint64_t *out)
{
    uint64_t value = 0;
    struct envl_bytes raw;

    if (json_scan_next(&r->scan) != JSON_SCAN_NUMBER)
        return reader_refuse(r, name, "is not a number");
    raw = token(r);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] < '0' || raw.ptr[i] > '9' || i >= 16)
            return reader_refuse(r, name, "is out of range");
        value = value * 10 + (uint64_t)(raw.ptr[i] - '0');
    }
    if (value > MAX_INTEGER)
        return reader_refuse(r, name, "is out of range");
    *out = value;
    return true;
}

/* A name by the kid's rule, into an array of ENVL_NAME_SIZE. */
bool
reader_name(struct reader *r, const char *name, char out[ENVL_NAME_SIZE])
{
    struct envl_bytes text;

    if (!reader_string(r, name, &text))
        return false;
    if (!key_name_valid(text)) /* spec: KEY-6 */
        return reader_refuse(r, name, "breaks the rule for names");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* A date, or, where ${or_null}, null as an empty string. */
bool
reader_date(struct reader *r, const char *name, bool or_null,
            char out[ENVL_DATE_SIZE])
{
    enum json_token kind = json_scan_next(&r->scan);
    struct envl_bytes text;

    if (kind == JSON_SCAN_NULL && or_null) {
        out[0] = '\0';
        return true;
    }
    if (kind != JSON_SCAN_STRING)
        return reader_refuse(r, name, "is not a date");
    if (!reader_content(r, &text))
        return false;
    if (!clock_parse(text, NULL))
        return reader_refuse(r, name, "is not a date");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* base64url in its one form, of ${min} to room.len bytes. */
bool
reader_bytes(struct reader *r, const char *name, size_t min,
             struct envl_span *room)
{
    struct envl_bytes text;
    size_t len;

    if (!reader_string(r, name, &text))
        return false;
    /* spec: KEY-5 */
    if (sodium_base642bin(room->ptr, room->len, (const char *)text.ptr,
                          text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return reader_refuse(r, name, "is not base64url of the right length");
    if (len < min)
        return reader_refuse(r, name, "is too short");
    room->len = len;
    return true;
}

bool
reader_fixed(struct reader *r, const char *name, uint8_t *out, size_t len)
{
    struct envl_span room = { out, len };

    return reader_bytes(r, name, len, &room);
}

/*
 * An object whose BEGIN was read, with members of ${names}, each at most
 * once; ${seen} tells which there were, a bit each.  spec: KEY-4
 */
bool
reader_members(struct reader *r, const char *const *names,
               reader_member_fn *read, void *into, unsigned *seen)
{
    *seen = 0;
    for (;;) {
        enum json_token kind = json_scan_next(&r->scan);
        struct envl_bytes name;
        unsigned i;

        if (kind == JSON_SCAN_OBJECT_END)
            return true;
        if (kind != JSON_SCAN_NAME)
            return reader_refuse(r, "", "is not a JSON object");
        if (!reader_content(r, &name))
            return false;
        for (i = 0; names[i] != NULL; i++)
            if (strlen(names[i]) == name.len &&
                strncmp(names[i], (const char *)name.ptr, name.len) == 0)
                break;
        if (names[i] == NULL)
            return reader_refuse(r, "", "an unknown member");
        if (*seen & 1u << i)
            return reader_refuse(r, names[i], "is there twice");
        *seen |= 1u << i;
        if (!read(r, into, i))
            return false;
    }
}

/* The members in ${must} are there, and no others but those. */
bool
reader_require(struct reader *r, const char *const *names, unsigned seen,
               unsigned must)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        if ((must & ~seen) & 1u << i)
            return reader_refuse(r, names[i], "is missing");
        if ((seen & ~must) & 1u << i)
            return reader_refuse(r, names[i], "has no place here");
    }
    return true;
}
