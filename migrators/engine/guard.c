/*
 * engine_guard: what a store does about plaintext that comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "engine/guard.h"
#include "engine/summary.h"

static const char *const stages[] = { "off", "observe", "moderate",
                                      "strict" };

bool
guard_stage_parse(const char *word, enum envl_guard_stage *out)
{
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (strcmp(word, stages[i]) != 0)
            continue;
        *out = (enum envl_guard_stage)i;
        return true;
    }
    return false;
}

static enum envl_status
check_has(const struct session *session, struct envl_error *err)
{
    const struct envl_migrator *ops = session->env->ops;

    if (PLUGIN_HAS(ops, guard_set) && PLUGIN_HAS(ops, guard_read))
        return ENVL_OK;
    return envl_fail(err, ENVL_E_POLICY, "the plugin for %s has no guard: it "
                     "cannot count or refuse what is written", ops->name);
}

/* A spec and what it points to. */
struct asking {
    struct envl_guard_spec spec;
    char *job;
    bool *empty_ok;
};

static void
forget(struct asking *asking)
{
    free(asking->job);
    free(asking->empty_ok);
    *asking = (struct asking){ .job = NULL };
}

/* Targets that share a table have guards of their own: "shop", "shop#2". */
static enum envl_status
make_spec(const struct session *session, uint32_t target,
          struct asking *out, struct envl_error *err)
{
    const struct job *job = session->env->job;
    const struct job_target *from = &job->targets[target];
    const char *label = session_info(session, target)->label;
    unsigned nth = 1;

    for (uint32_t i = 0; i < target; i++)
        nth += strcmp(session_info(session, i)->label, label) == 0;
    if ((nth == 1 ? asprintf(&out->job, "%s", job->name)
                  : asprintf(&out->job, "%s#%u", job->name, nth)) < 0)
        out->job = NULL;
    out->empty_ok = calloc(from->spec.field_count + 1u,
                           sizeof(*out->empty_ok));
    if (out->job == NULL || out->empty_ok == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a guard");
    for (uint32_t i = 0; i < from->spec.field_count; i++)
        out->empty_ok[i] = !from->fields[i].seal_empty;
    out->spec = (struct envl_guard_spec){ .job = out->job,
                                          .empty_ok = out->empty_ok };
    return ENVL_OK;
}

/* A store cannot look inside an encoded value: it would refuse all that is
   written.  spec: JOB-28 */
static enum envl_status
check_selects(const struct session *session, uint32_t target,
              struct envl_error *err)
{
    const struct job_target *from = &session->env->job->targets[target];

    for (uint32_t i = 0; i < from->spec.field_count; i++) {
        if (from->fields[i].select.count == 0)
            continue;
        (void)envl_fail(err, ENVL_E_POLICY, "field %u of %s selects values "
                        "inside an encoded one, which no store can guard", i,
                        session_info(session, target)->label);
        envl_hint(err, "guard the other targets by a job of their own; the "
                       "census of a sweep or of verify finds these");
        return ENVL_E_POLICY;
    }
    return ENVL_OK;
}

enum envl_status
guard_set(struct session *session, enum envl_guard_stage stage,
          struct envl_error *err)
{
    enum envl_status status = check_has(session, err);

    for (uint32_t i = 0; status == ENVL_OK && stage != ENVL_GUARD_OFF &&
                         i < session->env->job->target_count; i++)
        status = check_selects(session, i, err);
    for (uint32_t i = 0; status == ENVL_OK &&
                         i < session->env->job->target_count; i++) {
        struct asking asking = { .job = NULL };

        status = make_spec(session, i, &asking, err);
        asking.spec.stage = stage;
        if (status == ENVL_OK)
            status = session->env->ops->guard_set(session->targets[i],
                                                  &asking.spec, err);
        forget(&asking);
    }
    return status;
}

/* ---- what is in force --------------------------------------------------- */

static json_t *
date_of(int64_t ms)
{
    char date[CLOCK_DATE_SIZE];

    if (ms <= 0)
        return json_null();
    clock_print(ms / 1000, date);
    return json_string(date);
}

static json_t *
one_of(const struct session *session, uint32_t target,
       const struct envl_guard_info *info)
{
    json_t *gaps = json_array();

    for (uint32_t i = 0; i < info->gap_count; i++)
        json_array_append_new(gaps,
                              summary_text(envl_bytes_of(info->gaps[i])));
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "target",
                     session_info(session, target)->label, "asked",
                     stages[info->asked], "stage", stages[info->stage],
                     "enforced", info->enforced, "plaintext_writes",
                     info->counted ? json_integer((json_int_t)info->writes)
                                   : json_null(),
                     "since", date_of(info->since_ms), "gaps", gaps);
}

enum envl_status
guard_list(struct session *session, json_t **out, bool *drifted,
           struct envl_error *err)
{
    enum envl_status status = check_has(session, err);
    json_t *list = json_array();

    for (uint32_t i = 0; status == ENVL_OK &&
                         i < session->env->job->target_count; i++) {
        struct envl_guard_info info = { .asked = ENVL_GUARD_OFF };
        struct asking asking = { .job = NULL };

        status = make_spec(session, i, &asking, err);
        if (status == ENVL_OK)
            status = session->env->ops->guard_read(session->targets[i],
                                                   &asking.spec, &info, err);
        if (status == ENVL_OK)
            json_array_append_new(list, one_of(session, i, &info));
        if (status == ENVL_OK && drifted != NULL)
            *drifted |= info.stage != info.asked;
        forget(&asking);
    }
    if (status == ENVL_OK)
        *out = json_incref(list);
    json_decref(list);
    return status;
}

json_int_t
guard_writes(const json_t *list)
{
    json_int_t sum = -1;
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one) {
        const json_t *writes = json_object_get(one, "plaintext_writes");

        if (json_is_integer(writes))
            sum = (sum < 0 ? 0 : sum) + json_integer_value(writes);
    }
    return sum;
}

/* ---- the verb ----------------------------------------------------------- */

static enum envl_status
record(const struct env *env, const char *stage, const char *outcome,
       struct envl_error *err)
{
    char verb[32];
    struct envl_audit_event event = { .verb = verb,
                                      .object = env->job->name,
                                      .outcome = outcome };

    snprintf(verb, sizeof(verb), "guard %s", stage);
    return envl_audit_append(env->options->audit, &event, err);
}

static enum envl_status
change(struct session *session, enum envl_guard_stage stage,
       struct envl_error *err)
{
    const char *word = stages[stage];
    struct envl_error lost = { .status = ENVL_OK };
    enum envl_status status = check_has(session, err);

    if (status == ENVL_OK)
        status = record(session->env, word, "begin", err);
    if (status != ENVL_OK)
        return status;
    status = guard_set(session, stage, err);
    if (record(session->env, word, envl_status_name(status), &lost) ==
        ENVL_OK)
        return status;
    if (err != NULL)
        *err = lost;
    return ENVL_E_AUDIT;
}

static enum envl_status
look(struct session *session, json_t *report, struct envl_error *err)
{
    json_t *list = NULL;
    bool drifted = false;
    enum envl_status status = guard_list(session, &list, &drifted, err);

    if (status != ENVL_OK)
        return status;
    json_object_set_new(report, "guard", list);
    json_object_set_new(report, "as_set", json_boolean(!drifted));
    if (!drifted)
        return ENVL_OK;
    envl_fail(err, ENVL_E_FINDINGS, "a guard of job \"%s\" is not as it was "
              "set", session->env->job->name);
    envl_hint(err, "what is missing is listed; `envelope guard JOB STAGE` "
              "makes it anew");
    return ENVL_E_FINDINGS;
}

enum envl_status
engine_guard(const struct job *job, const struct engine_options *options,
             const char *stage, json_t **report, struct envl_error *err)
{
    enum envl_guard_stage wanted = ENVL_GUARD_OFF;
    struct session *session = NULL;
    json_t *document = NULL;
    struct env env;
    enum envl_status status;

    if (stage != NULL && !guard_stage_parse(stage, &wanted))
        return envl_fail(err, ENVL_E_USAGE, "a guard is off, observe, "
                         "moderate or strict");
    if (stage != NULL && options->audit == NULL)
        return envl_fail(err, ENVL_E_AUDIT, "a guard needs an audit log");
    status = env_open(job, options, TRANSFORM_CENSUS, &env, err);
    if (status != ENVL_OK)
        return status;
    status = session_open(&env, SESSION_BOUND, &session, err);
    if (status == ENVL_OK && stage != NULL)
        status = change(session, wanted, err);
    if (status == ENVL_OK || status == ENVL_E_FINDINGS) {
        struct envl_error local = { .status = ENVL_OK };
        enum envl_status looked;

        document = json_pack("{s:i, s:s, s:s}", "schema", 1, "type", "guard",
                             "job", job->name);
        looked = look(session, document, &local);
        if (status == ENVL_OK && looked != ENVL_OK) {
            status = looked;
            if (err != NULL)
                *err = local;
        }
    }
    if (status == ENVL_OK || status == ENVL_E_FINDINGS)
        *report = json_incref(document);
    json_decref(document);
    session_close(session);
    env_close(&env);
    return status;
}
