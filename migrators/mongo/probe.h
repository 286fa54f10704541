/*
 * probe.h - what the server can do with documents, tried on the collection.
 */
#ifndef MONGO_PROBE_H
#define MONGO_PROBE_H

#include "mongo/store.h"

/**
 * probe_server(target, err):
 * Try min, max and hint, and expressions, on what is in the collection, and
 * keep in store->server what gives the right answers; nothing is written.
 * With an empty collection nothing is learnt, and the forms that every server
 * understands are used.  Fails with ENVL_E_DATABASE if the connection is
 * lost, or if a server cannot even look for types.
 */
enum envl_status probe_server(struct envl_target *target,
                              struct envl_error *err);

#endif /* MONGO_PROBE_H */
