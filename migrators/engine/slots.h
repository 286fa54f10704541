/*
 * slots.h - the ranges of a phase: as the store has them, and working on them.
 */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include "engine/run.h"

/**
 * slots_adopt(run, torn, err):
 * Make the slots what the store says of the phase that run->job is in.
 * ${torn}: the ranges are of another phase (a store without transactions was
 * interrupted between the job's record and them, or another process has gone
 * on to the next phase).  Fails with ENVL_E_INTEGRITY for a record that is
 * missing or not ours.
 */
enum envl_status slots_adopt(struct run *run, bool *torn,
                             struct envl_error *err);

/**
 * slots_work(run, all, err):
 * Work on free ranges until there are none.  ${all}: and until those that
 * other processes hold are done, too, or have become free and were done here.
 */
enum envl_status slots_work(struct run *run, bool all,
                            struct envl_error *err);

#endif /* ENGINE_SLOTS_H */
