/*
 * workers.h - threads that work through a list of ranges.
 *
 * Each worker has its own connection and takes one range after another.  The
 * caller's thread runs no range: it ticks, and everything the user is told is
 * told from there.
 */
#ifndef ENGINE_WORKERS_H
#define ENGINE_WORKERS_H

#include <pthread.h>

#include "engine/hand.h"
#include "engine/pace.h"
#include "engine/session.h"

enum slot_state {
    SLOT_FREE,    /* to be done, nobody's                     */
    SLOT_MINE,    /* a worker of this process is at it        */
    SLOT_FOREIGN, /* another process is at it                 */
    SLOT_DONE
};

/* One range as this process knows it. */
struct slot {
    enum slot_state state;
    uint32_t number;    /* of its record; 0 where there is none (verify) */
    uint64_t epoch;
    struct record_range range; /* as last committed */
};

struct workers {
    struct env *env;
    void *cookie;              /* the caller's                          */
    enum session_depth depth;
    pthread_mutex_t lock;      /* guards all below */
    pthread_cond_t changed;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t running;          /* threads                               */
    uint32_t want;             /* threads that there should be          */
    uint32_t leaving;          /* of the running ones                   */
    bool halt;                 /* finish the batch and stop             */
    bool paused;               /* start no batch                        */
    bool patient;              /* a closing pass: locked rows are waited for */
    enum envl_status status;   /* the first failure                     */
    struct envl_error error;
    struct ledger live;        /* of this phase: slots done and under way */
    char waiting[200];         /* what a worker waits for, "" if nothing */
    struct job_pace pace;      /* as it is steered                      */
    struct pace_limit limit;
    uint32_t batch_rows, batch_ms; /* of the latest that wrote          */
};

struct worker {
    struct workers *all;
    struct session *session;
    struct hand *hand; /* of a store that is immediate, else NULL */
    struct job_pace limits; /* as last steered, for this store */
    struct pace pace;       /* within ${limits}               */
    bool leaving;      /* it is one too many             */
    pthread_t thread;
};

/* Do one range; called in a worker's thread.  ENVL_OK: go on with another
   (the slot's new state was set with workers_put). */
typedef enum envl_status workers_range_fn(struct worker *worker,
                                          struct slot *slot,
                                          struct envl_error *err);
/* Called in the caller's thread about every WORKERS_TICK_MS. */
typedef enum envl_status workers_tick_fn(void *cookie, struct envl_error *err);

#define WORKERS_TICK_MS 50u

/**
 * workers_init(workers, env, depth):
 * No slots yet.
 */
void workers_init(struct workers *workers, struct env *env,
                  enum session_depth depth);

/**
 * workers_slots(workers, count, err):
 * Drop all slots and make ${count} new ones, zeroed.  ENVL_E_NOMEM.
 */
enum envl_status workers_slots(struct workers *workers, uint32_t count,
                               struct envl_error *err);

void workers_free(struct workers *workers);

struct workers_call {
    workers_range_fn *range;
    workers_tick_fn *tick;
    void *cookie;
};

#define WORKERS_MOST 256u

/**
 * workers_run(workers, threads, call, err):
 * Work until no slot is free, or something fails, or the user stops it, with
 * as many threads as there are free slots, at most ${threads}, or what
 * workers_steer says meanwhile.
 * Fails with the first failure of a worker or the tick, or with
 * ENVL_E_INTERRUPTED.
 */
enum envl_status workers_run(struct workers *workers, uint32_t threads,
                             const struct workers_call *call,
                             struct envl_error *err);

/**
 * workers_steer(workers, pace, paused):
 * Another pace from the next batch on, more or fewer threads, and whether a
 * batch may be begun at all.
 */
void workers_steer(struct workers *workers, const struct job_pace *pace,
                   bool paused);

/**
 * workers_count(workers, state):
 * How many slots are in ${state}.
 */
uint32_t workers_count(struct workers *workers, enum slot_state state);

/* ---- for the threads ----------------------------------------------------- */

/**
 * workers_put(workers, slot, state):
 * The worker is done with ${slot} for now.
 */
void workers_put(struct workers *workers, struct slot *slot,
                 enum slot_state state);

/**
 * workers_halting(workers):
 * True if no new batch is to be begun.
 */
bool workers_halting(struct workers *workers);

/**
 * workers_stop(workers):
 * What the user asked for: 0, 1 (after this batch) or 2 (now).
 */
int workers_stop(const struct workers *workers);

/**
 * workers_paused(workers):
 * True while the job yields.
 */
bool workers_paused(struct workers *workers);

/**
 * workers_surplus(worker):
 * True if there are more threads than there should be, and this one is to
 * leave after its batch.
 */
bool workers_surplus(struct worker *worker);

/**
 * workers_limits(worker):
 * Take over the pace as it is steered now, widened for the store.
 */
void workers_limits(struct worker *worker);

/**
 * workers_batch(workers, rows, ms):
 * For progress: a batch wrote ${rows} in ${ms}.
 */
void workers_batch(struct workers *workers, uint32_t rows, uint64_t ms);

/**
 * workers_blocked(workers, err):
 * ENVL_E_PARTIAL if more is quarantined than the job's limits allow.
 */
enum envl_status workers_blocked(struct workers *workers,
                                 struct envl_error *err);

/**
 * workers_sleep(workers, ms, why):
 * Wait, showing ${why} (NULL: nothing) meanwhile; false if it was cut short
 * by a stop.  ${cookie} is a struct workers: a session_pause_fn.
 */
bool workers_sleep(void *cookie, uint32_t ms, const char *why);

/**
 * workers_count_in(workers, before, now):
 * Add what a range's ledger gained from ${before} to ${now}.
 */
void workers_count_in(struct workers *workers, const struct ledger *before,
                      const struct ledger *now);

/**
 * workers_book(workers, rows):
 * Milliseconds to wait before the next batch under the job's row limit.
 */
uint32_t workers_book(struct workers *workers, uint32_t rows);

#endif /* ENGINE_WORKERS_H */
