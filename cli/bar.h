/*
 * bar.h - one line that says how far a sweep is, made to fit.
 */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

struct bar_style {
    unsigned width; /* columns that may be used                     */
    bool colour;
    bool blocks;    /* the terminal shows UTF-8                     */
};

struct bar_state {
    const char *phase;
    const char *waiting;    /* "" for nothing                       */
    double waited_s;
    const struct engine_event *event; /* ENGINE_PROGRESS            */
};

#define BAR_SIZE 1024u /* bytes that always suffice for a line */

/**
 * bar_draw(style, state, out):
 * Write the line, without a line feed, and return its columns: at most
 * style->width.  What matters least is left out first: the bar shrinks, then
 * conflicts, batch, rate and counts go.  Of a wait the words are cut.
 */
unsigned bar_draw(const struct bar_style *style,
                  const struct bar_state *state, char out[BAR_SIZE]);

#endif /* CLI_BAR_H */
