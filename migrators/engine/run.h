/*
 * run.h - one run of a job by this process: its lease, its phases, its end.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/lease.h"
#include "engine/progress.h"
#include "engine/steer.h"
#include "engine/workers.h"

struct run {
    struct env env;
    enum engine_goal goal;
    struct session *control; /* for the job's record                     */
    struct record_job job;   /* as it stands in the store                */
    uint64_t epoch;          /* of the job's record                      */
    struct envl_buf body;
    bool claimed;            /* the job's lease is ours                  */
    bool adopted;            /* the slots are those of the job's phase   */
    uint32_t threads;
    struct workers workers;
    struct progress progress;
    struct steer steer;
    char reason[STEER_REASON_SIZE]; /* what is waited for; "": nothing */
    char waiting[400];       /* the same in words                        */
    uint64_t waiting_since;  /* ms                                       */
    uint64_t begun, beat;    /* ms: this phase here; last sign of life   */
    uint64_t ring_seen;      /* ms: when the ring's file was looked at   */
    uint64_t ms_before;      /* spent before that                        */
};

/**
 * run_put(run, err):
 * Put the job's record as run->job says, now, and extend its lease.
 */
enum envl_status run_put(struct run *run, struct envl_error *err);

/**
 * run_lead(run, epoch, err):
 * Take the job's lease with run->job as it is, one above the stored
 * ${epoch}.  Fails with ENVL_E_LOCKED or ENVL_E_CONFLICT.
 */
enum envl_status run_lead(struct run *run, uint64_t epoch,
                          struct envl_error *err);

/**
 * run_claim(run, err):
 * Read what the store says of the job, decide whether to go on with it, and
 * take its lease; or, where another process leads the same job and has left
 * ranges to do, take part in it (run->claimed is false then).  Fails with
 * ENVL_E_LOCKED (the living owner is named), ENVL_E_INTEGRITY, ENVL_E_POLICY
 * (another direction is unfinished).
 */
enum envl_status run_claim(struct run *run, struct envl_error *err);

/**
 * run_accept(run, why, err):
 * ${why} is ENVL_E_INTEGRITY: if the user accepts the ring as it is
 * (--accept-ring), record that in the audit log and make run->job a new
 * pass; else return ${why}, with a hint.
 */
enum envl_status run_accept(struct run *run, enum envl_status why,
                            struct envl_error *err);

/**
 * run_regain(run, err):
 * The connection was lost: make another, see what stands, take the lease
 * again.
 */
enum envl_status run_regain(struct run *run, struct envl_error *err);

/**
 * run_taken_over(run, err):
 * Another process has the job now: say so, ENVL_E_LOCKED.
 */
enum envl_status run_taken_over(struct run *run, struct envl_error *err);

/**
 * run_steer(run, err):
 * steer_look, on a new connection where the old one broke.
 */
enum envl_status run_steer(struct run *run, struct envl_error *err);

/**
 * run_tick(run, err):
 * Sign of life, progress, what to yield to; a workers_tick_fn.
 */
enum envl_status run_tick(void *run, struct envl_error *err);

/**
 * run_pause(run, ms, why), run_pause_database(run, ms, why):
 * Wait in the caller's thread, ticking; a session_pause_fn.  The former is
 * for other processes, the latter for the database.
 */
bool run_pause(void *run, uint32_t ms, const char *why);
bool run_pause_database(void *run, uint32_t ms, const char *why);

/**
 * run_totals(run, out):
 * The ledger of the whole pass so far.
 */
void run_totals(const struct run *run, struct ledger *out);

#endif /* ENGINE_RUN_H */
