/*
 * state.h - the state tables: made, begun anew, and said as DDL.
 */
#ifndef POSTGRES_STATE_H
#define POSTGRES_STATE_H

#include "postgres/store.h"

/* envl_migrator.state_setup, state_reset, quarantine_read and ddl. */
enum envl_status state_setup(struct envl_store *store, struct envl_error *err);
enum envl_status state_reset(struct envl_store *store,
                             const struct envl_record *job,
                             const struct envl_record *ranges, uint32_t count,
                             struct envl_error *err);
enum envl_status state_quarantine(struct envl_store *store, const char *job,
                                  uint32_t limit, envl_quarantine_fn *each,
                                  void *cookie, struct envl_error *err);
enum envl_status state_ddl(struct envl_store *store,
                           struct envl_target *const *targets, uint32_t count,
                           void (*append)(void *cookie, const char *text),
                           void *cookie, struct envl_error *err);

#endif /* POSTGRES_STATE_H */
