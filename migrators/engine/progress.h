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
    char reason[24];      /* of the wait that was last said     */
    uint64_t said;        /* ms: when                           */
    uint64_t over;        /* ms: since when it is over; 0: it is not */
};

/* How it stands. */
struct progress_state {
    uint64_t rows;        /* of the phase                       */
    struct ledger sum;    /* of the pass                        */
    const char *reason;   /* what is waited for, by its name: "" for nothing */
    const char *waiting;  /* the same in words                  */
    uint32_t batch_rows, batch_ms; /* of the latest batch       */
    int64_t guard_writes; /* < 0: not known                     */
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
 * progress_tick(progress, state):
 * At most ten times a second.  Passes on what plugins noted; a wait is told
 * when it begins, every 30 s, and when it is over.
 */
void progress_tick(struct progress *progress,
                   const struct progress_state *state);

/**
 * progress_calm(progress):
 * Nothing more comes for now: a wait that is over is told to be.
 */
void progress_calm(struct progress *progress);

/**
 * progress_note(progress, text):
 * Say something once.
 */
void progress_note(struct progress *progress, const char *text);

#endif /* ENGINE_PROGRESS_H */
