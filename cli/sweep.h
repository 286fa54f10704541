/*
 * sweep.h - what plan, migrate, status, verify and rotate --job share.
 */
#ifndef CLI_SWEEP_H
#define CLI_SWEEP_H

#include "command.h"
#include "engine/engine.h"
#include "ring_session.h"
#include "sweep_progress.h"

struct sweep {
    struct ring_session session;
    struct job *job;
    struct envl_audit *audit;
    struct sweep_progress progress;
    struct engine_options options; /* points into the above */
    const char *ring_path, *path;  /* of the keyring, of the job file */
    char *store;                   /* that was written to, or NULL    */
};

/* What a sweep verb needs of the keyring. */
enum sweep_need {
    SWEEP_READS,     /* it must open                                   */
    SWEEP_WRITES,    /* it must open, and the audit log must be written */
    SWEEP_LOOKS      /* better with, but possible without: status      */
};

/**
 * sweep_open(cli, path, need, sweep, err):
 * Load the job file ${path}, open the keyring, catch ^C, prepare the options.
 * ${sweep} must not move afterwards, and is released in any case by
 * sweep_close.  Fails as job_load, ring_session_open and envl_audit_open.
 */
enum envl_status sweep_open(struct cli *cli, const char *path,
                            enum sweep_need need, struct sweep *sweep,
                            struct envl_error *err);

/**
 * sweep_run(cli, path, sweep, goal, report, err):
 * engine_run, with a note in the state folder while the job of ${path} is
 * under way, so that the ring key is not changed meanwhile.
 */
enum envl_status sweep_run(struct cli *cli, const char *path,
                           struct sweep *sweep, enum engine_goal goal,
                           json_t **report, struct envl_error *err);

/**
 * sweep_verify(sweep, report, err):
 * engine_verify, and its result is remembered beside the keyring, so that
 * keys can go (ring_verified.h).
 */
enum envl_status sweep_verify(struct sweep *sweep, json_t **report,
                              struct envl_error *err);

/* engine_verify, engine_status; and how its report is told. */
typedef enum envl_status sweep_look_fn(const struct job *job,
                                       const struct engine_options *options,
                                       json_t **report,
                                       struct envl_error *err);
typedef void sweep_tell_fn(json_t *report);

/**
 * sweep_look(cli, need, look, tell, err):
 * The whole of a verb that only looks at the job that its operand names.
 */
enum envl_status sweep_look(struct cli *cli, enum sweep_need need,
                            sweep_look_fn *look, sweep_tell_fn *tell,
                            struct envl_error *err);

/**
 * sweep_close(sweep):
 * Release.
 */
void sweep_close(struct sweep *sweep);

/**
 * sweep_explain(status, resume, err):
 * Add the remedy that depends on ${status} alone; ${resume} is the command
 * that goes on after an interruption.
 */
void sweep_explain(enum envl_status status, const char *resume,
                   struct envl_error *err);

#endif /* CLI_SWEEP_H */
