/*
 * ring_verified.h - which jobs have written under a keyring, and what the
 * last full verification of each found (spec KEY-130 to KEY-136).
 *
 * A file beside the ring, so that it goes where the ring goes: a key is
 * disabled or destroyed only if every registered job was fully verified after
 * its last write and after the key had stopped sealing, and nothing was found
 * under the key.
 */
#ifndef CLI_RING_VERIFIED_H
#define CLI_RING_VERIFIED_H

#include <jansson.h>

#include <envelope/keyring.h>

/* Whose entry: a job is its name and its store. */
struct ring_verified_job {
    const char *ring_path;
    struct envl_keyring *ring;
    const char *name, *store; /* store: what the plugin calls it */
    const char *file;         /* the job file, for people        */
};

/**
 * ring_verified_wrote(job, open, err):
 * Register a write by ${job}, now; ${open}: it goes on.  Fails with
 * ENVL_E_INTEGRITY (the file is not of this ring, or was changed), ENVL_E_IO,
 * ENVL_E_POLICY (others can write it).
 */
enum envl_status ring_verified_wrote(const struct ring_verified_job *job,
                                     bool open, struct envl_error *err);

/**
 * ring_verified_seen(job, report, err):
 * Record the full verification of which ${report} is engine_verify's.
 */
enum envl_status ring_verified_seen(const struct ring_verified_job *job,
                                    const json_t *report,
                                    struct envl_error *err);

/**
 * ring_verified_check(ring_path, ring, kid, jobs, err):
 * ENVL_E_POLICY, with the reason and the remedy, unless what is registered
 * allows ${kid} to go; ${jobs} is how many jobs are.
 */
enum envl_status ring_verified_check(const char *ring_path,
                                     struct envl_keyring *ring,
                                     const char *kid, size_t *jobs,
                                     struct envl_error *err);

/**
 * ring_verified_list(ring_path, ring, out, err):
 * All entries, [] without a file; the caller's to json_decref.
 */
enum envl_status ring_verified_list(const char *ring_path,
                                    struct envl_keyring *ring, json_t **out,
                                    struct envl_error *err);

/**
 * ring_verified_put(ring_path, ring, entries, err):
 * Write ${entries} again, under the ring key as it is now; nothing to write
 * and no file is left alone.
 */
enum envl_status ring_verified_put(const char *ring_path,
                                   struct envl_keyring *ring,
                                   const json_t *entries,
                                   struct envl_error *err);

/**
 * ring_verified_forget(ring_path, ring, name, err):
 * Remove all entries of the job ${name}.  ENVL_E_NOTFOUND if there is none.
 */
enum envl_status ring_verified_forget(const char *ring_path,
                                      struct envl_keyring *ring,
                                      const char *name,
                                      struct envl_error *err);

#endif /* CLI_RING_VERIFIED_H */
