/*
 * record.h - the records of jobs, in the database envelope_admin.
 *
 * A record is one document.  Whoever wants to change it first looks at it,
 * decides, and then has findAndModify change it only if it is still what was
 * looked at: a compare-and-swap, as on everything else.
 */
#ifndef MONGO_RECORD_H
#define MONGO_RECORD_H

#include "mongo/store.h"

#define RECORD_DATABASE   "envelope_admin"
#define RECORD_JOBS       "job"
#define RECORD_RANGES     "range"
#define RECORD_QUARANTINE "quarantine"

/**
 * record_of_job(store, job, out):
 * Append to ${out} the members that say which job of which database.
 */
void record_of_job(const struct envl_store *store, const char *job,
                   bson_t *out);

/**
 * record_read(store, job, each, cookie, err):
 * envl_migrator.state_read.
 */
enum envl_status record_read(struct envl_store *store, const char *job,
                             envl_record_fn *each, void *cookie,
                             struct envl_error *err);

/**
 * record_take(store, next, ttl_ms, err), record_release(store, record, err):
 * envl_migrator.state_take and state_release.
 */
enum envl_status record_take(struct envl_store *store,
                             const struct envl_record *next, uint32_t ttl_ms,
                             struct envl_error *err);
enum envl_status record_release(struct envl_store *store,
                                const struct envl_record *record,
                                struct envl_error *err);

/**
 * record_put(store, record, ttl_ms, err):
 * Replace body and MAC and extend the lease, if epoch and owner still stand;
 * ENVL_E_CONFLICT if not.
 */
enum envl_status record_put(struct envl_store *store,
                            const struct envl_record *record, uint32_t ttl_ms,
                            struct envl_error *err);

/**
 * record_fence(store, record, err):
 * ENVL_E_CONFLICT unless epoch and owner of ${record} still stand; nothing of
 * it is changed.
 */
enum envl_status record_fence(struct envl_store *store,
                              const struct envl_record *record,
                              struct envl_error *err);

/**
 * record_replace(store, range, err):
 * Put a free ${range} in place of one of a lower epoch, or of none;
 * ENVL_E_CONFLICT if a newer one is there.
 */
enum envl_status record_replace(struct envl_store *store,
                                const struct envl_record *range,
                                struct envl_error *err);

#endif /* MONGO_RECORD_H */
