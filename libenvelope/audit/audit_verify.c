#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sodium.h>

#include <envelope/audit.h>

#include "audit/audit_key.h"
#include "core/clock.h"
#include "core/file.h"

/* A log may be verified anywhere, by anybody who can read it. */
static const struct file_rules copy_rules = { FILE_ANY, "audit log", NULL,
                                              0 };

/* The lines of a file, one at a time. */
struct lines {
    int fd;
    uint8_t *room;     /* 2 * AUDIT_LINE_LIMIT */
    size_t begin, end; /* what is read and not given out */
    bool eof;
};

enum line_kind { LINE_WHOLE, LINE_TORN, LINE_LONG, LINE_NONE, LINE_FAILED };

static bool
fill(struct lines *lines)
{
    ssize_t got;

    memmove(lines->room, lines->room + lines->begin,
            lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;
    do {
        got = read(lines->fd, lines->room + lines->end,
                   2 * AUDIT_LINE_LIMIT - lines->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return false;
    lines->eof = got == 0;
    lines->end += (size_t)got;
    return true;
}

static enum line_kind
next_line(struct lines *lines, struct envl_bytes *out)
{
    for (;;) {
        const uint8_t *begin = lines->room + lines->begin;
        size_t have = lines->end - lines->begin;
        const uint8_t *lf = have == 0 ? NULL : memchr(begin, '\n', have);

        if (lf != NULL) {
            *out = (struct envl_bytes){ begin, (size_t)(lf - begin) };
            lines->begin += out->len + 1;
            return out->len < AUDIT_LINE_LIMIT ? LINE_WHOLE : LINE_LONG;
        }
        if (have >= AUDIT_LINE_LIMIT)
            return LINE_LONG;
        if (lines->eof)
            return have == 0 ? LINE_NONE : LINE_TORN;
        if (!fill(lines))
            return LINE_FAILED;
    }
}

/* Why the record does not follow ${place}, or NULL. */
static const char *
check(const struct audit_read *record, const struct audit_place *place,
      const struct audit_key *key, struct envl_audit_report *report)
{
    /* spec: AUD-13, AUD-30 */
    if (sodium_memcmp(record->previous, place->hash, AUDIT_HASH_LEN) != 0)
        return place->number == 0
                   ? "does not begin a log: what came before is gone"
                   : "does not follow the line before it";
    if (record->number != place->number + 1)
        return "is numbered wrongly";
    /* spec: AUD-31 */
    if (key == NULL || !audit_record_is_under(record, key))
        report->unauthenticated++;
    else if (!audit_record_mac_holds(record, key))
        return "was not written by somebody who can open this keyring";
    return NULL;
}

/* ${wanted}: the number of the record whose hash goes to ${hash}. */
struct mark {
    uint64_t wanted;
    char *hash; /* 65 characters */
};

static enum envl_status
walk(struct lines *lines, const struct audit_key *key, struct mark mark,
     struct envl_audit_report *out, struct envl_error *err)
{
    struct audit_place place = { .number = 0 };
    struct audit_read record;
    struct envl_bytes line;
    const char *why = NULL;
    enum line_kind kind;

    while (why == NULL && (kind = next_line(lines, &line)) != LINE_NONE) {
        if (kind == LINE_FAILED)
            return envl_fail(err, ENVL_E_IO, "the audit log cannot be read");
        if (kind == LINE_TORN)
            why = "is cut short";
        else if (kind == LINE_LONG)
            why = "is too long for a record";
        else if ((why = audit_record_read(line, &record)) == NULL)
            why = check(&record, &place, key, out);
        if (why != NULL) {
            out->broken_line = place.number + 1;
            snprintf(out->reason, sizeof(out->reason), "it %s", why);
            break;
        }
        place.number = record.number;
        memcpy(place.hash, record.hash, sizeof(place.hash));
        if (place.number == mark.wanted)
            sodium_bin2hex(mark.hash, 65, place.hash, sizeof(place.hash));
    }
    out->records = place.number;
    sodium_bin2hex(out->head, sizeof(out->head), place.hash,
                   sizeof(place.hash));
    return ENVL_OK;
}

/* Not to meet a writer halfway; where it cannot be had, go on without. */
static void
wait_for_writers(int fd)
{
    for (int i = 0; i < 200 && flock(fd, LOCK_SH | LOCK_NB) != 0; i++)
        clock_sleep_us(10000);
}

enum envl_status
envl_audit_verify(const char *path, struct envl_keyring *ring,
                  struct envl_audit_report *out, struct envl_error *err)
{
    char hash[65];

    return envl_audit_verify_at(path, ring, 0, hash, out, err);
}

enum envl_status
envl_audit_verify_at(const char *path, struct envl_keyring *ring,
                     uint64_t number, char hash[65],
                     struct envl_audit_report *out, struct envl_error *err)
{
    const struct mark mark = { number, hash };
    struct lines lines = { .fd = -1 };
    struct audit_key *key = NULL;
    struct envl_audit_report report = { .records = 0 };
    enum envl_status status;
    struct stat st;

    hash[0] = '\0';
    if ((status = file_open(path, &copy_rules, &lines.fd, &st, err)) !=
        ENVL_OK)
        return status;
    wait_for_writers(lines.fd);
    lines.room = malloc(2 * AUDIT_LINE_LIMIT);
    if (lines.room == NULL)
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory for a log");
    if (status == ENVL_OK && ring != NULL)
        status = audit_key_new(ring, &key, err);
    if (status == ENVL_OK)
        status = walk(&lines, key, mark, &report, err);
    if (status == ENVL_OK)
        *out = report;
    audit_key_free(key);
    free(lines.room);
    close(lines.fd);
    return status;
}
