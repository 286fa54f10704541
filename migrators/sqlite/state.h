/*
 * state.h - records, leases and the quarantine of jobs, in the same file.
 *
 * Every function is struct envl_migrator's of that name.
 */
#ifndef SQLITE_STATE_H
#define SQLITE_STATE_H

#include "sqlite/store.h"

enum envl_status state_setup(struct envl_store *store,
                             struct envl_error *err);
enum envl_status state_read(struct envl_store *store, const char *job,
                            envl_record_fn *each, void *cookie,
                            struct envl_error *err);
enum envl_status state_take(struct envl_store *store,
                            const struct envl_record *next, uint32_t ttl_ms,
                            struct envl_error *err);
enum envl_status state_release(struct envl_store *store,
                               const struct envl_record *record,
                               struct envl_error *err);
enum envl_status state_reset(struct envl_store *store,
                             const struct envl_record *job,
                             const struct envl_record *ranges, uint32_t count,
                             struct envl_error *err);
enum envl_status state_quarantine_read(struct envl_store *store,
                                       const char *job, uint32_t limit,
                                       envl_quarantine_fn *each, void *cookie,
                                       struct envl_error *err);

#endif /* SQLITE_STATE_H */
