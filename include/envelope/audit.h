/*
 * audit.h - an append-only, hash-chained record of what changed.
 *
 * JSON lines (spec AUD): time, actor, verb, object, outcome,
 * counts, previous_hash, record_hash, and an HMAC under a ring subkey where a
 * ring is open.  No value, key or plaintext is ever in a record.  A verb that
 * changes something appends a record with outcome "begin" first and its end
 * afterwards; where the first cannot be written, nothing is done.
 */
#ifndef ENVELOPE_AUDIT_H
#define ENVELOPE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/error.h>
#include <envelope/keyring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct envl_audit;

/* What happened.  Strings are names and ids, borrowed, never values. */
struct envl_audit_event {
    const char *verb;    /* "key activate", "migrate"           */
    const char *object;  /* a kid, a job, a file name           */
    const char *outcome; /* "begin", "ok", or a status name     */
    const char *const *count_names; /* "sealed", ...            */
    const uint64_t *counts;
    uint32_t count_len;
};

/**
 * envl_audit_open(path, ring, out, err):
 * Open (or create, 0600) the log at ${path} for appending, and check that
 * its last record is whole.  With ${ring} (may be NULL, borrowed) records
 * carry an HMAC.  Fails with ENVL_E_AUDIT.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_audit_open(const char *path, struct envl_keyring *ring,
                struct envl_audit **out, struct envl_error *err);

/**
 * envl_audit_append(audit, event, err):
 * Append one record under a lock on the file, chained to the record that is
 * last by then (also one of another process), and sync it.  If the ring has
 * got a new ring key since the log was opened, a pair of records that closes
 * the log under the former key and opens it under the new goes before
 * (spec AUD-20): keep the log open across such a change.  ENVL_E_AUDIT if any
 * part of that fails: then the caller does nothing.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_audit_append(struct envl_audit *audit,
                  const struct envl_audit_event *event,
                  struct envl_error *err);

/**
 * envl_audit_free(audit):
 * Close; NULL is ignored.
 */
ENVL_API void envl_audit_free(struct envl_audit *audit);

/* What envl_audit_verify found. */
struct envl_audit_report {
    uint64_t records;
    uint64_t unauthenticated; /* records without an HMAC of this ring's key */
    uint64_t broken_line;     /* 0, or the first line that breaks the chain */
    char reason[128];         /* why, if broken                            */
    char head[65];            /* record_hash of the last record, hex       */
};

/**
 * envl_audit_verify(path, ring, out, err):
 * Walk the whole log.  ENVL_OK with a report; broken_line names the first
 * record that does not fit.  Fails with ENVL_E_NOTFOUND or ENVL_E_IO.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_audit_verify(const char *path, struct envl_keyring *ring,
                  struct envl_audit_report *out, struct envl_error *err);

/**
 * envl_audit_verify_at(path, ring, number, hash, out, err):
 * The same, and give the record_hash of record ${number} in hexadecimal: ""
 * if the log does not reach it, or is broken before.  Compared with a head
 * that was signed, it shows a log that was cut short or begun anew
 * (spec AUD-45).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_audit_verify_at(const char *path, struct envl_keyring *ring,
                     uint64_t number, char hash[65],
                     struct envl_audit_report *out, struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_AUDIT_H */
