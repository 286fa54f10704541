#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "detect/assign.h"
#include "detect/charset.h"
#include "detect/mask.h"
#include "detect/name.h"
#include "detect/shape.h"
#include "detect/value.h"

#define MASK_MAX   64u
#define RANDOM_MAX 4096u /* longer ones are no tokens */

static void
free_names(char **names, size_t count)
{
    for (size_t i = 0; names != NULL && i < count; i++)
        free(names[i]);
    free(names);
}

static enum envl_status
copy_names(char ***out, const char *const *names, size_t count,
           struct envl_error *err)
{
    if (count == 0)
        return ENVL_OK;
    if ((*out = calloc(count, sizeof(**out))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < count; i++)
        if (((*out)[i] = strdup(names[i])) == NULL)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for names");
    return ENVL_OK;
}

/* It must stand in a JSON string, and in a line, without changing either. */
static bool
mask_is_plain(const char *mask)
{
    size_t len = strlen(mask);

    for (size_t i = 0; i < len; i++)
        if (!charset_has(CHARSET_DOTTED, (uint8_t)mask[i]) &&
            strchr("[]()<>*", mask[i]) == NULL)
            return false;
    return len > 0 && len <= MASK_MAX;
}

enum envl_status
mask_init(struct mask *mask, const struct envl_redact_rules *rules,
          struct envl_error *err)
{
    static const struct envl_redact_rules usual;
    const char *with;
    enum envl_status status;

    if (rules == NULL)
        rules = &usual;
    *mask = (struct mask){ .random = rules->random,
                           .name_count = rules->name_count,
                           .keep_count = rules->keep_count };
    with = rules->mask != NULL ? rules->mask : "[redacted]";
    if (!mask_is_plain(with))
        return envl_fail(err, ENVL_E_USAGE,
                         "a mask is 1 to %u letters, digits and []()<>*._-",
                         MASK_MAX);
    if ((mask->with = strdup(with)) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a mask");
    status = copy_names(&mask->names, rules->names, rules->name_count, err);
    if (status == ENVL_OK)
        status = copy_names(&mask->keep, rules->keep, rules->keep_count, err);
    return status;
}

void
mask_free(struct mask *mask)
{
    free_names(mask->names, mask->name_count);
    free_names(mask->keep, mask->keep_count);
    free(mask->with);
    *mask = (struct mask){ 0 };
}

static bool
listed(char *const *names, size_t count, struct envl_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == name.len &&
            strncasecmp(names[i], (const char *)name.ptr, name.len) == 0)
            return true;
    return false;
}

bool
mask_name(const struct mask *mask, struct envl_bytes name)
{
    if (listed(mask->keep, mask->keep_count, name))
        return false;
    return listed(mask->names, mask->name_count, name) ||
           name_judge(name) == NAME_SECRET;
}

enum envl_status
mask_put(struct mask *mask, struct envl_buf *out, struct envl_error *err)
{
    mask->masked++;
    return envl_buf_append(out, envl_bytes_of(mask->with), err);
}

/* Headers whose value has several words, to the end of the line. */
static bool
takes_line(struct envl_bytes name)
{
    static const char *const names[] = { "authorization", "cookie",
        "proxy-authorization", "set-cookie", "x-api-key", NULL };

    for (size_t i = 0; names[i] != NULL; i++)
        if (name.len == strlen(names[i]) &&
            strncasecmp(names[i], (const char *)name.ptr, name.len) == 0)
            return true;
    return false;
}

/* Words that no secret is: kept, so that a log can still be read. */
static bool
says_nothing(struct envl_bytes value)
{
    static const char *const words[] = { "null", "none", "nil", "true",
                                         "false", "undefined", NULL };

    for (size_t i = 0; words[i] != NULL; i++)
        if (value.len == strlen(words[i]) &&
            strncasecmp(words[i], (const char *)value.ptr, value.len) == 0)
            return true;
    return false;
}

/* The next value under a secret's name (or a random one), from ${from}. */
static bool
next_named(const struct mask *mask, struct envl_bytes line, size_t from,
           struct hit *hit)
{
    struct assign pair = { 0 };

    for (size_t at = from; assign_next(line, at, &pair);
         at = pair.at > at ? pair.at : at + 1) {
        bool line_long = takes_line(pair.name) && !pair.quoted &&
                         !listed(mask->keep, mask->keep_count, pair.name);

        if (value_is_envelope(pair.value)) {
            pair.at += pair.value.len; /* all of it passes */
            continue;
        }
        if (pair.at + pair.value.len <= from)
            continue;
        if (line_long || mask_name(mask, pair.name)) {
            struct envl_bytes value =
                line_long ? (struct envl_bytes){ line.ptr + pair.at,
                                                 line.len - pair.at }
                          : pair.value;

            if (says_nothing(value))
                continue;
            *hit = (struct hit){ pair.at, value.len, "named-secret", "",
                                 HIT_HIGH };
            return true;
        }
        if (mask->random && pair.value.len <= RANDOM_MAX &&
            value_is_random(pair.value)) {
            *hit = (struct hit){ pair.at, pair.value.len, "random-value", "",
                                 HIT_LOW };
            return true;
        }
    }
    return false;
}

static enum envl_status
copy(struct envl_buf *out, struct envl_bytes text, size_t from, size_t to,
     struct envl_error *err)
{
    return envl_buf_append(
        out, (struct envl_bytes){ text.ptr + from, to - from }, err);
}

/* The earlier of two; where they overlap, as long as both together. */
static struct hit
first_of(const struct hit *a, bool has_a, const struct hit *b, bool has_b)
{
    struct hit first = has_a ? *a : *b;
    const struct hit *other = b;

    if (!has_a || !has_b)
        return first;
    if (b->at < a->at) {
        first = *b;
        other = a;
    }
    if (other->at < first.at + first.len &&
        other->at + other->len > first.at + first.len)
        first.len = other->at + other->len - first.at;
    return first;
}

enum envl_status
mask_text(struct mask *mask, struct envl_bytes line, struct envl_buf *out,
          bool *in_key, struct envl_error *err)
{
    struct hit shape = { 0 }, named = { 0 }, hit;
    bool has_shape = true, has_named = true;
    enum envl_status status = ENVL_OK;
    size_t done = 0;

    *in_key = false;
    while (status == ENVL_OK) {
        /* Each is looked for again only once it has been passed. */
        if (has_shape && (shape.len == 0 || shape.at < done))
            has_shape = shape_next(line, done, &shape);
        if (has_named && (named.len == 0 || named.at < done))
            has_named = next_named(mask, line, done, &named);
        if (!has_shape && !has_named)
            break;
        hit = first_of(&shape, has_shape, &named, has_named);
        if (has_shape && strcmp(shape.rule, "private-key-part") == 0 &&
            hit.at + hit.len >= line.len)
            *in_key = true;
        status = copy(out, line, done, hit.at, err);
        if (status == ENVL_OK)
            status = mask_put(mask, out, err);
        done = hit.at + hit.len;
    }
    if (status == ENVL_OK)
        status = copy(out, line, done, line.len, err);
    return status;
}
