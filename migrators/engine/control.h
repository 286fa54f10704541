/*
 * control.h - what an operator has said about a running job: pause, and
 * another pace (spec JOB-75 to JOB-78).
 *
 * It is a record of its own in the store, number 0 of the job "NAME:control",
 * a name that no job file can have.  So it is fenced by its own epoch, a new
 * pass does not touch it, and it outlives every process.  It is authenticated
 * as the job's records are.  One that is not is obeyed in one thing: the job
 * pauses.  Whoever can write the job's tables can hold it up anyway; nobody
 * can make it go on, or go faster, without the keyring.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include "engine/session.h"

/* What `set` can set; 0: as the job file says. */
struct control_pace {
    uint32_t target_ms, rows_min, rows_max, workers, max_rows_per_s;
    bool has_rate; /* max_rows_per_s is set; 0 is no limit then */
};

struct control {
    uint64_t epoch;     /* 0: nobody has said anything           */
    bool authentic;     /* else: paused                          */
    bool paused;
    struct control_pace pace;
    char by[128], at[32]; /* who said it last, user@host, and when */
};

/**
 * control_read(session, out, err):
 * What the store says now.  Without a keyring nothing is authentic, and
 * paused is what the record says.
 */
enum envl_status control_read(struct session *session, struct control *out,
                              struct envl_error *err);

/* Change ${control}; may be called again with another. */
typedef enum envl_status control_change_fn(void *cookie,
                                           struct control *control,
                                           struct envl_error *err);

/**
 * control_write(session, change, cookie, out, err):
 * Read, change and put it back, again if somebody else was quicker; ${out} is
 * what stands then.  A record that is not authentic is begun anew.  Without
 * a keyring the record is not authentic, and thus paused.
 */
enum envl_status control_write(struct session *session,
                               control_change_fn *change, void *cookie,
                               struct control *out, struct envl_error *err);

/**
 * control_apply(control, limits):
 * Replace in ${limits} what was set.
 */
void control_apply(const struct control *control, struct job_pace *limits);

/**
 * control_json(control):
 * {"paused","authentic","by","at","set":{...}}, for reports; a new reference.
 */
json_t *control_json(const struct control *control);

/**
 * control_set(pace, text, err):
 * Read one "name=value" of `envelope set`; "name=" goes back to the job's
 * own.  ENVL_E_USAGE.
 */
enum envl_status control_set(struct control_pace *pace, const char *text,
                             struct envl_error *err);

#endif /* ENGINE_CONTROL_H */
