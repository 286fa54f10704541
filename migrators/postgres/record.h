/*
 * record.h - one job or range record in the tables envelope.job and
 * envelope.range.
 */
#ifndef POSTGRES_RECORD_H
#define POSTGRES_RECORD_H

#include "postgres/store.h"

/**
 * record_send_put(store, record, ttl_ms, op):
 * Add to ${op} the update of ${record} and its lease.  It fails with a
 * division by zero (FAULT_FENCE) unless the stored epoch and owner are the
 * record's, so that whatever follows in ${op} does not happen.
 */
void record_send_put(struct envl_store *store,
                     const struct envl_record *record, uint32_t ttl_ms,
                     struct pipe_op *op);

/* envl_migrator.state_read, state_take and state_release. */
enum envl_status record_read(struct envl_store *store, const char *job,
                             envl_record_fn *each, void *cookie,
                             struct envl_error *err);
enum envl_status record_take(struct envl_store *store,
                             const struct envl_record *next, uint32_t ttl_ms,
                             struct envl_error *err);
enum envl_status record_release(struct envl_store *store,
                                const struct envl_record *record,
                                struct envl_error *err);

#endif /* POSTGRES_RECORD_H */
