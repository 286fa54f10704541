/*
 * ring_jobs.h - which jobs were begun from here under a keyring, and are not
 * finished.
 *
 * A new ring key would make a job's records unreadable, so `key destroy` and
 * `unlock remove` wait for them (spec KEY-46).  The truth is in the stores;
 * this is what one machine can know.
 */
#ifndef CLI_RING_JOBS_H
#define CLI_RING_JOBS_H

#include <envelope/keyring.h>

/**
 * ring_jobs_begin(folder, ring, job, err):
 * Remember in the state folder ${folder} that the job file ${job} is under
 * way under ${ring}.  Fails with ENVL_E_IO.
 */
enum envl_status ring_jobs_begin(const char *folder,
                                 struct envl_keyring *ring, const char *job,
                                 struct envl_error *err);

/**
 * ring_jobs_end(folder, ring, job):
 * It is finished.
 */
void ring_jobs_end(const char *folder, struct envl_keyring *ring,
                   const char *job);

/**
 * ring_jobs_none(folder, ring, err):
 * ENVL_E_POLICY, naming it, if a job of ${ring} is unfinished.
 */
enum envl_status ring_jobs_none(const char *folder,
                                struct envl_keyring *ring,
                                struct envl_error *err);

#endif /* CLI_RING_JOBS_H */
