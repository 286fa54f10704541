#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/zone.h"
#include "engine/zone_rule.h"

#define FILE_MOST (1024 * 1024)
#define HEAD      44u

struct zone {
    uint8_t *file;        /* the whole of it                           */
    const uint8_t *times; /* ${count} of 8 bytes, ascending            */
    const uint8_t *kinds; /* ${count} of 1: which of ${types}          */
    const uint8_t *types; /* of 6: offset (4), is summer, name         */
    uint32_t count, type_count;
    bool has_rule;        /* for what comes after the last of ${times} */
    struct zone_rule rule;
};

static uint32_t
be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static int64_t
time_at(const struct zone *zone, uint32_t i)
{
    const uint8_t *at = zone->times + (size_t)i * 8;

    return (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

static int32_t
offset_of(const struct zone *zone, uint32_t type)
{
    return (int32_t)be32(zone->types + (size_t)type * 6);
}

/* ---- the file ------------------------------------------------------------ */

/* The six counts of a header. */
struct counts {
    uint32_t utc, standard, leap, times, types, chars;
};

static bool
read_head(const uint8_t *at, size_t left, struct counts *out)
{
    static const uint8_t magic[4] = { 'T', 'Z', 'i', 'f' };

    if (left < HEAD || memcmp(at, magic, 4) != 0 || at[4] < '2')
        return false;
    *out = (struct counts){ be32(at + 20), be32(at + 24), be32(at + 28),
                            be32(at + 32), be32(at + 36), be32(at + 40) };
    return out->utc < 65536 && out->standard < 65536 && out->leap < 65536 &&
           out->times < 65536 && out->types < 65536 && out->chars < 65536;
}

static size_t
body_len(const struct counts *n, size_t time_size)
{
    return n->times * (time_size + 1) + (size_t)n->types * 6 + n->chars +
           n->leap * (time_size + 4) + n->standard + n->utc;
}

/* The line at the end of the file: "\nCET-1CEST,M3.5.0,M10.5.0/3\n". */
static bool
read_rule(const uint8_t *at, size_t left, struct zone *zone)
{
    char text[80];
    const uint8_t *end;

    if (left < 2 || at[0] != '\n')
        return false;
    end = memchr(at + 1, '\n', left - 1);
    if (end == NULL || (size_t)(end - at) > sizeof(text))
        return false;
    memcpy(text, at + 1, (size_t)(end - at) - 1);
    text[end - at - 1] = '\0';
    zone->has_rule = text[0] != '\0';
    return !zone->has_rule || zone_rule_parse(text, &zone->rule);
}

static bool
kinds_fit(const struct zone *zone)
{
    for (uint32_t i = 0; i < zone->count; i++) {
        if (zone->kinds[i] >= zone->type_count)
            return false;
    }
    return zone->type_count > 0;
}

static bool
understand(struct zone *zone, size_t len)
{
    const uint8_t *at = zone->file;
    struct counts n;
    size_t skip;

    /* The first part is for those who read 32 bits only. */
    if (!read_head(at, len, &n) || HEAD + body_len(&n, 4) > len)
        return false;
    skip = HEAD + body_len(&n, 4);
    at += skip;
    len -= skip;
    if (!read_head(at, len, &n) || HEAD + body_len(&n, 8) > len ||
        n.leap != 0)
        return false;
    zone->count = n.times;
    zone->type_count = n.types;
    zone->times = at + HEAD;
    zone->kinds = zone->times + (size_t)n.times * 8;
    zone->types = zone->kinds + n.times;
    skip = HEAD + body_len(&n, 8);
    return kinds_fit(zone) && read_rule(at + skip, len - skip, zone);
}

static bool
read_file(const char *name, struct zone *zone, size_t *len)
{
    const char *dir = getenv("TZDIR");
    char path[PATH_MAX];
    struct stat st;
    ssize_t got = -1;
    int fd, n;

    n = snprintf(path, sizeof(path), "%s/%s",
                 dir != NULL && dir[0] == '/' ? dir : "/usr/share/zoneinfo",
                 name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size <= FILE_MOST &&
        (zone->file = malloc((size_t)st.st_size + 1)) != NULL)
        got = read(fd, zone->file, (size_t)st.st_size);
    close(fd);
    *len = got < 0 ? 0 : (size_t)got;
    return got > 0 && got == st.st_size;
}

static bool
name_fits(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 64 && name[0] != '/' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_+/-") == len;
}

enum envl_status
zone_open(const char *name, struct zone **out, struct envl_error *err)
{
    struct zone *zone = calloc(1, sizeof(*zone));
    enum envl_status status = ENVL_OK;
    size_t len = 0;

    if (zone == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a time zone");
    if (strcmp(name, "UTC") == 0) {
        zone->has_rule = true; /* all zero */
    } else if (!name_fits(name) || !read_file(name, zone, &len)) {
        status = envl_fail(err, ENVL_E_USAGE, "there is no time zone \"%s\" "
                           "on this machine", name);
        envl_hint(err, "zones are named as in Europe/Berlin or UTC; the "
                  "package tzdata has them");
    } else if (!understand(zone, len)) {
        status = envl_fail(err, ENVL_E_USAGE, "the file of time zone \"%s\" "
                           "is not understood", name);
        envl_hint(err, "UTC needs none");
    }
    if (status == ENVL_OK)
        *out = zone;
    else
        zone_free(zone);
    return status;
}

int32_t
zone_offset(const struct zone *zone, int64_t when)
{
    uint32_t low = 0, high = zone->count;

    if (zone->count == 0 || when < time_at(zone, 0))
        return zone->count == 0 && zone->has_rule
                   ? zone_rule_offset(&zone->rule, when)
                   : offset_of(zone, 0);
    if (zone->has_rule && when >= time_at(zone, zone->count - 1))
        return zone_rule_offset(&zone->rule, when);
    while (high - low > 1) { /* the last time that is not after ${when} */
        uint32_t mid = low + (high - low) / 2;

        if (time_at(zone, mid) <= when)
            low = mid;
        else
            high = mid;
    }
    return offset_of(zone, zone->kinds[low]);
}

void
zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->file);
    free(zone);
}
