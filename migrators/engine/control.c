#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "engine/control.h"
#include "engine/lease.h"
#include "engine/pace.h"

#define TRIES  20
#define TTL_MS 1000u /* it is given back at once */

/* ---- the body ------------------------------------------------------------ */

static json_t *
encode_pace(const struct control_pace *pace)
{
    json_t *set = json_object();

    if (pace->target_ms != 0)
        json_object_set_new(set, "target_ms", json_integer(pace->target_ms));
    if (pace->rows_max != 0)
        json_object_set_new(set, "rows", json_pack("[i, i]",
                                                   (int)pace->rows_min,
                                                   (int)pace->rows_max));
    if (pace->workers != 0)
        json_object_set_new(set, "workers", json_integer(pace->workers));
    if (pace->has_rate)
        json_object_set_new(set, "max_rows_per_s",
                            json_integer(pace->max_rows_per_s));
    return set;
}

json_t *
control_json(const struct control *control)
{
    return json_pack("{s:b, s:b, s:s, s:s, s:o}", "paused", control->paused,
                     "authentic", control->authentic, "by", control->by,
                     "at", control->at, "set", encode_pace(&control->pace));
}

static uint32_t
number_in(const json_t *object, const char *name, uint32_t max)
{
    const json_t *value = json_object_get(object, name);
    json_int_t n = json_integer_value(value);

    return json_is_integer(value) && n >= 0 && n <= max ? (uint32_t)n : 0;
}

static void
copy_text(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));

    snprintf(out, size, "%s", text == NULL ? "" : text);
}

/* An unknown member is one of a later version, and no reason to fail. */
static void
decode(struct envl_bytes body, struct control *out)
{
    json_t *object = json_loadb((const char *)body.ptr, body.len,
                                JSON_REJECT_DUPLICATES, NULL);
    const json_t *set = json_object_get(object, "set");
    const json_t *rows = json_object_get(set, "rows");

    out->paused = json_is_true(json_object_get(object, "paused"));
    out->pace = (struct control_pace){
        .target_ms = number_in(set, "target_ms", 60000),
        .workers = number_in(set, "workers", 256),
        .max_rows_per_s = number_in(set, "max_rows_per_s", INT32_MAX),
        .has_rate = json_object_get(set, "max_rows_per_s") != NULL,
    };
    if (json_array_size(rows) == 2) {
        json_int_t least = json_integer_value(json_array_get(rows, 0));
        json_int_t most = json_integer_value(json_array_get(rows, 1));

        if (least >= 1 && least <= most && most <= 100000) {
            out->pace.rows_min = (uint32_t)least;
            out->pace.rows_max = (uint32_t)most;
        }
    }
    copy_text(object, "by", out->by, sizeof(out->by));
    copy_text(object, "at", out->at, sizeof(out->at));
    json_decref(object);
}

/* ---- reading ------------------------------------------------------------- */

#define NAME_SIZE 80u

/* No job file can have such a name (spec JOB-75). */
static void
name_it(const struct session *session, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%s:control", session->env->job->name);
}

enum envl_status
control_read(struct session *session, struct control *out,
             struct envl_error *err)
{
    const struct env *env = session->env;
    struct lease_list list = { 0 };
    const struct lease_record *found;
    char name[NAME_SIZE];
    enum envl_status status;

    *out = (struct control){ .authentic = true };
    name_it(session, name);
    status = lease_list_read_of(session, name, &list, err);
    if (status != ENVL_OK)
        return status;
    found = lease_list_find(&list, 0);
    if (found != NULL) {
        out->epoch = found->epoch;
        out->authentic = env->auth != NULL && found->mac == ENVL_OK;
        decode(envl_buf_view(&found->body), out);
        if (env->auth != NULL && !out->authentic)
            out->paused = true; /* spec: JOB-77 */
    }
    lease_list_free(&list);
    return ENVL_OK;
}

/* ---- writing ------------------------------------------------------------- */

static void
sign_off(struct control *control)
{
    char host[64], date[CLOCK_DATE_SIZE];
    const struct passwd *user = getpwuid(getuid());

    if (gethostname(host, sizeof(host)) != 0)
        host[0] = '\0';
    host[sizeof(host) - 1] = '\0';
    if (user != NULL)
        snprintf(control->by, sizeof(control->by), "%.60s@%s", user->pw_name,
                 host);
    else
        snprintf(control->by, sizeof(control->by), "uid %u@%s",
                 (unsigned)getuid(), host);
    for (char *c = control->by; *c != '\0'; c++) {
        if (*c < ' ' || *c >= 0x7f)
            *c = '?';
    }
    clock_print(clock_now(), date);
    snprintf(control->at, sizeof(control->at), "%s", date);
}

static enum envl_status
put(struct session *session, const struct control *control,
    struct envl_error *err)
{
    struct envl_record record;
    struct envl_buf body = ENVL_BUF_INIT;
    json_t *json = control_json(control);
    char *text = NULL, name[NAME_SIZE];
    enum envl_status status;

    json_object_del(json, "authentic");
    json_object_set_new(json, "v", json_integer(1));
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    status = text == NULL
                 ? envl_fail(err, ENVL_E_NOMEM, "out of memory for a record")
                 : envl_buf_append(&body, envl_bytes_of(text), err);
    if (status == ENVL_OK) {
        name_it(session, name);
        record = lease_record_for(session->env, name, 0, control->epoch,
                                  envl_buf_view(&body));
        status = session->env->ops->state_take(session->store, &record,
                                               TTL_MS, err);
        if (status == ENVL_OK)
            lease_release(session, &record);
    }
    free(text);
    envl_buf_free(&body);
    return status;
}

enum envl_status
control_write(struct session *session, control_change_fn *change,
              void *cookie, struct control *out, struct envl_error *err)
{
    bool vouch = session->env->auth != NULL;
    enum envl_status status;

    for (unsigned i = 0; i < TRIES; i++) {
        status = control_read(session, out, err);
        if (status != ENVL_OK)
            return status;
        /* What nobody vouches for is not signed. */
        if (!out->authentic && vouch)
            *out = (struct control){ .epoch = out->epoch, .paused = true };
        out->authentic = vouch;
        status = change(cookie, out, err);
        if (status != ENVL_OK)
            return status;
        sign_off(out);
        out->epoch++;
        status = put(session, out, err);
        if (status != ENVL_E_CONFLICT && status != ENVL_E_LOCKED)
            return status;
        clock_sleep_us(1000 * (20 + (long)pace_jitter(30)));
    }
    return envl_fail(err, ENVL_E_LOCKED, "somebody else is changing the same "
                     "job all the time");
}

/* ---- settings ------------------------------------------------------------ */

void
control_apply(const struct control *control, struct job_pace *limits)
{
    const struct control_pace *pace = &control->pace;

    if (!control->authentic)
        return;
    if (pace->target_ms != 0)
        limits->target_ms = pace->target_ms;
    if (pace->rows_max != 0) {
        limits->rows_min = pace->rows_min;
        limits->rows_max = pace->rows_max;
        limits->rows_given = true;
    }
    if (pace->workers != 0)
        limits->workers = pace->workers;
    if (pace->has_rate)
        limits->max_rows_per_s = pace->max_rows_per_s;
}

/* A whole number, all of ${text} up to ${end}. */
static bool
read_number(const char *text, const char *end, uint32_t least, uint32_t most,
            uint32_t *out)
{
    uint64_t value = 0;

    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9' || value > most)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = (uint32_t)value;
    return value >= least && value <= most;
}

static enum envl_status
set_rows(struct control_pace *pace, const char *text, struct envl_error *err)
{
    const char *end = text + strlen(text), *comma = strchr(text, ',');
    uint32_t least, most;

    if (*text == '\0') {
        pace->rows_min = pace->rows_max = 0;
        return ENVL_OK;
    }
    if (comma == NULL || !read_number(text, comma, 1, 100000, &least) ||
        !read_number(comma + 1, end, least, 100000, &most))
        return envl_fail(err, ENVL_E_USAGE, "rows=LEAST,MOST is expected, 1 "
                         "to 100000");
    pace->rows_min = least;
    pace->rows_max = most;
    return ENVL_OK;
}

enum envl_status
control_set(struct control_pace *pace, const char *text,
            struct envl_error *err)
{
    const struct {
        const char *name;
        uint32_t *to, least, most;
    } numbers[] = {
        { "target_ms", &pace->target_ms, 1, 60000 },
        { "workers", &pace->workers, 1, 64 },
        { "max_rows_per_s", &pace->max_rows_per_s, 0, INT32_MAX },
    };
    const char *equals = strchr(text, '='), *end = text + strlen(text);
    size_t len = equals == NULL ? 0 : (size_t)(equals - text);

    if (len == 4 && strncmp(text, "rows", 4) == 0)
        return set_rows(pace, equals + 1, err);
    for (size_t i = 0; i < 3; i++) {
        if (equals == NULL || strlen(numbers[i].name) != len ||
            strncmp(text, numbers[i].name, len) != 0)
            continue;
        if (equals[1] == '\0')
            *numbers[i].to = 0;
        else if (!read_number(equals + 1, end, numbers[i].least,
                              numbers[i].most, numbers[i].to))
            return envl_fail(err, ENVL_E_USAGE, "%s= takes a whole number "
                             "from %u to %u", numbers[i].name,
                             numbers[i].least, numbers[i].most);
        if (i == 2)
            pace->has_rate = equals[1] != '\0';
        return ENVL_OK;
    }
    envl_fail(err, ENVL_E_USAGE, "what is to be set? NAME=VALUE is expected");
    envl_hint(err, "NAME is target_ms, rows (LEAST,MOST), workers or "
              "max_rows_per_s; NAME= goes back to the job's own");
    return ENVL_E_USAGE;
}
