#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "engine/env.h"

static enum envl_status
load(const struct job *job, const struct engine_options *options,
     struct plugin *out, struct envl_error *err)
{
    if (options->plugin == NULL)
        return plugin_load(job->driver, options->plugin_dir, out, err);
    *out = (struct plugin){ .ops = options->plugin };
    return plugin_check(options->plugin, job->driver, err);
}

/*
 * "HEX HOST PID": the plugin reads the last two to see whether a process of
 * this host is gone.  A host name cannot hold a space; if somebody's does,
 * nobody's process is ever found gone, and the lease runs out instead.
 */
static enum envl_status
name_owner(char *out, size_t size, struct envl_error *err)
{
    char id[RECORD_ID_SIZE], host[128];
    enum envl_status status = record_new_id(id, err);

    if (status != ENVL_OK)
        return status;
    if (gethostname(host, sizeof(host)) != 0)
        host[0] = '\0';
    host[sizeof(host) - 1] = '\0';
    for (char *c = host; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f)
            *c = '_';
    }
    snprintf(out, size, "%.16s %s %ld", id, host[0] == '\0' ? "?" : host,
             (long)getpid());
    return ENVL_OK;
}

static enum envl_status
resolve_key(struct env *env, struct envl_error *err)
{
    const char *kid = env->options->kid != NULL ? env->options->kid
                                                : env->job->kid;
    struct envl_keyring *ring = env->options->ring;
    enum envl_status status;

    if (kid == NULL) {
        status = envl_keyring_active(ring, ENVL_USE_SEAL, env->job->scope,
                                     &env->key, err);
        /* Reading needs no key that seals: then none is the current one. */
        if (status == ENVL_E_NOKEY && (env->goal == TRANSFORM_VERIFY ||
                                       env->goal == TRANSFORM_CENSUS))
            status = ENVL_OK;
        return status;
    }
    status = envl_keyring_find(ring, kid, &env->key, err);
    if (status == ENVL_OK && env->key.use != ENVL_USE_SEAL &&
        env->key.use != ENVL_USE_WRAP)
        return envl_fail(err, ENVL_E_POLICY, "key %s is of use %s: it does "
                         "not seal", kid, envl_key_use_name(env->key.use));
    return status;
}

enum envl_status
env_open(const struct job *job, const struct engine_options *options,
         enum transform_goal goal, struct env *out, struct envl_error *err)
{
    struct env env = { .job = job, .options = options, .goal = goal };
    enum envl_status status;

    env.patience_ms = options->patience_ms == 0 ? 60000 : options->patience_ms;
    status = load(job, options, &env.plugin, err);
    if (status == ENVL_OK)
        status = name_owner(env.owner, sizeof(env.owner), err);
    if (status == ENVL_OK && options->ring != NULL)
        status = resolve_key(&env, err);
    if (status == ENVL_OK && options->ring != NULL)
        status = record_auth_new(options->ring, &env.auth, err);
    if (status != ENVL_OK)
        return status;

    env.ops = env.plugin.ops;
    *out = env;
    host_init(&out->host, job);
    return ENVL_OK;
}

void
env_close(struct env *env)
{
    host_free(&env->host);
    record_auth_free(env->auth);
    env->auth = NULL;
}

/*
 * The canary is sealed with the ring as it is in memory and opened with the
 * ring as a fresh process would find it: a key that was never written, or
 * other material under the same id, fails here and not in a year.
 */
enum envl_status
env_prove_key(const struct env *env, struct envl_error *err)
{
    static const char canary[] = "libenvelope canary";
    struct envl_pair pair = { envl_bytes_of("purpose"),
                              envl_bytes_of("canary") };
    struct envl_context context = { &pair, 1 };
    struct envl_seal_options sealing = { .size = sizeof(sealing) };
    struct envl_open_options opening = { .size = sizeof(opening) };
    struct envl_keyring *again = env->options->proof;
    struct envl_plain plain = { 0 };
    struct envl_buf sealed = ENVL_BUF_INIT;
    enum envl_status status;

    sealing.kid = env->key.kid;
    sealing.scope = opening.scope = env->key.scope;
    status = envl_seal(env->options->ring, &sealing, &context,
                       envl_bytes_of(canary), &sealed, err);
    if (status == ENVL_OK && again == NULL) {
        again = env->options->ring;
        status = envl_keyring_reload(again, err);
    }
    if (status == ENVL_OK) {
        status = envl_open(again, &opening, &context, envl_buf_view(&sealed),
                           &plain, err);
        if (status != ENVL_OK)
            envl_hint(err, "key %s is not on disk as it is in memory: "
                      "nothing was written", env->key.kid);
        else if (plain.value.len != strlen(canary) ||
                 sodium_memcmp(plain.value.ptr, canary, plain.value.len) != 0)
            status = envl_fail(err, ENVL_E_INTERNAL,
                               "a canary did not come back as it was sealed");
    }
    envl_plain_free(&plain);
    envl_buf_free(&sealed);
    return status;
}

enum envl_status
env_ring_stands(const struct env *env, struct envl_error *err)
{
    enum envl_status status;

    if (env->options->ring == NULL || env->options->proof != NULL)
        return ENVL_OK;
    status = envl_keyring_reload(env->options->ring, err);
    if (status != ENVL_OK)
        envl_hint(err, "stopped: put the keyring of before back, whose key %s "
                  "values were sealed under in this run, then run this again",
                  env->key.kid);
    return status;
}
