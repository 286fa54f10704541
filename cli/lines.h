/*
 * lines.h - input by lines, as many at once as have arrived.
 *
 * One read(2) a turn, so that whoever writes a line and waits gets its
 * answer, and a full pipe is worked off in large pieces.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>

#include "io.h"

#define LINES_MAX (16u * 1024u * 1024u) /* bytes of one line */

struct lines {
    struct io_source in;
    struct envl_buf buf;
    size_t at;      /* the next line begins here         */
    size_t scanned; /* no LF in buf from at to here      */
    bool ended;     /* there is nothing more to read     */
    bool skipping;  /* the rest of a line that is too long */
};

#define LINES_INIT { { -1, NULL }, ENVL_BUF_INIT, 0, 0, false, false }

/* One line, borrowed until the next lines_fill. */
struct line_view {
    struct envl_bytes text; /* without its LF          */
    bool too_long;          /* it was, and was skipped */
};

/**
 * lines_fill(lines, err):
 * Read once.  What lines_next gave before is gone.  Fails with ENVL_E_IO.
 */
enum envl_status lines_fill(struct lines *lines, struct envl_error *err);

/**
 * lines_next(lines, out):
 * The next line that is here whole, or at the end of input the rest; false if
 * there is none.
 */
bool lines_next(struct lines *lines, struct line_view *out);

/**
 * lines_free(lines):
 * Wipe and release.
 */
void lines_free(struct lines *lines);

#endif /* CLI_LINES_H */
