/*
 * catalog.h - what the server says a collection is.
 */
#ifndef MONGO_CATALOG_H
#define MONGO_CATALOG_H

#include "mongo/store.h"

/**
 * catalog_load(target, err):
 * Check that the collection is there and is one that can be swept: no view,
 * not capped, no time series.  Fill in its collation and its shard key, and
 * note what its options mean for a sweep.  Fails with ENVL_E_NOTFOUND,
 * ENVL_E_USAGE, ENVL_E_POLICY or ENVL_E_DATABASE.
 */
enum envl_status catalog_load(struct envl_target *target,
                              struct envl_error *err);

#endif /* MONGO_CATALOG_H */
