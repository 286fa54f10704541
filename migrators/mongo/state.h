/*
 * state.h - the collections of envelope_admin as a whole, and its quarantine.
 */
#ifndef MONGO_STATE_H
#define MONGO_STATE_H

#include "mongo/store.h"

/* envl_migrator.state_setup, state_reset and quarantine_read. */
enum envl_status state_setup(struct envl_store *store,
                             struct envl_error *err);
enum envl_status state_reset(struct envl_store *store,
                             const struct envl_record *job,
                             const struct envl_record *ranges, uint32_t count,
                             struct envl_error *err);
enum envl_status state_quarantine(struct envl_store *store, const char *job,
                                  uint32_t limit, envl_quarantine_fn *each,
                                  void *cookie, struct envl_error *err);

#endif /* MONGO_STATE_H */
