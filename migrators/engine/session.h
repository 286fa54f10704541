/*
 * session.h - one connection, with the job's targets bound to it.
 */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine/env.h"

enum session_depth {
    SESSION_STORE,    /* connected                              */
    SESSION_BOUND,    /* and every target checked and bound     */
    SESSION_TRANSFORM /* and a transform made for each          */
};

struct session {
    struct env *env;
    enum session_depth depth;
    struct envl_store *store; /* NULL while it is lost */
    struct envl_target **targets;
    struct transform **transforms;
};

/* Wait ${ms}, telling the user ${why}; false if the wait was cut short by a
   stop.  What session_recover uses between attempts. */
typedef bool session_pause_fn(void *cookie, uint32_t ms, const char *why);

struct session_wait {
    session_pause_fn *pause;
    void *cookie;
};

/**
 * session_open(env, depth, out, err):
 * Connect and bind.  Fails as the plugin does.
 */
enum envl_status session_open(struct env *env, enum session_depth depth,
                              struct session **out, struct envl_error *err);

/**
 * session_recover(session, wait, err):
 * The connection is lost: connect and bind again, with growing pauses,
 * for env->patience_ms at most.  Pages and transforms of before are gone.
 * Fails with the last reason, or ENVL_E_INTERRUPTED.
 */
enum envl_status session_recover(struct session *session,
                                 const struct session_wait *wait,
                                 struct envl_error *err);

/**
 * session_info(session, target):
 * What the plugin says of a bound target.
 */
const struct envl_target_info *session_info(const struct session *session,
                                            uint32_t target);

void session_close(struct session *session); /* NULL is ignored */

#endif /* ENGINE_SESSION_H */
