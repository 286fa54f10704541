/*
 * bind.h - a collection checked against what is really there.
 */
#ifndef MONGO_BIND_H
#define MONGO_BIND_H

#include "mongo/store.h"

/* envl_migrator.bind, unbind and target_info. */
enum envl_status bind_target(struct envl_store *store,
                             const struct envl_target_spec *spec,
                             struct envl_target **out, struct envl_error *err);
void bind_release(struct envl_target *target);
const struct envl_target_info *bind_info(struct envl_target *target);

/**
 * bind_find(target, find):
 * Begin ${find}, a find command on the collection, with the projection.
 */
void bind_find(const struct envl_target *target, bson_t *find);

#endif /* MONGO_BIND_H */
