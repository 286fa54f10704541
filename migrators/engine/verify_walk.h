/*
 * verify_walk.h - reading a range twice: everything opened, and whatever is
 * not as it was opened again.
 *
 * The first reading opens every envelope and keeps a digest of each stretch
 * of rows.  The second reads again and compares; a stretch that differs is
 * opened once more, and what was counted of it before is forgotten.  So rows
 * that moved behind the first reading are seen by the second, at the price of
 * a few bytes for some thousand rows.  spec: JOB-91
 */
#ifndef ENGINE_VERIFY_WALK_H
#define ENGINE_VERIFY_WALK_H

#include "engine/batch.h"
#include "engine/progress.h"
#include "engine/workers.h"

#define VERIFY_FINDINGS_MAX 1000u

/* Rows behind the stretch before, up to and with ${last}. */
struct verify_stretch {
    struct envl_buf last;
    uint8_t digest[16];
    uint32_t pages;
    uint64_t rows;
    struct census census;
    json_t *findings;       /* NULL: none */
    uint64_t finding_count; /* more than are listed, perhaps */
};

/* What is known of one slot. */
struct verify_track {
    struct verify_stretch *stretches;
    size_t count, cap;
    size_t checked; /* by the second reading */
};

struct verify {
    struct env env;
    struct session *control;
    struct workers workers;
    struct progress progress;
    struct verify_track *tracks; /* one a slot, and one a target for what
                                    came behind the last of its slots      */
    uint32_t track_count;
    uint32_t pages_each;      /* of a stretch                              */
    uint64_t finding_count;   /* listed so far; guarded by workers.lock    */
    uint64_t changed, changed_rows; /* stretches that differed; the same   */
    const char *active[64];   /* kids of active keys                       */
    size_t active_count;
    struct envl_key_info *keys;
    int64_t begun;            /* seconds since 1970                        */
};

/**
 * verify_walk_first(worker, slot, err), verify_walk_again(...):
 * The two readings of a slot; each a workers_range_fn.
 */
enum envl_status verify_walk_first(struct worker *worker, struct slot *slot,
                                   struct envl_error *err);
enum envl_status verify_walk_again(struct worker *worker, struct slot *slot,
                                   struct envl_error *err);

/**
 * verify_walk_tail(verify, target, after, track, err):
 * Open what lies behind ${after} now, in the caller's thread.
 */
enum envl_status verify_walk_tail(struct verify *verify, uint32_t target,
                                  struct envl_bytes after,
                                  struct verify_track *track,
                                  struct envl_error *err);

/**
 * verify_walk_in_order(verify, entry):
 * Sealed under an active key, or nothing to seal by policy.
 */
bool verify_walk_in_order(const struct verify *verify,
                          const struct census_entry *entry);

/**
 * verify_walk_free(track):
 * Release.
 */
void verify_walk_free(struct verify_track *track);

#endif /* ENGINE_VERIFY_WALK_H */
