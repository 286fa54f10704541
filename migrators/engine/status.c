/*
 * engine_status and engine_plugins: looking, without taking part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/control.h"
#include "engine/guard.h"
#include "engine/lease.h"
#include "engine/summary.h"

#define QUARANTINE_MAX 1000u

/* What the ranges say together. */
struct sums {
    uint32_t done, active, foreign; /* foreign: not readable with this ring */
    struct ledger live;
};

static enum envl_status
list_one(void *cookie, const struct envl_quarantine *item,
         struct envl_error *err)
{
    json_t *rows = cookie, *row;

    row = json_pack("{s:o, s:o, s:o, s:o}", "target",
                    summary_text(envl_bytes_of(item->target)), "field",
                    summary_text(envl_bytes_of(item->field)), "row",
                    summary_text(envl_bytes_of(item->row)), "state",
                    summary_text(envl_bytes_of(item->state)));
    if (json_array_append_new(rows, row) != 0)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a report");
    return ENVL_OK;
}

static void
add_up(const struct lease_list *list, const struct record_job *job,
       struct sums *sums)
{
    for (uint32_t i = 1; i <= job->ranges; i++) {
        const struct lease_record *found = lease_list_find(list, i);
        struct record_range range = { 0 };

        if (found == NULL || found->mac != ENVL_OK ||
            record_body_decode_range(envl_buf_view(&found->body), &range,
                                     NULL) != ENVL_OK ||
            strcmp(range.phase_id, job->phase_id) != 0) {
            sums->foreign++;
        } else {
            sums->done += range.done;
            sums->active += !range.done && found->held;
            ledger_add(&sums->live, &range.ledger);
        }
        record_body_free_range(&range);
    }
}

static json_t *
ranges_of(const struct record_job *job, const struct sums *sums)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "total", (json_int_t)job->ranges,
                     "done", (json_int_t)sums->done, "active",
                     (json_int_t)sums->active, "unreadable",
                     (json_int_t)sums->foreign);
}

static void
add_job(json_t *report, const struct lease_list *list,
        const struct record_job *job, uint64_t *rows)
{
    struct sums sums = { 0 };
    struct ledger total;
    json_t *ledger;

    add_up(list, job, &sums);
    record_body_total(job, &sums.live, &total);
    total.rows = *rows = sums.live.rows;
    ledger = ledger_encode(&total);
    json_object_update(report, ledger);
    json_decref(ledger);
    json_object_set_new(report, "goal",
                        json_string(job->goal == ENGINE_ROTATE ? "rotate"
                                                               : "seal"));
    json_object_set_new(report, "kid", json_string(job->kid));
    json_object_set_new(report, "pass", json_integer(job->pass));
    json_object_set_new(report, "phase",
                        json_string(record_body_phase(job->phase)));
    json_object_set_new(report, "closing_passes", json_integer(job->closing));
    json_object_set_new(report, "ranges", ranges_of(job, &sums));
    json_object_set_new(report, "rows_total",
                        json_integer((json_int_t)job->rows));
    json_object_set_new(report, "seconds",
                        json_real((double)job->ms / 1000.0));
    if (job->phase == RECORD_DONE)
        json_object_set_new(report, "outcome",
                            json_string(envl_status_name(job->outcome)));
}

/* "HEX HOST PID", with the ranges that it works on. */
static json_t *
owner_of(const struct lease_record *record)
{
    const char *host = strchr(record->owner, ' ');
    const char *pid = strrchr(record->owner, ' ');
    size_t len = host == NULL || pid <= host ? 0 : (size_t)(pid - host) - 1;

    return json_pack("{s:o, s:o, s:I, s:b, s:i}", "owner",
                     summary_text(envl_bytes_of(record->owner)), "host",
                     summary_text((struct envl_bytes){
                         (const uint8_t *)(host == NULL ? "" : host + 1),
                         len }),
                     "pid", (json_int_t)(pid == NULL
                                             ? 0
                                             : strtol(pid + 1, NULL, 10)),
                     "leads", record->number == 0, "ranges", 0);
}

/* Every process that is at work, wherever it is. */
static json_t *
owners_of(const struct lease_list *list)
{
    json_t *owners = json_array(), *one;
    size_t j;

    for (size_t i = 0; i < list->count; i++) {
        const struct lease_record *record = &list->records[i];
        json_t *found = NULL;

        if (!record->held)
            continue;
        json_array_foreach(owners, j, one) {
            if (strcmp(json_string_value(json_object_get(one, "owner")),
                       record->owner) == 0)
                found = one;
        }
        if (found == NULL) {
            found = owner_of(record);
            json_array_append_new(owners, found);
        }
        if (record->number > 0)
            json_object_set_new(found, "ranges", json_integer(1 +
                json_integer_value(json_object_get(found, "ranges"))));
    }
    return owners;
}

/* What the leading process said last; nobody's, if there is none. */
static void
add_now(json_t *report, const struct record_job *job,
        const struct lease_record *lead, uint64_t rows)
{
    uint64_t rate = lead->held ? job->rate : 0;
    int64_t ago = (int64_t)ENV_TTL_MS - lead->lease_ms;

    json_object_set_new(report, "rows_per_s",
                        json_integer((json_int_t)rate));
    if (rate > 0 && rows * 100 >= job->rows && rows < job->rows &&
        job->phase != RECORD_DONE)
        json_object_set_new(report, "eta_s",
                            json_integer((json_int_t)((job->rows - rows) /
                                                      rate)));
    if (!lead->held)
        return;
    json_object_set_new(report, "workers", json_integer(job->threads));
    json_object_set_new(report, "batch",
                        json_pack("{s:I, s:I}", "rows",
                                  (json_int_t)job->batch_rows, "ms",
                                  (json_int_t)job->batch_ms));
    if (job->wait_reason[0] != '\0')
        json_object_set_new(report, "waiting", json_pack(
            "{s:s, s:s, s:I}", "reason", job->wait_reason, "text",
            job->wait_text, "seconds",
            ((json_int_t)job->wait_ms + (ago > 0 ? ago : 0)) / 1000));
}

/* What is not as it was when the job was begun: a run will say more. */
static json_t *
drift_of(const struct env *env, const struct record_job *job)
{
    json_t *drift = json_array();
    struct envl_ring_mark now;
    char text[160];

    if (strcmp(job->digest, env->job->digest) != 0)
        json_array_append_new(drift, json_string(
            "the job file was changed since: a run begins a new pass"));
    if (env->options->ring == NULL)
        return drift;
    envl_keyring_mark(env->options->ring, &now);
    if (strcmp(now.id, job->ring.id) != 0) {
        json_array_append_new(drift, json_string(
            "the job was begun with another keyring"));
    } else if (now.generation != job->ring.generation) {
        snprintf(text, sizeof(text), "the keyring is at generation %llu, the "
                 "job has seen %llu", (unsigned long long)now.generation,
                 (unsigned long long)job->ring.generation);
        json_array_append_new(drift, json_string(text));
    }
    if (env->key.kid[0] != '\0' && strcmp(env->key.kid, job->kid) != 0) {
        snprintf(text, sizeof(text), "the key that seals now is %s",
                 env->key.kid);
        json_array_append_new(drift, json_string(text));
    }
    return drift;
}

static enum envl_status
add_control(struct session *session, json_t *report, struct envl_error *err)
{
    struct control control;
    enum envl_status status = control_read(session, &control, err);

    if (status == ENVL_OK && control.epoch > 0)
        json_object_set_new(report, "control", control_json(&control));
    return status;
}

static void
add_owner(json_t *report, const struct lease_record *record)
{
    json_object_set_new(report, "running", json_boolean(record->held));
    if (record->owner[0] == '\0')
        return;
    json_object_set_new(report, "owner",
                        summary_text(envl_bytes_of(record->owner)));
    json_object_set_new(
        report, "heartbeat_s",
        json_real((double)((int64_t)ENV_TTL_MS - record->lease_ms) / 1000.0));
}

/* A form that nobody knows, and no MAC either: no newer version wrote it. */
static enum envl_status
not_ours(const char *job, struct envl_error *err)
{
    if (err != NULL)
        *err = (struct envl_error){ 0 };
    envl_fail(err, ENVL_E_INTEGRITY, "the record of job \"%s\" was not written "
              "under this keyring, or was changed", job);
    envl_hint(err, "use the keyring the job was begun with");
    return ENVL_E_INTEGRITY;
}

static enum envl_status
look(struct session *session, json_t *report, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    struct record_job job = { 0 };
    enum envl_status status = lease_list_read(session, &list, err);

    found = lease_list_find(&list, 0);
    if (status == ENVL_OK && found == NULL) {
        status = envl_fail(err, ENVL_E_NOTFOUND,
                           "job \"%s\" was never run on this store",
                           session->env->job->name);
        envl_hint(err, "envelope plan shows what a run would do");
    }
    if (status == ENVL_OK) {
        add_owner(report, found);
        if (session->env->auth != NULL)
            json_object_set_new(report, "authentic",
                                json_boolean(found->mac == ENVL_OK));
        status = record_body_decode_job(envl_buf_view(&found->body), &job,
                                        err);
        if (status != ENVL_OK && session->env->auth != NULL &&
            found->mac != ENVL_OK)
            status = not_ours(session->env->job->name, err);
    }
    if (status == ENVL_OK) {
        uint64_t rows;

        add_job(report, &list, &job, &rows);
        add_now(report, &job, found, rows);
        json_object_set_new(report, "owners", owners_of(&list));
        json_object_set_new(report, "drift", drift_of(session->env, &job));
        status = add_control(session, report, err);
    }
    record_body_free_job(&job);
    lease_list_free(&list);
    return status;
}

/* Binding asks for more rights than a viewer may have: then it is left out. */
static void
add_guard(struct env *env, json_t *report)
{
    struct session *session = NULL;
    json_t *list = NULL;

    if (PLUGIN_HAS(env->ops, guard_read) &&
        session_open(env, SESSION_BOUND, &session, NULL) == ENVL_OK &&
        guard_list(session, &list, NULL, NULL) == ENVL_OK)
        json_object_set_new(report, "guard", list);
    session_close(session);
}

enum envl_status
engine_status(const struct job *job, const struct engine_options *options,
              json_t **report, struct envl_error *err)
{
    struct session *session = NULL;
    json_t *document = NULL, *rows = NULL;
    struct env env;
    enum envl_status status;

    status = env_open(job, options, TRANSFORM_CENSUS, &env, err);
    if (status != ENVL_OK)
        return status;
    status = session_open(&env, SESSION_STORE, &session, err);
    if (status == ENVL_OK) {
        document = json_pack("{s:i, s:s, s:s, s:s}", "schema", 1, "type",
                             "status", "job", job->name, "server",
                             env.ops->info(session->store)->server);
        rows = json_array();
        status = look(session, document, err);
    }
    if (status == ENVL_OK)
        status = env.ops->quarantine_read(session->store, job->name,
                                          QUARANTINE_MAX, list_one, rows,
                                          err);
    if (status == ENVL_OK) {
        json_object_set(document, "quarantine", rows);
        add_guard(&env, document);
        *report = json_incref(document);
    }
    json_decref(rows);
    json_decref(document);
    session_close(session);
    env_close(&env);
    return status;
}

/* ---- plugins ------------------------------------------------------------- */

struct listing {
    const char *dir;
    json_t *plugins;
};

static void
try_one(void *cookie, const char *driver, const char *path)
{
    struct listing *listing = cookie;
    struct plugin plugin = { 0 };
    struct envl_error err = { 0 };
    enum envl_status status = plugin_load(driver, listing->dir, &plugin,
                                          &err);
    json_t *one;

    one = json_pack("{s:s, s:o, s:b}", "driver", driver, "path",
                    summary_text(envl_bytes_of(path)), "loads",
                    status == ENVL_OK);
    if (status == ENVL_OK) {
        json_object_set_new(one, "sha256", json_string(plugin.sha256));
        json_object_set_new(one, "minor", json_integer(plugin.ops->minor));
    } else {
        json_object_set_new(one, "message", json_string(err.message));
        json_object_set_new(one, "hint", json_string(err.hint));
    }
    json_array_append_new(listing->plugins, one);
}

enum envl_status
engine_plugins(const struct engine_options *options, json_t **report,
               struct envl_error *err)
{
    struct listing listing = { options->plugin_dir, json_array() };

    plugin_each(options->plugin_dir, try_one, &listing);
    *report = json_pack("{s:i, s:s, s:o}", "schema", 1, "type", "plugins",
                        "plugins", listing.plugins);
    if (*report == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a report");
    return ENVL_OK;
}
