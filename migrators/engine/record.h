/*
 * record.h - what a job's records in its store say, and that we wrote them.
 *
 * A record's body is JSON without values; its MAC is HMAC-SHA-512 (first 32
 * bytes) under the ring's "checkpoint" subkey over job, number, epoch and
 * body (spec JOB-63).  Whoever can write the tables of a job can thus delay
 * it, but not make it skip rows or turn it round: a record is obeyed only if
 * its MAC holds and its phase is the one the job is in.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include <envelope/keyring.h>
#include <envelope/migrator.h>

#include "engine/record_body.h"

struct record_auth;

/**
 * record_auth_new(ring, out, err):
 * The key of ${ring} for records, in guarded memory.  Fails as
 * keyring_subkey does.
 */
enum envl_status record_auth_new(struct envl_keyring *ring,
                                 struct record_auth **out,
                                 struct envl_error *err);

void record_auth_free(struct record_auth *auth); /* NULL is ignored */

/**
 * record_sign(auth, record):
 * Fill in ${record}->mac for its job, number, epoch and body.
 */
void record_sign(const struct record_auth *auth, struct envl_record *record);

/**
 * record_check(auth, record, err):
 * Fails with ENVL_E_INTEGRITY if the MAC is another.
 */
enum envl_status record_check(const struct record_auth *auth,
                              const struct envl_record *record,
                              struct envl_error *err);

/**
 * record_digest(auth, value, out):
 * The digest of a value that is quarantined: tells two values apart, and
 * tells nothing to who has no ring.
 */
void record_digest(const struct record_auth *auth, struct envl_bytes value,
                   uint8_t out[32]);

/**
 * record_new_id(out, err):
 * A random phase id.
 */
enum envl_status record_new_id(char out[RECORD_ID_SIZE],
                               struct envl_error *err);

#endif /* ENGINE_RECORD_H */
