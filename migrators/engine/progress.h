/*
 * progress.h - what the user is told while a call runs.
 *
 * Used from the caller's thread only.
 */
#ifndef ENGINE_PROGRESS_H
#define ENGINE_PROGRESS_H

#include "engine/engine.h"
#include "engine/host.h"
#include "engine/ledger.h"

struct progress {
    const struct engine_options *options;
    struct host *host;
    size_t notes;         /* of the host's that were passed on  */
    uint64_t total;       /* rows of this phase, an estimate    */
    uint64_t begun, last; /* ms                                 */
    uint64_t first_rows, last_rows;
    double rate;          /* rows a second, smoothed            */
    char waiting[200];    /* as last said                       */
};

/**
 * progress_init(progress, options, host):
 * Nothing is said yet.
 */
void progress_init(struct progress *progress,
                   const struct engine_options *options, struct host *host);

/**
 * progress_phase(progress, text, rows, total):
 * A phase begins, ${rows} of it done in earlier runs.
 */
void progress_phase(struct progress *progress, const char *text,
                    uint64_t rows, uint64_t total);

/**
 * progress_tick(progress, rows, sum, waiting):
 * At most ten times a second: ${rows} of the phase, ${sum} of the pass, and
 * what is waited for ("" for nothing).  Passes on what plugins noted.
 */
void progress_tick(struct progress *progress, uint64_t rows,
                   const struct ledger *sum, const char *waiting);

/**
 * progress_note(progress, text):
 * Say something once.
 */
void progress_note(struct progress *progress, const char *text);

#endif /* ENGINE_PROGRESS_H */
