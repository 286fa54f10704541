/*
 * bind.h - a target: what the job declares against what is really there.
 */
#ifndef POSTGRES_BIND_H
#define POSTGRES_BIND_H

#include "postgres/store.h"

/* envl_migrator.bind, unbind and target_info. */
enum envl_status bind_target(struct envl_store *store,
                             const struct envl_target_spec *spec,
                             struct envl_target **out, struct envl_error *err);
void bind_release(struct envl_target *target);
const struct envl_target_info *bind_info(struct envl_target *target);

#endif /* POSTGRES_BIND_H */
