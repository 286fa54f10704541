/*
 * plan_key.h - what a plan says of the key, and of who can open what it seals.
 */
#ifndef ENGINE_PLAN_KEY_H
#define ENGINE_PLAN_KEY_H

#include "engine/env.h"

/**
 * plan_key(env):
 * {"kid","use","scope","state","created","keyring","generation","durable",
 * "backup_generation","backup_date"[,"readers":[{"reader","generation",
 * "at","current"}]]}: durable, if a canary sealed now opens with the ring as
 * it is on disk.  What is wrong becomes a note: a key that does not seal, or
 * is not durable, and a reader that cannot have the key yet are to be
 * decided; a ring without a backup of now is a warning.
 */
json_t *plan_key(struct env *env);

#endif /* ENGINE_PLAN_KEY_H */
