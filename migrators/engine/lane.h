/*
 * lane.h - one worker's way through one range: what is read, written and
 * committed at the moment, and what is known to stand.
 *
 * At most one read, one write and one commit are under way.  The record of
 * the range as it will be after the commit under way is ${now}; ${stood} is
 * its body as it was last known to be in the store.  Whatever goes wrong,
 * everything under way is ended and rolled back, ${now} is made from ${stood}
 * again, and reading goes on from its cursor.
 */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include "engine/batch.h"
#include "engine/retry.h"
#include "engine/workers.h"

struct lane {
    struct workers *all;
    struct session *session;
    struct slot *slot;
    struct record_range now;
    struct envl_buf body;   /* of the commit under way           */
    struct envl_buf stood;
    uint64_t stood_at;      /* ms                                */
    uint64_t opened;        /* ms                                */
    struct ledger told;     /* of it that progress knows         */
    struct batch cur, next;
    struct batch_settling settling;
    enum envl_outcome *outcomes;
    uint32_t outcome_cap;
    struct retry retry;
    struct worker *worker;
    struct pace *pace;      /* the worker's                      */
    struct hand *hand;      /* the worker's, or NULL             */
    bool taken;             /* the lease was ours                */
    bool reading, writing, committing;
    bool at_end;            /* every row was read                */
    uint32_t careful;       /* batches yet without overlap       */
    uint32_t failures;      /* since the last commit             */
    uint32_t pause;         /* ms: the last wait for a lock since then */
};

/**
 * lane_open(lane, worker, slot, err):
 * Take the lease of ${slot} and begin where its record stands.  Fails with
 * ENVL_E_LOCKED or ENVL_E_CONFLICT where it is somebody else's.
 */
enum envl_status lane_open(struct lane *lane, struct worker *worker,
                           struct slot *slot, struct envl_error *err);

/**
 * lane_rejoin(lane, err):
 * On a new connection: see what stands (a commit's answer may have been
 * lost), take the lease again.  ENVL_E_CONFLICT: somebody else has it.
 */
enum envl_status lane_rejoin(struct lane *lane, struct envl_error *err);

/**
 * lane_read_begin(lane, read, err), lane_read_end(lane, batch, err):
 * The latter also decides what becomes of each value; lane_read_take does
 * not.
 */
enum envl_status lane_read_begin(struct lane *lane,
                                 const struct envl_read *read,
                                 struct envl_error *err);
enum envl_status lane_read_end(struct lane *lane, struct batch *batch,
                               struct envl_error *err);
enum envl_status lane_read_take(struct lane *lane, struct batch *batch,
                                struct envl_error *err);

/**
 * lane_write_begin(lane, batch, err), lane_write_end(lane, err):
 * Nothing happens for a batch without edits; lane->outcomes says WRITTEN
 * for rows that were not touched.
 */
enum envl_status lane_write_begin(struct lane *lane,
                                  const struct batch *batch,
                                  struct envl_error *err);
enum envl_status lane_write_end(struct lane *lane, struct envl_error *err);

/**
 * lane_busy(lane, batch):
 * The write was rolled back for a lock: every row with an edit is BUSY.
 */
void lane_busy(struct lane *lane, const struct batch *batch);

/**
 * lane_settle(lane, batch, err):
 * Count ${batch} into lane->now.
 */
enum envl_status lane_settle(struct lane *lane, struct batch *batch,
                             struct envl_error *err);

/**
 * lane_commit_begin(lane, batch, err), lane_commit_end(lane, err):
 * Put lane->now with the write before it; ${batch} (NULL: none) is released.
 * Ending is harmless if no commit is under way.
 */
enum envl_status lane_commit_begin(struct lane *lane, struct batch *batch,
                                   struct envl_error *err);
enum envl_status lane_commit_end(struct lane *lane, struct envl_error *err);

/**
 * lane_quiet(lane):
 * End whatever is under way, roll back, forget all pages.
 */
void lane_quiet(struct lane *lane);

/**
 * lane_restore(lane, err):
 * Make lane->now what stands.
 */
enum envl_status lane_restore(struct lane *lane, struct envl_error *err);

/**
 * lane_close(lane, state):
 * Give the lease back, and the slot in ${state} with what stands.
 */
void lane_close(struct lane *lane, enum slot_state state);

#endif /* ENGINE_LANE_H */
