#include <stdlib.h>
#include <time.h>

#include "engine/pace.h"
#include "engine/session.h"

#define PAUSE_FIRST_MS 20u
#define PAUSE_MOST_MS  5000u
#define LOCKED_MOST_MS 5000u /* that a new connection waits for locks */

static void
disconnect(struct session *session)
{
    const struct envl_migrator *ops = session->env->ops;

    for (uint32_t i = 0; i < session->env->job->target_count; i++) {
        transform_free(session->transforms[i]);
        ops->unbind(session->targets[i]);
        session->transforms[i] = NULL;
        session->targets[i] = NULL;
    }
    ops->close(session->store);
    session->store = NULL;
}

static enum envl_status
make_transform(struct session *session, uint32_t i, struct envl_error *err)
{
    struct env *env = session->env;
    struct transform_options options = {
        .ring = env->options->ring,
        .job = env->job,
        .target = i,
        .info = session_info(session, i),
        .goal = env->goal,
        .kid = env->key.kid[0] == '\0' ? NULL : env->key.kid,
    };

    return transform_new(&options, &session->transforms[i], err);
}

static enum envl_status
connect(struct session *session, struct envl_error *err)
{
    struct env *env = session->env;
    enum envl_status status;

    status = env->ops->open(env->job->source_json, &env->host.base,
                            &session->store, err);
    if (status != ENVL_OK)
        session->store = NULL;
    for (uint32_t i = 0; status == ENVL_OK && i < env->job->target_count; i++) {
        if (session->depth >= SESSION_BOUND)
            status = env->ops->bind(session->store,
                                    &env->job->targets[i].spec,
                                    &session->targets[i], err);
        if (status == ENVL_OK && session->depth >= SESSION_TRANSFORM)
            status = make_transform(session, i, err);
    }
    if (status != ENVL_OK)
        disconnect(session);
    return status;
}

/* Applications at work lock a store for moments: no reason not to begin. */
static enum envl_status
connect_unlocked(struct session *session, struct envl_error *err)
{
    const volatile sig_atomic_t *stop = session->env->options->stop;
    uint32_t most = session->env->patience_ms;
    uint64_t begun = pace_now();
    enum envl_status status;

    if (most > LOCKED_MOST_MS)
        most = LOCKED_MOST_MS;
    for (;;) {
        struct timespec nap = { 0, (long)pace_jitter(50) * 1000000 };

        status = connect(session, err);
        if (status != ENVL_E_LOCKED || pace_now() - begun >= most ||
            (stop != NULL && *stop != 0))
            return status;
        nanosleep(&nap, NULL);
    }
}

enum envl_status
session_open(struct env *env, enum session_depth depth, struct session **out,
             struct envl_error *err)
{
    struct session *session = calloc(1, sizeof(*session));
    size_t targets = env->job->target_count;
    enum envl_status status = ENVL_E_NOMEM;

    if (session != NULL) {
        session->env = env;
        session->depth = depth;
        session->targets = calloc(targets + 1, sizeof(*session->targets));
        session->transforms = calloc(targets + 1,
                                     sizeof(*session->transforms));
    }
    if (session == NULL || session->targets == NULL ||
        session->transforms == NULL)
        envl_fail(err, ENVL_E_NOMEM, "out of memory for a connection");
    else
        status = connect_unlocked(session, err);

    if (status == ENVL_OK)
        *out = session;
    else
        session_close(session);
    return status;
}

enum envl_status
session_recover(struct session *session, const struct session_wait *wait,
                struct envl_error *err)
{
    uint64_t begun = pace_now();
    uint32_t patience = session->env->patience_ms;
    uint32_t pause = PAUSE_FIRST_MS < patience ? PAUSE_FIRST_MS : patience;
    struct envl_error local = { 0 };
    enum envl_status status;

    disconnect(session);
    for (;;) {
        if (!wait->pause(wait->cookie, pace_jitter(pause),
                         local.message[0] != '\0' ? local.message
                         : err != NULL && err->message[0] != '\0'
                             ? err->message
                             : "the connection was lost"))
            return envl_fail(err, ENVL_E_INTERRUPTED,
                             "stopped while waiting for the database");
        status = connect(session, &local);
        if (status == ENVL_OK)
            return ENVL_OK;
        if ((status != ENVL_E_DATABASE && status != ENVL_E_LOCKED) ||
            pace_now() - begun > patience)
            break;
        pause = pause * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause * 2;
    }
    if (err != NULL)
        *err = local;
    return status;
}

const struct envl_target_info *
session_info(const struct session *session, uint32_t target)
{
    return session->env->ops->target_info(session->targets[target]);
}

void
session_close(struct session *session)
{
    if (session == NULL)
        return;
    if (session->targets != NULL && session->transforms != NULL)
        disconnect(session);
    free(session->targets);
    free(session->transforms);
    free(session);
}
