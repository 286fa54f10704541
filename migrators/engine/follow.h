/*
 * follow.h - taking part in a job that another process leads.
 *
 * One process holds the job's lease and leads: it makes the ranges, adds them
 * up and goes from phase to phase.  Any other, on any host, takes free ranges
 * and sweeps them; if the leader is gone, it takes the lead.
 */
#ifndef ENGINE_FOLLOW_H
#define ENGINE_FOLLOW_H

#include "engine/lease.h"
#include "engine/run.h"

/**
 * follow_can(run, list):
 * Is there something in ${list} for us to do: is the job, led by somebody
 * else, the one that is asked for, and one of its ranges free?  Then run->job
 * is its record.
 */
bool follow_can(struct run *run, const struct lease_list *list);

/**
 * follow_all(run, err):
 * Work on what is free, phase after phase, until the job's record says done
 * (see run->job.outcome), or the lead was taken (run->claimed; go on with
 * phase_all).
 */
enum envl_status follow_all(struct run *run, struct envl_error *err);

#endif /* ENGINE_FOLLOW_H */
