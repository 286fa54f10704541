/*
 * server.h - what the server is, what it can do, and what time it is there.
 */
#ifndef MONGO_SERVER_H
#define MONGO_SERVER_H

#include "mongo/store.h"

/**
 * server_discover(store, err):
 * Ask the server who it is and which commands it has, and fill in
 * store->server and the clock.  Fails with ENVL_E_DATABASE.
 */
enum envl_status server_discover(struct envl_store *store,
                                 struct envl_error *err);

/**
 * server_make_name(server):
 * "MongoDB", "FerretDB", ...; static.
 */
const char *server_make_name(const struct server *server);

/**
 * server_now(store, out, err):
 * Milliseconds since 1970 by the server's clock (spec: MIG-43), asked for
 * every few seconds and counted on in between.
 */
enum envl_status server_now(struct envl_store *store, int64_t *out,
                            struct envl_error *err);

#endif /* MONGO_SERVER_H */
