/*
 * phase.h - the phases of a job, each driven by what its record says.
 */
#ifndef ENGINE_PHASE_H
#define ENGINE_PHASE_H

#include "engine/run.h"

/**
 * phase_all(run, err):
 * From where the job's record stands to the end: the sweep, then closing
 * passes until one finds nothing, two at most; then the record says done and
 * its outcome.  ENVL_OK when that is written (see run->job.outcome); fails
 * with ENVL_E_INTERRUPTED and whatever stopped it.
 */
enum envl_status phase_all(struct run *run, struct envl_error *err);

#endif /* ENGINE_PHASE_H */
