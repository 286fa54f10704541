/*
 * split.h - the largest _id there is, and _ids that part the documents.
 */
#ifndef MONGO_SPLIT_H
#define MONGO_SPLIT_H

#include "mongo/store.h"

/* envl_migrator.last_key and split. */
enum envl_status split_last(struct envl_target *target, envl_key_fn *each,
                            void *cookie, struct envl_error *err);
enum envl_status split_keys(struct envl_target *target, uint32_t parts,
                            envl_key_fn *each, void *cookie,
                            struct envl_error *err);

#endif /* MONGO_SPLIT_H */
