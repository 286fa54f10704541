/*
 * guard.h - what a store itself does about plaintext (spec MIG-60 on).
 */
#ifndef ENGINE_GUARD_H
#define ENGINE_GUARD_H

#include <jansson.h>

#include "engine/session.h"

/**
 * guard_set(session, stage, err):
 * Bring the guard of every target to ${stage}.  Fails with ENVL_E_POLICY
 * where the store has none.
 */
enum envl_status guard_set(struct session *session,
                           enum envl_guard_stage stage,
                           struct envl_error *err);

/**
 * guard_list(session, out, drifted, err):
 * What is in force on every bound target: [{"target","asked","stage",
 * "enforced","plaintext_writes","since","gaps"}].  ${drifted} (may be NULL)
 * says whether some part is not as it was set.  ENVL_E_POLICY as above.
 */
enum envl_status guard_list(struct session *session, json_t **out,
                            bool *drifted, struct envl_error *err);

/**
 * guard_writes(list):
 * How many writes of plaintext the guards of guard_list's ${list} counted;
 * -1 if none of them counts.
 */
json_int_t guard_writes(const json_t *list);

/**
 * guard_stage_parse(word, out):
 * "off", "observe", "moderate" or "strict".
 */
bool guard_stage_parse(const char *word, enum envl_guard_stage *out);

#endif /* ENGINE_GUARD_H */
