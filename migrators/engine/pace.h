/*
 * pace.h - how many rows the next batch takes, and how fast batches follow.
 *
 * The controller of research/migration.md d.4: the rate is an exponential
 * average (0.4) of rows written over time, the next batch is what that rate
 * does in target_ms, it grows by 1.2 at most and is halved on trouble.
 * Pages without a write say nothing of writing: they grow a read size of
 * their own.
 */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/job.h"

/* Of one worker. */
struct pace {
    const struct job_pace *limits;
    double rate;        /* rows written a millisecond; 0: not known yet */
    uint32_t rows;      /* of a batch that writes                       */
    uint32_t idle_rows; /* of a page that so far wrote nothing; 0: none  */
};

/* Of all workers: rows a second. */
struct pace_limit {
    uint32_t rows_per_s; /* 0: no limit */
    double free_at;      /* ms          */
};

/**
 * pace_widen(limits):
 * For a store in the same process, where a commit costs several syncs of the
 * disk and a row hardly anything: larger batches, unless the job says how
 * large.  target_ms still bounds them.
 */
void pace_widen(struct job_pace *limits);

/**
 * pace_init(pace, limits):
 * Begin with 500 rows, if the limits allow.
 */
void pace_init(struct pace *pace, const struct job_pace *limits);

/**
 * pace_rows(pace):
 * Rows for the next page.
 */
uint32_t pace_rows(const struct pace *pace);

/**
 * pace_batch(pace, written, ms):
 * A batch wrote ${written} rows in ${ms} milliseconds.
 */
void pace_batch(struct pace *pace, uint32_t written, uint64_t ms);

/**
 * pace_trouble(pace):
 * A lock, a timeout or a yield: halve, down to one row.
 */
void pace_trouble(struct pace *pace);

/**
 * pace_wait(limit, rows, now):
 * Book ${rows} with the common limit and return the milliseconds to wait
 * before going on.
 */
uint32_t pace_wait(struct pace_limit *limit, uint32_t rows, uint64_t now);

/**
 * pace_now():
 * Milliseconds of the monotonic clock.
 */
uint64_t pace_now(void);

/**
 * pace_jitter(ms):
 * A random number of milliseconds in ms/2 .. ms, so that two who collided do
 * not collide again.
 */
uint32_t pace_jitter(uint32_t ms);

#endif /* ENGINE_PACE_H */
