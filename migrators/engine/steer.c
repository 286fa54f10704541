#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/steer.h"
#include "engine/zone.h"

#define LOOK_MS 800u /* between two questions to the store */
#define WAIT_MS 200u
#define GUARD_MS 15000u

static const char *const reasons[] = {
    "paused", "window", "flag_file", "vacuum_on_table", "replica_lag_s",
    "wal_archive_ready", "xmin_age_s", "active_sessions", "query",
    "no_answer", "database", "other_process", NULL,
};

const char *const *
steer_reasons(void)
{
    return reasons;
}

/* ---- one thing after another --------------------------------------------- */

bool
steer_window(const struct job_window *window, uint32_t minute, uint32_t *out)
{
    uint32_t open = window->from <= window->to
                        ? window->to - window->from
                        : 1440 - window->from + window->to;
    uint32_t since = (minute + 1440 - window->from) % 1440;

    *out = 1440 - since;
    return since < open;
}

static void
say(struct steer *steer, const char *reason, const char *why)
{
    snprintf(steer->reason, sizeof(steer->reason), "%s", reason);
    snprintf(steer->why, sizeof(steer->why), "%s", why);
}

/* spec: JOB-76 */
static bool
is_paused(struct steer *steer, const char *job)
{
    const struct control *control = &steer->control;
    char why[sizeof(steer->why)];

    if (!control->paused)
        return false;
    if (!control->authentic)
        snprintf(why, sizeof(why), "paused: a record that was not written "
                 "under this keyring says so; `envelope resume` with the job "
                 "file of %s goes on", job);
    else
        snprintf(why, sizeof(why), "paused by %s at %s; `envelope resume` "
                 "with the job file of %s goes on", control->by, control->at,
                 job);
    say(steer, "paused", why);
    return true;
}

/* spec: JOB-73 */
static bool
is_shut(struct steer *steer, const struct job_window *window)
{
    int64_t now = clock_now(), local;
    char why[160];
    uint32_t left;

    if (window->text == NULL)
        return false;
    local = now + zone_offset(steer->zone, now);
    if (steer_window(window, (uint32_t)(local / 60 % 1440), &left))
        return false;
    snprintf(why, sizeof(why), "outside the window %s; it opens in %u h "
             "%02u min", window->text, left / 60, left % 60);
    say(steer, "window", why);
    return true;
}

static bool
has_flag(struct steer *steer, const char *path)
{
    char why[sizeof(steer->why)];

    if (path == NULL || access(path, F_OK) != 0)
        return false;
    snprintf(why, sizeof(why), "yielding: %s is there", path);
    say(steer, "flag_file", why);
    return true;
}

/* ---- the store ----------------------------------------------------------- */

static enum envl_status
ask_store(struct session *session, bool check, struct envl_pressure *out,
          struct envl_error *err)
{
    const struct env *env = session->env;
    const struct job *job = env->job;

    *out = (struct envl_pressure){
        .limits = job->yields,
        .limit_count = job->yield_count,
        .targets = session->targets,
        .target_count = job->target_count,
        .check = check,
        .limit = job->yield_count,
    };
    if (PLUGIN_HAS(env->ops, pressure))
        return env->ops->pressure(session->store, out, err);
    for (uint32_t i = 0; i < job->yield_count; i++) {
        if (!job->yields[i].by_default)
            return envl_fail(err, ENVL_E_USAGE, "yield_to.%s: driver \"%s\" "
                             "has no such thing", job->yields[i].name,
                             job->driver); /* spec: JOB-72 */
    }
    return ENVL_OK;
}

static enum envl_status
look_at_pressure(struct run *run, struct envl_error *err)
{
    struct steer *steer = &run->steer;
    const struct job *job = run->env.job;
    struct envl_pressure pressure;
    enum envl_status status = ask_store(run->control, false, &pressure, err);

    steer->pressed[0] = '\0';
    if (status == ENVL_E_LOCKED) {
        snprintf(steer->pressed, sizeof(steer->pressed), "no_answer");
        snprintf(steer->pressed_why, sizeof(steer->pressed_why),
                 "yielding: the server takes too long to say how it is");
        return ENVL_OK;
    }
    if (status != ENVL_OK || pressure.limit >= job->yield_count)
        return status;
    snprintf(steer->pressed, sizeof(steer->pressed), "%s",
             job->yields[pressure.limit].name);
    snprintf(steer->pressed_why, sizeof(steer->pressed_why), "yielding: %s",
             pressure.why);
    return ENVL_OK;
}

static void
tell_pace(struct run *run)
{
    json_t *set = control_json(&run->steer.control);
    char *text = json_dumps(json_object_get(set, "set"), JSON_COMPACT);
    char line[400];

    if (text != NULL && strcmp(text, "{}") == 0)
        snprintf(line, sizeof(line), "the pace is the job file's");
    else
        snprintf(line, sizeof(line), "the pace is set by %s: %.200s",
                 run->steer.control.by, text == NULL ? "" : text);
    progress_note(&run->progress, line);
    free(text);
    json_decref(set);
}

/* Nobody lifts a pause by putting an older record back while we look. */
static void
take_control(struct run *run, struct control *found)
{
    struct steer *steer = &run->steer;
    const struct control before = steer->control;
    bool first = steer->looked == 0;

    if (found->epoch < before.epoch) {
        *found = before;
        found->authentic = false;
        found->paused = true;
    }
    steer->control = *found;
    if (found->authentic &&
        (first ? found->pace.target_ms + found->pace.rows_max +
                         found->pace.workers > 0 || found->pace.has_rate
               : memcmp(&found->pace, &before.pace, sizeof(before.pace)) != 0))
        tell_pace(run);
}

/* For metrics: a count that cannot be had is no failure. */
static void
look_at_guard(struct run *run, uint64_t now)
{
    struct steer *steer = &run->steer;
    json_t *list = NULL;

    if (!run->env.options->count_guard ||
        !PLUGIN_HAS(run->env.ops, guard_read) ||
        (steer->guard_looked != 0 && now - steer->guard_looked < GUARD_MS))
        return;
    steer->guard_looked = now;
    if (guard_list(run->control, &list, NULL, NULL) == ENVL_OK)
        steer->guard_writes = guard_writes(list);
    json_decref(list);
}

static enum envl_status
look_at_store(struct run *run, struct envl_error *err)
{
    uint64_t now = pace_now();
    struct control found;
    enum envl_status status;

    if (run->steer.looked != 0 && now - run->steer.looked < LOOK_MS)
        return ENVL_OK;
    status = control_read(run->control, &found, err);
    if (status != ENVL_OK)
        return status;
    take_control(run, &found);
    run->steer.looked = now;
    look_at_guard(run, now);
    /* While it is paused, the server is left in peace. */
    if (found.paused)
        return ENVL_OK;
    return look_at_pressure(run, err);
}

/* ---- all of it ----------------------------------------------------------- */

static void
tell_workers(struct run *run)
{
    uint32_t most = run->env.ops->info(run->control->store)->max_workers;
    struct job_pace pace = run->env.job->pace;

    if (run->env.options->workers != 0)
        pace.workers = run->env.options->workers;
    control_apply(&run->steer.control, &pace);
    if (most != 0 && pace.workers > most)
        pace.workers = most;
    run->threads = pace.workers;
    workers_steer(&run->workers, &pace, run->steer.reason[0] != '\0');
}

static enum envl_status
no_wait(const struct run *run, struct envl_error *err)
{
    const struct steer *steer = &run->steer;

    if (!run->env.options->no_wait || (strcmp(steer->reason, "paused") != 0 &&
                                       strcmp(steer->reason, "window") != 0))
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY, "%s", steer->why);
    envl_hint(err, "without --no-wait it waits; nothing is half done");
    return ENVL_E_POLICY;
}

/* spec: JOB-71 */
enum envl_status
steer_look(struct run *run, struct envl_error *err)
{
    const struct job *job = run->env.job;
    struct steer *steer = &run->steer;
    enum envl_status status = look_at_store(run, err);

    if (status != ENVL_OK)
        return status;
    steer->reason[0] = steer->why[0] = '\0';
    if (!is_paused(steer, job->name) &&
        !is_shut(steer, &job->pace.window) &&
        !has_flag(steer, job->pace.flag_file) && steer->pressed[0] != '\0')
        say(steer, steer->pressed, steer->pressed_why);
    tell_workers(run);
    return no_wait(run, err);
}

enum envl_status
steer_wait(struct run *run, struct envl_error *err)
{
    enum envl_status status = run_steer(run, err);

    while (status == ENVL_OK && run->steer.reason[0] != '\0') {
        if (!run_pause(run, WAIT_MS, NULL))
            return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
        status = run_tick(run, err);
    }
    return status;
}

static enum envl_status
open_zone(const struct job *job, struct zone **out, struct envl_error *err)
{
    if (job->pace.window.text == NULL)
        return ENVL_OK;
    return zone_open(job->pace.window.zone, out, err);
}

enum envl_status
steer_check_session(struct session *session, struct envl_error *err)
{
    struct envl_pressure pressure;
    struct zone *zone = NULL;
    enum envl_status status = open_zone(session->env->job, &zone, err);

    zone_free(zone);
    return status == ENVL_OK ? ask_store(session, true, &pressure, err)
                             : status;
}

enum envl_status
steer_check(struct run *run, struct envl_error *err)
{
    enum envl_status status = steer_check_session(run->control, err);

    run->steer.guard_writes = -1;
    return status == ENVL_OK ? open_zone(run->env.job, &run->steer.zone, err)
                             : status;
}

void
steer_free(struct steer *steer)
{
    zone_free(steer->zone);
    *steer = (struct steer){ 0 };
}
