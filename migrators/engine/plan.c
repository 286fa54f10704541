/*
 * engine_plan: what a sweep would meet, from a bounded sample; nothing is
 * written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/lease.h"
#include "engine/names.h"
#include "engine/overlap.h"
#include "engine/plan_key.h"
#include "engine/plan_size.h"
#include "engine/ranges.h"
#include "engine/steer.h"
#include "engine/summary.h"

#define PARTS       8u   /* places in a table where a sample is taken */
#define PART_ROWS   250u
#define PART_BYTES  (1024u * 1024u)
#define ROW_LEN_MAX 256u

/* What is learnt of one target. */
struct sample {
    struct session *session;
    uint32_t target;
    struct envl_buf keys[PARTS]; /* where to read: after these; [0]: start */
    uint32_t key_count;
    struct census census;
    struct plan_size size;
    json_t **contexts; /* by field: an example, or NULL */
};

static enum envl_status
add_key(void *cookie, struct envl_bytes key, struct envl_error *err)
{
    struct sample *sample = cookie;

    if (sample->key_count == PARTS)
        return ENVL_OK;
    return envl_buf_append(&sample->keys[sample->key_count++], key, err);
}

/* {"row", "pairs": {name: value}} of the first value found of each field. */
static void
learn_context(struct sample *sample, const struct envl_row *row,
              const struct envl_leaf *leaf)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct transform *transform =
        sample->session->transforms[sample->target];
    const char *line, *end;
    json_t *pairs;

    if (sample->contexts[leaf->field] != NULL ||
        leaf->value.kind == ENVL_KIND_ABSENT ||
        transform_context(transform, row, leaf, &text, NULL) != ENVL_OK) {
        envl_buf_free(&text);
        return;
    }
    pairs = json_object();
    line = (const char *)text.ptr;
    end = line + text.len;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const char *mid = memchr(line, '=', (size_t)(end - line));
        char name[ROW_LEN_MAX];

        if (stop == NULL)
            stop = end;
        if (mid != NULL && mid < stop && mid - line < (long)sizeof(name)) {
            memcpy(name, line, (size_t)(mid - line));
            name[mid - line] = '\0';
            json_object_set_new(
                pairs, name,
                summary_text((struct envl_bytes){
                    (const uint8_t *)mid + 1, (size_t)(stop - mid - 1) }));
        }
        line = stop + 1;
    }
    envl_buf_free(&text);
    sample->contexts[leaf->field] = json_pack(
        "{s:o, s:o}", "row", summary_text(row->name), "context", pairs);
}

static enum envl_status
read_part(struct sample *sample, struct envl_bytes after,
          struct envl_error *err)
{
    struct session *session = sample->session;
    const struct envl_migrator *ops = session->env->ops;
    struct envl_target *target = session->targets[sample->target];
    struct envl_read read = { .after = after, .rows = PART_ROWS,
                              .bytes = PART_BYTES };
    struct batch batch = { 0 };
    enum envl_status status = ops->read_begin(target, &read, err);

    if (status == ENVL_OK)
        status = ops->read_end(target, &batch.page, err);
    if (status != ENVL_OK)
        return status;
    status = batch_decide(session, sample->target, &batch, err);
    if (status == ENVL_OK)
        status = page_work_settle(&batch.work, batch.page, NULL,
                                  &sample->census, err);
    if (status == ENVL_OK)
        plan_size_add(&sample->size, &batch);
    for (uint32_t i = 0; status == ENVL_OK && i < batch.work.leaf_count; i++) {
        const struct leaf_result *leaf = &batch.work.leaves[i];

        learn_context(sample, &batch.page->rows[leaf->row], leaf->at);
    }
    batch_free(session, &batch);
    return status;
}

/*
 * From the beginning, and after the keys that split the table evenly: a
 * table's first rows are its oldest, and say little of the rest.
 */
static enum envl_status
take_sample(struct sample *sample, struct envl_error *err)
{
    struct session *session = sample->session;
    uint64_t rows = session_info(session, sample->target)->rows;
    enum envl_status status = ENVL_OK;

    sample->key_count = 1;
    if (rows > PARTS * PART_ROWS)
        status = session->env->ops->split(session->targets[sample->target],
                                          PARTS, add_key, sample, err);
    for (uint32_t i = 0; status == ENVL_OK && i < sample->key_count; i++)
        status = read_part(sample, envl_buf_view(&sample->keys[i]), err);
    return status;
}

static json_t *
field_of(const struct sample *sample, uint32_t field)
{
    static const char *const kinds[] = { "absent", "null", "text", "bytes",
                                         "json", "bson", "other" };
    const struct job_target *target =
        &sample->session->env->job->targets[sample->target];
    const struct envl_field_spec *spec = &target->spec.fields[field];
    const struct envl_field_info *info =
        &session_info(sample->session, sample->target)->fields[field];
    char *name = names_field(&target->fields[field]);
    json_t *one;

    one = json_pack("{s:o, s:s, s:I}", "field",
                    summary_text(envl_bytes_of(name)), "takes",
                    kinds[info->takes], "max_len", (json_int_t)info->max_len);
    free(name);
    if (spec->into != NULL)
        json_object_set_new(one, "into",
                            summary_text(envl_bytes_of(spec->into)));
    if (sample->contexts[field] != NULL)
        json_object_set(one, "example", sample->contexts[field]);
    plan_size_field(&sample->size, field, one);
    return one;
}

/* A row of the census, with what it means for the whole table. */
static json_t *
states_of(const struct sample *sample)
{
    json_t *states = summary_census(sample->session, &sample->census), *one;
    size_t i;

    json_array_foreach(states, i, one) {
        uint64_t count = (uint64_t)json_integer_value(
            json_object_get(one, "count"));

        json_object_set_new(one, "estimate", json_integer(
            (json_int_t)plan_size_scale(&sample->size, count)));
    }
    return states;
}

static json_t *
target_of(const struct sample *sample)
{
    const struct job *job = sample->session->env->job;
    const struct envl_target_info *info =
        session_info(sample->session, sample->target);
    json_t *fields = json_array();

    for (uint32_t i = 0; i < job->targets[sample->target].spec.field_count;
         i++)
        json_array_append_new(fields, field_of(sample, i));
    return json_pack("{s:s, s:I, s:I, s:b, s:o, s:o}", "target", info->label,
                     "rows", (json_int_t)info->rows, "sampled_rows",
                     (json_int_t)sample->size.rows, "sampled",
                     sample->size.rows < info->rows, "states",
                     states_of(sample), "fields", fields);
}

static bool
grants_are_missing(struct host *host)
{
    struct host_note note;

    for (size_t i = 0; host_take(host, i, &note); i++) {
        if (note.level == ENVL_NOTE_GRANT)
            return true;
    }
    return false;
}

/* What may not be read is not counted; that a right is missing is told. */
static enum envl_status
sample_if_allowed(struct sample *sample, struct envl_error *err)
{
    struct env *env = sample->session->env;
    struct envl_error local = { 0 };
    enum envl_status status = take_sample(sample, &local);

    if (status == ENVL_E_POLICY && grants_are_missing(&env->host)) {
        env->ops->rollback(sample->session->store);
        return ENVL_OK;
    }
    if (status != ENVL_OK && err != NULL)
        *err = local;
    return status;
}

static enum envl_status
plan_target(struct session *session, uint32_t target, json_t *targets,
            uint64_t *rows, struct envl_error *err)
{
    uint32_t fields = session->env->job->targets[target].spec.field_count;
    struct sample sample = { .session = session, .target = target };
    enum envl_status status;

    sample.contexts = calloc(fields + 1, sizeof(json_t *));
    if (sample.contexts == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a plan");
    status = plan_size_begin(&sample.size, session, target, err);
    if (status == ENVL_OK)
        status = sample_if_allowed(&sample, err);
    if (status == ENVL_OK) {
        json_t *one = target_of(&sample);

        status = plan_size_cost(&sample.size, one, err);
        *rows += plan_size_scale(&sample.size, sample.size.written);
        json_array_append_new(targets, one);
    }
    plan_size_free(&sample.size);
    for (uint32_t i = 0; i < fields; i++)
        json_decref(sample.contexts[i]);
    for (uint32_t i = 0; i < PARTS; i++)
        envl_buf_free(&sample.keys[i]);
    free(sample.contexts);
    census_free(&sample.census);
    return status;
}

/* Text that a plugin adds to; the first failure is kept. */
struct text {
    struct envl_buf buf;
    enum envl_status status;
    struct envl_error *err;
};

static void
append(void *cookie, const char *part)
{
    struct text *text = cookie;

    if (text->status == ENVL_OK)
        text->status = envl_buf_append(&text->buf, envl_bytes_of(part),
                                       text->err);
}

static enum envl_status
add_ddl(struct session *session, json_t *report, struct envl_error *err)
{
    struct text text = { ENVL_BUF_INIT, ENVL_OK, err };
    enum envl_status status;

    status = session->env->ops->ddl(session->store, session->targets,
                                    session->env->job->target_count, append,
                                    &text, err);
    if (status == ENVL_OK)
        status = text.status;
    if (status == ENVL_OK)
        json_object_set_new(report, "ddl",
                            summary_text(envl_buf_view(&text.buf)));
    envl_buf_free(&text.buf);
    return status;
}

/* What waits for a person: what a plugin says, and rights that are missing. */
static enum envl_status
decisions(struct host *host, json_t *report, struct envl_error *err)
{
    json_int_t count = 0;
    struct host_note note;

    for (size_t i = 0; host_take(host, i, &note); i++)
        count += note.level == ENVL_NOTE_DECIDE ||
                 note.level == ENVL_NOTE_GRANT;
    json_object_set_new(report, "notes", summary_notes(host));
    json_object_set_new(report, "decisions", json_integer(count));
    if (count == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_FINDINGS, "%lld thing%s to be decided before "
                     "a sweep", (long long)count,
                     count == 1 ? " is" : "s are");
}

/* What the sweep wants to yield to must be there to be seen (JOB-72). */
static enum envl_status
check_yields(struct session *session, struct envl_error *err)
{
    struct envl_error local = { 0 };
    enum envl_status status = steer_check_session(session, &local);

    if (status == ENVL_E_POLICY) { /* a right is missing: the statement */
        host_note(&session->env->host, ENVL_NOTE_GRANT, NULL, local.hint);
        return ENVL_OK;
    }
    if (status != ENVL_OK && err != NULL)
        *err = local;
    return status;
}

/* Rows a second of this job's last run on this store; 0: there was none. */
static double
last_rate(struct session *session)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    struct record_job job = { 0 };
    double rate = 0;

    if (lease_list_read(session, &list, NULL) != ENVL_OK)
        return 0;
    found = lease_list_find(&list, 0);
    if (found != NULL && found->mac == ENVL_OK &&
        record_body_decode_job(envl_buf_view(&found->body), &job, NULL) ==
            ENVL_OK && job.phase_ms[0] > 1000 && job.phases[0].sealed > 0)
        rate = (double)job.phases[0].rows * 1000.0 / (double)job.phase_ms[0];
    record_body_free_job(&job);
    lease_list_free(&list);
    return rate;
}

/* Fields that meet are refused; else it is only read twice. */
static void
note_spellings(struct session *session)
{
    const struct job *job = session->env->job;
    char text[300];

    for (uint32_t a = 0; a < job->target_count; a++) {
        for (uint32_t b = a + 1; b < job->target_count; b++) {
            const char *label = session_info(session, a)->label;

            if (strcmp(label, session_info(session, b)->label) != 0)
                continue;
            snprintf(text, sizeof(text), "targets[%u] and targets[%u] are the "
                     "same table: it is read twice; let one target have all "
                     "fields", a, b);
            host_note(&session->env->host, ENVL_NOTE_WARN, label, text);
        }
    }
}

static enum envl_status
plan_targets(struct session *session, json_t *report, struct envl_error *err)
{
    struct env *env = session->env;
    json_t *targets = json_array();
    enum envl_status status = ENVL_OK;
    uint64_t rows = 0;

    for (uint32_t i = 0; status == ENVL_OK && i < env->job->target_count; i++)
        status = plan_target(session, i, targets, &rows, err);
    json_object_set_new(report, "targets", targets);
    if (status == ENVL_OK)
        plan_size_time(env->job, rows, last_rate(session), report);
    return status;
}

static enum envl_status
plan(struct session *session, bool ddl, json_t *report,
     struct envl_error *err)
{
    struct env *env = session->env;
    const struct envl_store_info *info = env->ops->info(session->store);
    enum envl_status status = overlap_check(session, err);

    if (status == ENVL_OK)
        status = check_yields(session, err);
    if (status == ENVL_OK)
        status = plan_targets(session, report, err);
    json_object_set_new(report, "server",
                        summary_text(envl_bytes_of(info->server)));
    json_object_set_new(report, "max_workers",
                        json_integer(info->max_workers));
    json_object_set_new(report, "key", plan_key(env));
    note_spellings(session);
    if (status == ENVL_OK && ddl)
        status = add_ddl(session, report, err);
    if (status == ENVL_OK)
        status = decisions(&env->host, report, err);
    return status;
}

enum envl_status
engine_plan(const struct job *job, const struct engine_options *options,
            bool ddl, json_t **report, struct envl_error *err)
{
    struct session *session = NULL;
    json_t *document = NULL;
    struct env env;
    enum envl_status status;

    if (options->ring == NULL)
        return envl_fail(err, ENVL_E_USAGE, "a plan needs a keyring");
    status = env_open(job, options, TRANSFORM_CENSUS, &env, err);
    if (status != ENVL_OK)
        return status;
    if (env.key.kid[0] == '\0') /* what a sweep will say, said in time */
        status = envl_keyring_active(options->ring, ENVL_USE_SEAL, job->scope,
                                     &env.key, err);
    if (status == ENVL_OK)
        status = session_open(&env, SESSION_TRANSFORM, &session, err);
    if (status == ENVL_OK) {
        document = json_pack("{s:i, s:s, s:s, s:s}", "schema", 1, "type",
                             "plan", "job", job->name, "driver", job->driver);
        status = plan(session, ddl, document, err);
    }
    if (status == ENVL_OK || status == ENVL_E_FINDINGS)
        *report = json_incref(document);
    json_decref(document);
    session_close(session);
    env_close(&env);
    return status;
}
