/*
 * engine_order: what an operator wants of a job, from any host.
 */
#include "engine/control.h"
#include "engine/lease.h"

static enum envl_status
change(void *cookie, struct control *control, struct envl_error *err)
{
    const struct engine_order *order = cookie;
    enum envl_status status = ENVL_OK;

    switch (order->verb) {
    case ENGINE_PAUSE:
        control->paused = true;
        break;
    case ENGINE_RESUME:
        control->paused = false;
        break;
    case ENGINE_SET:
        for (const char *const *text = order->settings;
             status == ENVL_OK && *text != NULL; text++)
            status = control_set(&control->pace, *text, err);
        break;
    case ENGINE_SHOW:
        break;
    }
    return status;
}

/* A pause needs no keyring: who can write the tables can hold a job up
   anyway.  Everything else does (spec JOB-77). */
static enum envl_status
check_ring(const struct engine_options *options, enum engine_verb verb,
           struct envl_error *err)
{
    if (options->ring != NULL || verb == ENGINE_SHOW || verb == ENGINE_PAUSE)
        return ENVL_OK;
    envl_fail(err, ENVL_E_USAGE, "without a keyring a job can be paused and "
              "looked at, nothing else");
    envl_hint(err, "name the job's keyring with --keyring");
    return ENVL_E_USAGE;
}

static enum envl_status
check_there(struct session *session, json_t *report, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    enum envl_status status = lease_list_read(session, &list, err);

    found = lease_list_find(&list, 0);
    if (status == ENVL_OK && found == NULL) {
        status = envl_fail(err, ENVL_E_NOTFOUND,
                           "job \"%s\" was never run on this store",
                           session->env->job->name);
        envl_hint(err, "envelope migrate begins it");
    } else if (status == ENVL_OK) {
        json_object_set_new(report, "running", json_boolean(found->held));
    }
    lease_list_free(&list);
    return status;
}

static enum envl_status
carry_out(struct session *session, const struct engine_order *order,
          json_t *report, struct envl_error *err)
{
    struct control control;
    enum envl_status status = check_there(session, report, err);

    if (status == ENVL_OK)
        status = order->verb == ENGINE_SHOW
                     ? control_read(session, &control, err)
                     : control_write(session, change,
                                     (void *)(uintptr_t)order, &control, err);
    if (status == ENVL_OK)
        json_object_set_new(report, "control", control_json(&control));
    return status;
}

enum envl_status
engine_order(const struct job *job, const struct engine_options *options,
             const struct engine_order *order, json_t **report,
             struct envl_error *err)
{
    struct session *session = NULL;
    json_t *document = NULL;
    struct env env;
    enum envl_status status = check_ring(options, order->verb, err);

    if (status != ENVL_OK)
        return status;
    status = env_open(job, options, TRANSFORM_CENSUS, &env, err);
    if (status != ENVL_OK)
        return status;
    status = session_open(&env, SESSION_STORE, &session, err);
    if (status == ENVL_OK) {
        document = json_pack("{s:i, s:s, s:s}", "schema", 1, "type",
                             "control", "job", job->name);
        status = carry_out(session, order, document, err);
    }
    if (status == ENVL_OK)
        *report = json_incref(document);
    json_decref(document);
    session_close(session);
    env_close(&env);
    return status;
}
