/*
 * sweep_progress.h - how far a sweep is: a bar that is redrawn on a terminal,
 * else one line every 30 s; with --json, lines on standard output for
 * the verbs that answer with lines, and nothing for those with one document.
 *
 * The terminal is one that moves its cursor (TERM is set and not "dumb");
 * NO_COLOR turns colours off.  Its width is asked for at each drawing, so
 * that a change of it is seen.
 */
#ifndef CLI_SWEEP_PROGRESS_H
#define CLI_SWEEP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "bar.h"
#include "engine/engine.h"
#include "metrics.h"

struct sweep_progress {
    bool terminal;    /* redraw                       */
    bool lines;       /* --json: as lines on standard output; else nothing */
    unsigned drawn;   /* columns of the line that stands there, or 0 */
    int64_t last;     /* when the last line was given */
    int64_t waits;    /* since when it waits          */
    struct bar_style style;
    struct metrics *metrics; /* NULL: no --metrics-file */
    char phase[64];
    char waiting[400];
};

/**
 * sweep_progress_init(progress, lines):
 * Find out what standard error is; ${lines}: whether the verb's --json is
 * lines.
 */
void sweep_progress_init(struct sweep_progress *progress, bool lines);

/**
 * sweep_progress_event(cookie, event):
 * An engine_event_fn; ${cookie} is a struct sweep_progress.
 */
void sweep_progress_event(void *cookie, const struct engine_event *event);

/**
 * sweep_progress_end(progress):
 * Erase a line that stands on the terminal.
 */
void sweep_progress_end(struct sweep_progress *progress);

#endif /* CLI_SWEEP_PROGRESS_H */
