/*
 * lease.h - taking, reading back and giving up the records of a job.
 *
 * The plugin keeps owner, epoch and time by the store's clock; here is what
 * goes into a record, signed for its epoch.
 */
#ifndef ENGINE_LEASE_H
#define ENGINE_LEASE_H

#include "engine/session.h"

/* One record as it is in the store, authenticated. */
struct lease_record {
    uint32_t number;
    uint64_t epoch;
    char owner[192];      /* cut to fit; "" if free                 */
    bool ours, held;      /* held: by an owner that is there         */
    int64_t lease_ms;     /* left                                    */
    struct envl_buf body;
    enum envl_status mac; /* ENVL_OK, or ENVL_E_INTEGRITY            */
};

struct lease_list {
    struct lease_record *records; /* by number */
    size_t count, cap;
};

/**
 * lease_list_read(session, out, err), lease_list_read_of(session, job, ...):
 * Read all records of the job, or of another name.  A MAC that does not hold
 * is not a failure here: it is in the record, for the caller to judge.
 */
enum envl_status lease_list_read(struct session *session,
                                 struct lease_list *out,
                                 struct envl_error *err);
enum envl_status lease_list_read_of(struct session *session, const char *job,
                                    struct lease_list *out,
                                    struct envl_error *err);
const struct lease_record *lease_list_find(const struct lease_list *list,
                                           uint32_t number);
void lease_list_free(struct lease_list *list);

/**
 * lease_record_of(env, number, epoch, body), lease_record_for(env, job, ...):
 * A record of ours, of the job or of another name, for a commit; ${body} is
 * borrowed.  Signed where there is a keyring.
 */
struct envl_record lease_record_of(const struct env *env, uint32_t number,
                                   uint64_t epoch, struct envl_bytes body);
struct envl_record lease_record_for(const struct env *env, const char *job,
                                    uint32_t number, uint64_t epoch,
                                    struct envl_bytes body);

/**
 * lease_take(session, record, err):
 * Take it with ${record}, whose epoch is one above the stored one.  Fails
 * with ENVL_E_LOCKED or ENVL_E_CONFLICT.
 */
enum envl_status lease_take(struct session *session,
                            const struct envl_record *record,
                            struct envl_error *err);

/**
 * lease_commit(session, record, err):
 * Put ${record} and extend its lease, now.  ENVL_E_CONFLICT: it is no longer
 * ours.
 */
enum envl_status lease_commit(struct session *session,
                              const struct envl_record *record,
                              struct envl_error *err);

/**
 * lease_release(session, record):
 * Give it back; if that fails it runs out by itself.
 */
void lease_release(struct session *session, const struct envl_record *record);

#endif /* ENGINE_LEASE_H */
