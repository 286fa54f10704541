/*
 * steer.h - what makes a sweep wait, and what changes its pace while it runs.
 *
 * Looked at in the caller's thread, the store at most once a second: what an
 * operator has said (control.h), the job's window, its flag file, and what
 * the store says of pressure.  The first reason found is the one that is
 * told; workers wait between batches as long as there is one.
 */
#ifndef ENGINE_STEER_H
#define ENGINE_STEER_H

#include "engine/control.h"

struct run;
struct zone;

#define STEER_REASON_SIZE 24u

struct steer {
    struct zone *zone;      /* of the job's window; NULL: none            */
    struct control control; /* as last seen                               */
    uint64_t guard_looked;  /* ms: when the guard was asked               */
    int64_t guard_writes;   /* what it counted; < 0: no count             */
    uint64_t looked;        /* ms: when the store was asked; 0: never     */
    char pressed[STEER_REASON_SIZE]; /* what the store said, and in words */
    char pressed_why[240];
    char reason[STEER_REASON_SIZE]; /* "": go on                          */
    char why[400];
};

/**
 * steer_reasons():
 * Every reason that can be told, ended by NULL: "paused", "window",
 * "flag_file", the members of yield_to, "no_answer", and those of waits that
 * nobody asked for: "database", "other_process".
 */
const char *const *steer_reasons(void);

/**
 * steer_check(run, err):
 * Before anything is written: the zone of the window is known, and the store
 * can be asked what the job wants to yield to.  Fails with ENVL_E_USAGE,
 * ENVL_E_POLICY (a right is missing, the GRANT as hint).  The plan calls it
 * without a run, by steer_check_session.
 */
enum envl_status steer_check(struct run *run, struct envl_error *err);
enum envl_status steer_check_session(struct session *session,
                                     struct envl_error *err);

/**
 * steer_look(run, err):
 * Is there a reason to wait, or another pace?  Tells the workers.  Fails with
 * ENVL_E_DATABASE, and with ENVL_E_POLICY where the user does not want to
 * wait (options->no_wait) for a paused job or its window.
 */
enum envl_status steer_look(struct run *run, struct envl_error *err);

/**
 * steer_wait(run, err):
 * Wait until there is no reason to wait.  Fails as steer_look does, and with
 * ENVL_E_INTERRUPTED.
 */
enum envl_status steer_wait(struct run *run, struct envl_error *err);

/**
 * steer_window(window, minute, out):
 * May it be written at ${minute} of the day?  If not, ${out} is in how many
 * minutes it may.
 */
bool steer_window(const struct job_window *window, uint32_t minute,
                  uint32_t *out);

void steer_free(struct steer *steer);

#endif /* ENGINE_STEER_H */
