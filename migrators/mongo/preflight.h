/*
 * preflight.h - side effects of a sweep that a person should know before.
 */
#ifndef MONGO_PREFLIGHT_H
#define MONGO_PREFLIGHT_H

#include "mongo/store.h"

/**
 * preflight_say(target, err):
 * Note indexes on what is swept, TTL indexes, the oplog's window and the
 * members' lag (spec: MIG-13).  What the role may not see is left out.  Fails
 * with ENVL_E_DATABASE only if the connection is lost.
 */
enum envl_status preflight_say(struct envl_target *target,
                               struct envl_error *err);

#endif /* MONGO_PREFLIGHT_H */
