/*
 * sweep.h - one worker sweeps one range.
 */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "engine/workers.h"

/**
 * sweep_range(worker, slot, err):
 * Read, seal, write and commit batch after batch until the end of the range
 * or a halt; a workers_range_fn.  Locks, lost races and lost connections are
 * dealt with inside; fails with what cannot be: a database that stays away,
 * a key, a damaged record.
 */
enum envl_status sweep_range(struct worker *worker, struct slot *slot,
                             struct envl_error *err);

#endif /* ENGINE_SWEEP_H */
