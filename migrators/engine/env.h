/*
 * env.h - what every part of one engine call needs, settled at its start.
 */
#ifndef ENGINE_ENV_H
#define ENGINE_ENV_H

#include "engine/engine.h"
#include "engine/host.h"
#include "engine/plugin.h"
#include "engine/record.h"
#include "engine/transform.h"

#define ENV_TTL_MS 15000u /* of a lease (product.md section 5) */

struct env {
    const struct job *job;
    const struct engine_options *options;
    struct plugin plugin;
    const struct envl_migrator *ops; /* the plugin's */
    struct host host;
    enum transform_goal goal;
    struct envl_key_info key;  /* that seals; kid "" without a ring    */
    struct record_auth *auth;  /* NULL without a ring                  */
    char owner[192];           /* who we are, in leases                */
    uint32_t patience_ms;
};

/**
 * env_open(job, options, goal, out, err):
 * Load the plugin and resolve the key; ${out} must not move afterwards.
 * Without a ring in ${options} there is no key.  Fails as plugin_load does,
 * and with ENVL_E_NOKEY, ENVL_E_USAGE.
 */
enum envl_status env_open(const struct job *job,
                          const struct engine_options *options,
                          enum transform_goal goal, struct env *out,
                          struct envl_error *err);

void env_close(struct env *env);

/**
 * env_prove_key(env, err):
 * Seal a canary under the key, and open it with the ring as it is on disk by
 * now (spec JOB-53).  Fails with ENVL_E_NOKEY, ENVL_E_POLICY, ENVL_E_AUTH.
 */
enum envl_status env_prove_key(const struct env *env, struct envl_error *err);

/**
 * env_ring_stands(env, err):
 * What is sealed now can be opened by who reads the ring's file now: the file
 * is there, and no older one or another has taken its place (spec JOB-53).
 * Fails as envl_keyring_reload does.
 */
enum envl_status env_ring_stands(const struct env *env,
                                 struct envl_error *err);

#endif /* ENGINE_ENV_H */
