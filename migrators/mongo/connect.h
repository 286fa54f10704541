/*
 * connect.h - reach the server the way a secret may travel.
 *
 * Only a Unix socket, loopback or TLS that verifies the server's certificate
 * and name is used.  Without TLS our own code makes every connection of the
 * client, also those to members that a server names later, and makes none to
 * another machine.
 */
#ifndef MONGO_CONNECT_H
#define MONGO_CONNECT_H

#include "mongo/store.h"

/**
 * connect_client(source_json, store, err):
 * Make store->client and store->database by the job's source object:
 * `database`, and `dsn_env` or `dsn_file`.  Nothing is sent yet.  Fails with
 * ENVL_E_USAGE, ENVL_E_NOTFOUND (no such variable or file), ENVL_E_POLICY
 * (transport).
 */
enum envl_status connect_client(const char *source_json,
                                struct envl_store *store,
                                struct envl_error *err);

/**
 * connect_where(store, out, size):
 * The hosts of the connection string and how they are reached, for people:
 * "127.0.0.1:27017", "db1:27017,db2:27017 over TLS".
 */
void connect_where(const struct envl_store *store, char *out, size_t size);

#endif /* MONGO_CONNECT_H */
