#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/utf8.h"
#include "engine/follow.h"
#include "engine/resume.h"
#include "engine/run.h"

#define BEAT_MS  4000u /* between signs of life: a lease lasts 15 s */
#define SOON_MS  500u  /* until others see what is waited for */
#define RING_MS 500u /* a ring put back is noticed as soon as this  */
#define DEAD_MS  (ENV_TTL_MS + 1000u) /* a dead process's lease is waited for */
#define STEP_MS  50u
#define LOSSES_MAX 5u /* of a new connection before it was of any use */

/* UTF-8, cut where a character begins: a database's name may be in it. */
static void
copy_text(const char *from, char *out, size_t size)
{
    size_t len = strlen(from);

    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    if (!utf8_valid(envl_bytes_of(out)))
        out[0] = '\0';
}

/* What `status` shows on any host. */
static void
describe_now(struct run *run)
{
    struct record_job *job = &run->job;

    copy_text(run->reason, job->wait_reason, sizeof(job->wait_reason));
    copy_text(run->waiting, job->wait_text, sizeof(job->wait_text));
    job->wait_ms = run->reason[0] == '\0' ? 0
                                          : pace_now() - run->waiting_since;
    job->rate = (uint64_t)run->progress.rate;
    job->threads = run->threads;
    pthread_mutex_lock(&run->workers.lock);
    job->batch_rows = run->workers.batch_rows;
    job->batch_ms = run->workers.batch_ms;
    pthread_mutex_unlock(&run->workers.lock);
}

static enum envl_status
encode(struct run *run, struct envl_record *out, struct envl_error *err)
{
    enum envl_status status;

    envl_keyring_mark(run->env.options->ring, &run->job.ring);
    run->job.ms = run->ms_before;
    if (run->begun != 0)
        run->job.ms += pace_now() - run->begun;
    describe_now(run);
    status = record_body_encode_job(&run->job, &run->body, err);
    if (status == ENVL_OK)
        *out = lease_record_of(&run->env, 0, run->epoch,
                               envl_buf_view(&run->body));
    return status;
}

enum envl_status
run_put(struct run *run, struct envl_error *err)
{
    struct envl_record record;
    enum envl_status status = encode(run, &record, err);

    if (status == ENVL_OK)
        status = lease_commit(run->control, &record, err);
    if (status == ENVL_OK)
        run->beat = pace_now();
    return status;
}

enum envl_status
run_lead(struct run *run, uint64_t epoch, struct envl_error *err)
{
    struct envl_record record;
    enum envl_status status;

    run->epoch = epoch + 1;
    status = encode(run, &record, err);
    if (status == ENVL_OK)
        status = lease_take(run->control, &record, err);
    if (status == ENVL_OK) {
        run->claimed = true;
        run->beat = pace_now();
    } else {
        run->epoch = epoch; /* it may have been taken; then it is ours */
    }
    return status;
}

/* A new pass; the ranges of the old one are replaced when it is prepared. */
static void
begin_anew(struct run *run)
{
    struct record_job job = { .goal = run->goal,
                              .phase = RECORD_PREPARE,
                              .pass = run->job.pass + 1 };

    memcpy(job.kid, run->env.key.kid, sizeof(job.kid));
    memcpy(job.digest, run->env.job->digest, sizeof(job.digest));
    record_body_free_job(&run->job);
    run->job = job;
    run->ms_before = 0;
}

enum envl_status
run_accept(struct run *run, enum envl_status why, struct envl_error *err)
{
    const char *id = run->env.options->accept_ring;
    struct envl_audit_event event = { .verb = "accept ring",
                                      .outcome = "ok" };
    struct envl_ring_mark now;
    enum envl_status status;

    envl_keyring_mark(run->env.options->ring, &now);
    if (id == NULL || strcmp(id, now.id) != 0) {
        envl_hint(err, "use the keyring the job was begun with; if this is "
                  "it, --accept-ring=%s begins a new pass over everything",
                  now.id);
        return why;
    }
    event.object = now.id;
    status = envl_audit_append(run->env.options->audit, &event, err);
    if (status == ENVL_OK)
        begin_anew(run);
    return status;
}

/* Decide from the stored record ${found} (NULL: none) what run->job is. */
static enum envl_status
decide(struct run *run, const struct lease_record *found,
       struct envl_error *err)
{
    struct resume_want want = { run->goal, run->env.key.kid,
                                run->env.job->digest,
                                run->env.options->ring };
    enum resume_action action = RESUME_NEW_PASS;
    struct envl_ring_mark now;
    enum envl_status status = ENVL_OK;

    record_body_free_job(&run->job);
    if (found != NULL) {
        envl_keyring_mark(run->env.options->ring, &now);
        status = found->mac;
        if (status != ENVL_OK)
            envl_fail(err, status, "the record of job \"%s\" was not written "
                      "under this keyring, or was changed",
                      run->env.job->name);
        else
            status = record_body_decode_job(envl_buf_view(&found->body),
                                            &run->job, err);
        if (status == ENVL_OK)
            status = resume_ring(&run->job.ring, &now, err);
        if (status == ENVL_OK)
            status = resume_decide(&run->job, &want, &action, err);
        else if (status == ENVL_E_INTEGRITY)
            return run_accept(run, status, err);
    }
    if (status != ENVL_OK)
        return status;
    if (action == RESUME_NEW_PASS)
        begin_anew(run);
    run->ms_before = run->job.ms;
    return ENVL_OK;
}

/* "HEX HOST PID" of a process of this host that is no more. */
static bool
dead_here(const char *owner)
{
    const char *host = strchr(owner, ' '), *pid;
    char here[128];
    size_t len;

    if (host == NULL || gethostname(here, sizeof(here)) != 0)
        return false;
    here[sizeof(here) - 1] = '\0';
    host++;
    pid = strchr(host, ' ');
    len = strlen(here);
    if (pid == NULL || (size_t)(pid - host) != len ||
        strncmp(host, here, len) != 0)
        return false;
    return kill((pid_t)strtol(pid + 1, NULL, 10), 0) != 0 && errno == ESRCH;
}

static enum envl_status
held(const struct lease_record *record, struct envl_error *err)
{
    envl_fail(err, ENVL_E_LOCKED, "the job is run by another process (%s)",
              record->owner);
    envl_hint(err, "wait for it or stop it; if it is gone, its lease runs "
              "out in %lld s", (long long)(record->lease_ms + 999) / 1000);
    return ENVL_E_LOCKED;
}

static const char dead[] = "the process that had the job was killed; its "
                           "lease runs out";
static const char busy[] = "the database is locked by somebody else";

/* One attempt; ${why}: what to wait for before another, or NULL. */
static enum envl_status
try_claim(struct run *run, const char **why, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    enum envl_status status = lease_list_read(run->control, &list, err);

    if (status != ENVL_OK) {
        *why = busy;
        return status;
    }
    found = lease_list_find(&list, 0);
    if (found != NULL && found->held && !found->ours) {
        *why = dead_here(found->owner) ? dead : NULL;
        if (*why != NULL || !follow_can(run, &list))
            status = held(found, err);
    } else {
        status = decide(run, found, err);
        if (status == ENVL_OK) {
            *why = busy; /* or taken just now: then the next look says so */
            status = run_lead(run, found == NULL ? 0 : found->epoch, err);
        }
    }
    lease_list_free(&list);
    return status;
}

enum envl_status
run_claim(struct run *run, struct envl_error *err)
{
    uint64_t begun = pace_now(), most;
    unsigned races = 0;
    enum envl_status status;
    const char *why;

    for (;;) {
        why = NULL;
        status = try_claim(run, &why, err);
        most = why == busy ? run->env.patience_ms : DEAD_MS;
        if (status == ENVL_OK || pace_now() - begun > most)
            break;
        /* The server may not have noticed yet that a killed client is gone;
           and somebody else may have taken the job between read and take. */
        if (!(status == ENVL_E_LOCKED && why != NULL) &&
            !(status == ENVL_E_CONFLICT && ++races < 5))
            break;
        if (!run_pause(run, pace_jitter(100), why == dead ? why : NULL))
            return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
    }
    if (status == ENVL_E_CONFLICT)
        return envl_fail(err, ENVL_E_LOCKED,
                         "another process has taken the job just now");
    return status;
}

enum envl_status
run_taken_over(struct run *run, struct envl_error *err)
{
    run->claimed = false;
    envl_fail(err, ENVL_E_LOCKED, "another process has taken the job over");
    envl_hint(err, "this one was out of touch with the store for more than "
              "%u s", ENV_TTL_MS / 1000);
    return ENVL_E_LOCKED;
}

/* On a new connection: is the job's record still the one we left? */
static enum envl_status
retake(struct run *run, struct envl_error *err)
{
    struct lease_list list = { 0 };
    const struct lease_record *found;
    struct record_job job = { 0 };
    enum envl_status status = lease_list_read(run->control, &list, err);

    if (status != ENVL_OK)
        return status;
    found = lease_list_find(&list, 0);
    if (found == NULL || found->epoch < run->epoch ||
        (found->epoch > run->epoch && !found->ours))
        status = run_taken_over(run, err);
    else if (found->mac != ENVL_OK)
        status = envl_fail(err, ENVL_E_INTEGRITY, "the job's record was "
                           "changed by somebody else");
    else
        status = record_body_decode_job(envl_buf_view(&found->body), &job,
                                        err);
    if (status == ENVL_OK) {
        record_body_free_job(&run->job);
        run->job = job;
        status = run_lead(run, found->epoch, err);
    }
    lease_list_free(&list);
    return status;
}

enum envl_status
run_regain(struct run *run, struct envl_error *err)
{
    struct session_wait wait = { run_pause_database, run };
    enum envl_status status;

    run->claimed = false; /* until it is ours again: no sign of life */
    for (unsigned losses = 0;; losses++) {
        status = session_recover(run->control, &wait, err);
        if (status != ENVL_OK)
            return status;
        status = retake(run, err);
        if (status != ENVL_E_DATABASE || losses == LOSSES_MAX)
            return status;
    }
}

/* The lease is ours as long as we are heard of. */
static enum envl_status
beat(struct run *run, struct envl_error *err)
{
    enum envl_status status;

    if (!run->claimed || pace_now() - run->beat < BEAT_MS)
        return ENVL_OK;
    status = run_put(run, err);
    if (status == ENVL_E_DATABASE)
        status = run_regain(run, err);
    if (status == ENVL_E_CONFLICT)
        status = run_taken_over(run, err);
    if (status == ENVL_E_LOCKED && run->claimed) {
        /* A lock is not a loss: try again a little later. */
        run->beat += BEAT_MS / 8;
        status = ENVL_OK;
    }
    return status;
}

/* What is waited for, if anything; a new reason goes into the store soon. */
static void
note_wait(struct run *run, const char *reason, const char *why)
{
    if (strcmp(run->reason, reason) != 0) {
        snprintf(run->reason, sizeof(run->reason), "%s", reason);
        run->waiting_since = pace_now();
        if (run->beat > pace_now() - (BEAT_MS - SOON_MS))
            run->beat = pace_now() - (BEAT_MS - SOON_MS);
    }
    snprintf(run->waiting, sizeof(run->waiting), "%s", why);
}

static void
tell(struct run *run, const char *why, const char *reason)
{
    struct progress_state now = { 0 };
    char worker[sizeof(run->workers.waiting)];

    pthread_mutex_lock(&run->workers.lock);
    snprintf(worker, sizeof(worker), "%s", run->workers.waiting);
    now.rows = run->workers.live.rows;
    now.batch_rows = run->workers.batch_rows;
    now.batch_ms = run->workers.batch_ms;
    pthread_mutex_unlock(&run->workers.lock);
    if (why != NULL)
        note_wait(run, reason, why);
    else if (run->steer.reason[0] != '\0')
        note_wait(run, run->steer.reason, run->steer.why);
    else
        note_wait(run, worker[0] == '\0' ? "" : "database", worker);
    run_totals(run, &now.sum);
    now.guard_writes = run->steer.guard_writes;
    now.reason = run->reason;
    now.waiting = run->waiting;
    progress_tick(&run->progress, &now);
}

enum envl_status
run_steer(struct run *run, struct envl_error *err)
{
    struct session_wait wait = { run_pause_database, run };
    enum envl_status status = steer_look(run, err);

    if (status == ENVL_E_DATABASE)
        status = run->claimed ? run_regain(run, err)
                              : session_recover(run->control, &wait, err);
    if (status == ENVL_E_CONFLICT)
        status = run_taken_over(run, err);
    /* A lock is no answer: it is asked again. */
    return status == ENVL_E_LOCKED && run->claimed ? ENVL_OK : status;
}

enum envl_status
run_tick(void *cookie, struct envl_error *err)
{
    struct run *run = cookie;
    enum envl_status status = ENVL_OK;

    tell(run, NULL, NULL);
    if (pace_now() - run->ring_seen >= RING_MS) {
        run->ring_seen = pace_now();
        status = env_ring_stands(&run->env, err);
    }
    if (status == ENVL_OK)
        status = run_steer(run, err);
    return status == ENVL_OK ? beat(run, err) : status;
}

static bool
wait_ms(struct run *run, uint32_t ms, const char *why, const char *reason)
{
    uint64_t until = pace_now() + ms;
    uint32_t step = ms < STEP_MS ? ms : STEP_MS;

    do {
        struct timespec nap = { 0, (long)step * 1000000 };

        if (workers_stop(&run->workers) > 0)
            return false;
        tell(run, why, reason);
        nanosleep(&nap, NULL);
    } while (pace_now() < until);
    return true;
}

bool
run_pause(void *cookie, uint32_t ms, const char *why)
{
    return wait_ms(cookie, ms, why, "other_process");
}

bool
run_pause_database(void *cookie, uint32_t ms, const char *why)
{
    return wait_ms(cookie, ms, why, "database");
}

void
run_totals(const struct run *run, struct ledger *out)
{
    struct workers *workers = (struct workers *)(uintptr_t)&run->workers;
    struct ledger live;

    pthread_mutex_lock(&workers->lock);
    live = workers->live;
    pthread_mutex_unlock(&workers->lock);
    record_body_total(&run->job, &live, out);
}
