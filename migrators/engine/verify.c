/*
 * engine_verify: every envelope is fully opened in its place.  Nothing is
 * written, and no lease is taken: it can run beside a sweep.
 */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "engine/batch.h"
#include "engine/names.h"
#include "engine/progress.h"
#include "engine/ranges.h"
#include "engine/summary.h"

#define FINDINGS_MAX 1000u
#define FAILURES_MAX 5u

struct verify {
    struct env env;
    struct session *control;
    struct workers workers;
    struct progress progress;
    json_t *findings;         /* guarded by workers.lock */
    uint64_t finding_count;   /* the same                */
    const char *active[64];   /* kids of active keys     */
    size_t active_count;
    struct envl_key_info *keys;
    int64_t begun;            /* seconds since 1970      */
};

/* A range on its way; what was counted is kept when a connection is lost. */
struct walk {
    struct verify *verify;
    struct worker *worker;
    struct record_range *range;
    struct batch cur, next;
    bool reading, end;
    uint32_t failures;
};

static bool
is_active(const struct verify *verify, const char *kid)
{
    for (size_t i = 0; i < verify->active_count; i++) {
        if (strcmp(verify->active[i], kid) == 0)
            return true;
    }
    return false;
}

/* Sealed under an active key, or nothing to seal by policy. */
static bool
in_order(const struct verify *verify, const struct census_entry *entry)
{
    const struct job_target *target =
        &verify->env.job->targets[entry->target];

    switch (entry->state) {
    case ROW_ABSENT:
    case ROW_NULL:
        return true;
    case ROW_EMPTY:
        return !target->fields[entry->field].seal_empty;
    case ROW_SEALED_CURRENT:
    case ROW_SEALED_OLD_KID:
        return is_active(verify, entry->kid);
    default:
        return false;
    }
}

static json_t *
finding(const struct walk *walk, const struct envl_row *row,
        const struct leaf_result *leaf)
{
    const struct session *session = walk->worker->session;
    uint32_t target = walk->range->target;
    char *field = names_leaf(&session->env->job->targets[target],
                             &row->leaves[leaf->leaf]);
    json_t *one = json_pack("{s:s, s:o, s:o, s:s}", "target",
                            session_info(session, target)->label, "field",
                            summary_text(envl_bytes_of(field)), "row",
                            summary_text(row->name), "state",
                            row_state_name(leaf->state));

    if (one != NULL && row_state_sealed(leaf->state))
        json_object_set_new(one, "kid", json_string(leaf->kid));
    free(field);
    return one;
}

/* List what is amiss on a page; most pages have nothing. */
static void
list(struct walk *walk)
{
    struct verify *verify = walk->verify;
    const struct page_work *work = &walk->cur.work;

    for (uint32_t i = 0; i < work->leaf_count; i++) {
        const struct leaf_result *leaf = &work->leaves[i];
        struct census_entry entry = { .target = walk->range->target,
                                      .field = leaf->field,
                                      .state = leaf->state };

        memcpy(entry.kid, leaf->kid, strlen(leaf->kid) + 1);
        if (in_order(verify, &entry))
            continue;
        pthread_mutex_lock(&verify->workers.lock);
        if (verify->finding_count++ < FINDINGS_MAX)
            json_array_append_new(
                verify->findings,
                finding(walk, &walk->cur.page->rows[leaf->row], leaf));
        pthread_mutex_unlock(&verify->workers.lock);
    }
}

static enum envl_status
read_begin(struct walk *walk, struct envl_bytes after, struct envl_error *err)
{
    const struct job_pace *pace = &walk->verify->env.job->pace;
    struct session *session = walk->worker->session;
    struct envl_read read = {
        .after = after,
        .until = envl_buf_view(&walk->range->until),
        .rows = pace->rows_max < 2000 ? pace->rows_max : 2000,
        .bytes = pace->bytes,
    };
    enum envl_status status;

    status = walk->verify->env.ops->read_begin(
        session->targets[walk->range->target], &read, err);
    walk->reading = status == ENVL_OK;
    return status;
}

static enum envl_status
read_end(struct walk *walk, struct batch *batch, struct envl_error *err)
{
    struct session *session = walk->worker->session;
    enum envl_status status;

    walk->reading = false;
    status = walk->verify->env.ops->read_end(
        session->targets[walk->range->target], &batch->page, err);
    if (status != ENVL_OK)
        batch->page = NULL;
    return status;
}

static json_t *
date_of(int64_t seconds)
{
    char date[CLOCK_DATE_SIZE];

    clock_print(seconds, date);
    return json_string(date);
}

/* The kids under which applications may have sealed meanwhile. */
static json_t *
sealing_of(const struct verify *verify)
{
    json_t *kids = json_array();

    for (size_t i = 0; i < verify->active_count; i++)
        json_array_append_new(kids, json_string(verify->active[i]));
    return kids;
}

/* Open everything on the current page while the next one is on its way. */
static enum envl_status
advance(struct walk *walk, struct envl_error *err)
{
    struct record_range *range = walk->range;
    struct envl_page *page;
    struct ledger before = range->ledger;
    enum envl_status status = ENVL_OK;

    if (walk->cur.page == NULL) {
        status = read_begin(walk,
                            envl_buf_view(range->cursor.len > 0
                                              ? &range->cursor
                                              : &range->after), err);
        if (status == ENVL_OK)
            status = read_end(walk, &walk->cur, err);
        if (status != ENVL_OK)
            return status;
    }
    page = walk->cur.page;
    if (!page->end && page->count > 0)
        status = read_begin(walk, page->rows[page->count - 1].key, err);
    if (status == ENVL_OK)
        status = batch_decide(walk->worker->session, range->target,
                              &walk->cur, err);
    if (status == ENVL_OK && walk->reading)
        status = read_end(walk, &walk->next, err);
    if (status == ENVL_OK)
        status = page_work_settle(&walk->cur.work, page, NULL,
                                  &range->census, err);
    if (status != ENVL_OK)
        return status;

    list(walk);
    range->ledger.rows += page->count;
    if (page->count > 0) {
        envl_buf_clear(&range->cursor);
        status = envl_buf_append(&range->cursor,
                                 page->rows[page->count - 1].key, err);
    }
    range->done = page->end;
    workers_count_in(&walk->verify->workers, &before, &range->ledger);
    batch_free(walk->worker->session, &walk->cur);
    walk->cur = walk->next;
    walk->next = (struct batch){ 0 };
    walk->failures = 0;
    return status;
}

static void
quiet(struct walk *walk)
{
    if (walk->reading)
        (void)read_end(walk, &walk->next, NULL);
    batch_free(walk->worker->session, &walk->cur);
    batch_free(walk->worker->session, &walk->next);
}

static enum envl_status
verify_range(struct worker *worker, struct slot *slot, struct envl_error *err)
{
    struct walk walk = { .verify = worker->all->cookie, .worker = worker,
                         .range = &slot->range };
    struct session_wait wait = { workers_sleep, worker->all };
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && !slot->range.done &&
           !workers_halting(worker->all)) {
        status = advance(&walk, err);
        if (status == ENVL_OK)
            continue;
        quiet(&walk);
        if (status == ENVL_E_LOCKED && ++walk.failures <= 100 &&
            workers_sleep(worker->all, pace_jitter(100), NULL))
            status = ENVL_OK;
        else if (status == ENVL_E_DATABASE && ++walk.failures <= FAILURES_MAX)
            status = session_recover(worker->session, &wait, err);
    }
    if (worker->session->store != NULL)
        quiet(&walk);
    if (status == ENVL_E_INTERRUPTED)
        status = ENVL_OK;
    workers_put(worker->all, slot, slot->range.done ? SLOT_DONE : SLOT_FREE);
    return status;
}

static enum envl_status
tick(void *cookie, struct envl_error *err)
{
    struct verify *verify = cookie;
    char waiting[sizeof(verify->workers.waiting)];
    struct progress_state now = { .waiting = waiting };

    (void)err;
    pthread_mutex_lock(&verify->workers.lock);
    now.sum = verify->workers.live;
    memcpy(waiting, verify->workers.waiting, sizeof(waiting));
    pthread_mutex_unlock(&verify->workers.lock);
    now.rows = now.sum.rows;
    now.reason = waiting[0] == '\0' ? "" : "database";
    progress_tick(&verify->progress, &now);
    return ENVL_OK;
}

static enum envl_status
find_active(struct verify *verify, struct envl_error *err)
{
    size_t count;
    enum envl_status status;

    status = envl_keyring_list(verify->env.options->ring, &verify->keys,
                               &count, err);
    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        if (verify->keys[i].state == ENVL_KEY_ACTIVE &&
            verify->active_count < sizeof(verify->active) /
                                       sizeof(verify->active[0]))
            verify->active[verify->active_count++] = verify->keys[i].kid;
    }
    return status;
}

static enum envl_status
read_all(struct verify *verify, struct envl_error *err)
{
    struct workers_call call = { verify_range, tick, verify };
    const struct env *env = &verify->env;
    uint32_t threads = env->options->workers, most, left;
    enum envl_status status;

    most = env->ops->info(verify->control->store)->max_workers;
    if (threads == 0)
        threads = env->job->pace.workers;
    if (threads == 0 || most == 1)
        threads = 1;
    status = ranges_make(verify->control, threads, &verify->workers, err);
    if (status != ENVL_OK)
        return status;
    progress_phase(&verify->progress, "verify", 0,
                   ranges_rows(verify->control));
    while (status == ENVL_OK &&
           (left = workers_count(&verify->workers, SLOT_FREE)) > 0)
        status = workers_run(&verify->workers,
                             left < threads ? left : threads, &call, err);
    return status;
}

static enum envl_status
report_of(struct verify *verify, json_t **report, struct envl_error *err)
{
    uint64_t opened = 0, failed = 0, amiss = 0;
    struct census census = { 0 };
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; status == ENVL_OK && i < verify->workers.slot_count;
         i++)
        status = census_merge(&census, &verify->workers.slots[i].range.census,
                              err);
    for (size_t i = 0; i < census.count; i++) {
        const struct census_entry *entry = &census.entries[i];

        if (entry->state == ROW_SEALED_CURRENT ||
            entry->state == ROW_SEALED_OLD_KID)
            opened += entry->count;
        else if (row_state_sealed(entry->state) ||
                 entry->state == ROW_SEALED_NEWER ||
                 entry->state == ROW_PREFIX_COLLISION)
            failed += entry->count;
        if (!in_order(verify, entry))
            amiss += entry->count;
    }
    if (status == ENVL_OK)
        *report = json_pack(
            "{s:i, s:b, s:I, s:I, s:o, s:s, s:I, s:O, s:I, s:s, s:o, s:o, "
            "s:o}", "schema", 1,
            "ok", amiss == 0, "opened", (json_int_t)opened, "failed",
            (json_int_t)failed, "census",
            summary_census(verify->control, &census), "job",
            verify->env.job->name, "amiss", (json_int_t)amiss, "findings",
            verify->findings, "rows",
            (json_int_t)verify->workers.live.rows, "store",
            verify->env.ops->info(verify->control->store)->identity, "begun",
            date_of(verify->begun), "ended", date_of(clock_now()), "sealing",
            sealing_of(verify));
    census_free(&census);
    if (status == ENVL_OK && amiss > 0) {
        envl_fail(err, ENVL_E_FINDINGS, "%llu values are not sealed under an "
                  "active key in their place", (unsigned long long)amiss);
        status = ENVL_E_FINDINGS;
    }
    return status;
}

enum envl_status
engine_verify(const struct job *job, const struct engine_options *options,
              json_t **report, struct envl_error *err)
{
    struct verify verify = { .findings = json_array(),
                             .begun = clock_now() };
    enum envl_status status;

    if (options->ring == NULL)
        return envl_fail(err, ENVL_E_USAGE, "verify needs a keyring");
    status = env_open(job, options, TRANSFORM_VERIFY, &verify.env, err);
    if (status != ENVL_OK) {
        json_decref(verify.findings);
        return status;
    }
    workers_init(&verify.workers, &verify.env, SESSION_TRANSFORM);
    verify.workers.cookie = &verify;
    progress_init(&verify.progress, options, &verify.env.host);

    status = find_active(&verify, err);
    if (status == ENVL_OK)
        status = session_open(&verify.env, SESSION_TRANSFORM,
                              &verify.control, err);
    if (status == ENVL_OK)
        status = read_all(&verify, err);
    if (status == ENVL_OK)
        status = report_of(&verify, report, err);

    session_close(verify.control);
    workers_free(&verify.workers);
    free(verify.keys);
    json_decref(verify.findings);
    env_close(&verify.env);
    return status;
}
