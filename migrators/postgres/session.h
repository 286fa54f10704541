/*
 * session.h - open and close a store: the connection and its settings.
 */
#ifndef POSTGRES_SESSION_H
#define POSTGRES_SESSION_H

#include "postgres/store.h"

/* envl_migrator.open, close and info. */
enum envl_status session_open(const char *source_json,
                              const struct envl_host *host,
                              struct envl_store **out, struct envl_error *err);
void session_close(struct envl_store *store);
const struct envl_store_info *session_info(struct envl_store *store);

/**
 * session_check_log(store, what, err):
 * Refuse (ENVL_E_POLICY) to send ${what} as a parameter where the server
 * writes parameters to its log, unless the job allows it (spec: JOB-9).
 */
enum envl_status session_check_log(struct envl_store *store, const char *what,
                                   struct envl_error *err);

#endif /* POSTGRES_SESSION_H */
