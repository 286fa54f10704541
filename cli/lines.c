#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"

#define STEP (256u * 1024u)

/* Move what is left to the front. */
static void
compact(struct lines *lines)
{
    if (lines->at == 0)
        return;
    memmove(lines->buf.ptr, lines->buf.ptr + lines->at,
            lines->buf.len - lines->at);
    lines->buf.len -= lines->at;
    lines->scanned -= lines->at;
    lines->at = 0;
}

enum envl_status
lines_fill(struct lines *lines, struct envl_error *err)
{
    enum envl_status status;
    ssize_t n;

    compact(lines);
    if (lines->buf.cap - lines->buf.len < STEP &&
        (status = envl_buf_reserve(&lines->buf, lines->buf.len + STEP,
                                   err)) != ENVL_OK)
        return status;
    do {
        n = read(lines->in.fd, lines->buf.ptr + lines->buf.len, STEP);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return envl_fail(err, ENVL_E_IO, "cannot read %s: %s", lines->in.name,
                         strerror(errno));
    if (n == 0)
        lines->ended = true;
    lines->buf.len += (size_t)n;
    return ENVL_OK;
}

/* A line without an end in sight: forget what came of it. */
static void
forget(struct lines *lines)
{
    lines->skipping = true;
    lines->at = lines->scanned = lines->buf.len;
}

bool
lines_next(struct lines *lines, struct line_view *out)
{
    uint8_t *begin, *end;
    size_t len;

    if (lines->buf.len == lines->scanned && !lines->ended)
        return false;
    begin = lines->buf.ptr + lines->at;
    end = lines->scanned < lines->buf.len
              ? memchr(lines->buf.ptr + lines->scanned, '\n',
                       lines->buf.len - lines->scanned)
              : NULL;
    if (end == NULL) {
        lines->scanned = lines->buf.len;
        len = lines->buf.len - lines->at;
        if (!lines->ended) {
            if (len > LINES_MAX || lines->skipping)
                forget(lines);
            return false;
        }
        if (len == 0 && !lines->skipping)
            return false;
        lines->at = lines->buf.len;
    } else {
        len = (size_t)(end - begin);
        lines->at += len + 1;
        lines->scanned = lines->at;
    }
    *out = (struct line_view){ { begin, len },
                               lines->skipping || len > LINES_MAX };
    lines->skipping = false;
    return true;
}

void
lines_free(struct lines *lines)
{
    envl_buf_free(&lines->buf);
}
