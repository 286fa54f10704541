/*
 * connect.h - reach the server the way a secret may travel.
 *
 * Only a Unix socket, loopback or TLS that verifies the server's name is
 * used, checked before anything is sent and again on the open connection.
 */
#ifndef POSTGRES_CONNECT_H
#define POSTGRES_CONNECT_H

#include "postgres/store.h"

/**
 * connect_start(source_json, store, err):
 * Connect store->conn by the job's source object: `dsn_env`, `dsn_file` or
 * `service`.  Fails with ENVL_E_USAGE, ENVL_E_NOTFOUND (no such variable or
 * file), ENVL_E_POLICY (transport), ENVL_E_DATABASE.
 */
enum envl_status connect_start(const char *source_json,
                               struct envl_store *store,
                               struct envl_error *err);

#endif /* POSTGRES_CONNECT_H */
