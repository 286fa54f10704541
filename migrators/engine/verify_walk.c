#include <stdlib.h>
#include <string.h>

#include "engine/names.h"
#include "engine/summary.h"
#include "engine/verify_digest.h"
#include "engine/verify_walk.h"

#define FAILURES_MAX 5u

/* A range on its way; what is settled is kept when a connection is lost. */
struct walk {
    struct verify *verify;
    struct session *session;
    struct verify_track *track;
    uint32_t target;
    struct envl_bytes after, until; /* of the whole range */
    struct batch cur, next;
    bool reading;
    uint32_t failures;
};

/* ---- stretches ---------------------------------------------------------- */

static void
empty(struct verify_stretch *stretch)
{
    envl_buf_free(&stretch->last);
    census_free(&stretch->census);
    json_decref(stretch->findings);
    *stretch = (struct verify_stretch){ .pages = 0 };
}

void
verify_walk_free(struct verify_track *track)
{
    for (size_t i = 0; i < track->count; i++)
        empty(&track->stretches[i]);
    free(track->stretches);
    *track = (struct verify_track){ .count = 0 };
}

/* The one that a page belongs to which follows all that is there. */
static struct verify_stretch *
grow(struct walk *walk)
{
    struct verify_track *track = walk->track;

    if (track->count > 0 && track->stretches[track->count - 1].pages <
                                walk->verify->pages_each)
        return &track->stretches[track->count - 1];
    if (track->count == track->cap) {
        size_t cap = track->cap == 0 ? 16 : track->cap * 2;
        struct verify_stretch *more = realloc(track->stretches,
                                              cap * sizeof(*more));

        if (more == NULL)
            return NULL;
        track->stretches = more;
        track->cap = cap;
    }
    track->stretches[track->count] = (struct verify_stretch){ .pages = 0 };
    return &track->stretches[track->count++];
}

/* ---- what is amiss ------------------------------------------------------ */

static bool
is_active(const struct verify *verify, const char *kid)
{
    for (size_t i = 0; i < verify->active_count; i++) {
        if (strcmp(verify->active[i], kid) == 0)
            return true;
    }
    return false;
}

bool
verify_walk_in_order(const struct verify *verify,
                     const struct census_entry *entry)
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
    const struct session *session = walk->session;
    char *field = names_leaf(&session->env->job->targets[walk->target],
                             leaf->at);
    json_t *one = json_pack("{s:s, s:o, s:o, s:s}", "target",
                            session_info(session, walk->target)->label,
                            "field", summary_text(envl_bytes_of(field)),
                            "row", summary_text(row->name), "state",
                            row_state_name(leaf->state));

    if (one != NULL && row_state_sealed(leaf->state))
        json_object_set_new(one, "kid", json_string(leaf->kid));
    free(field);
    return one;
}

/* List what is amiss on a page; most pages have nothing. */
static void
list(struct walk *walk, struct verify_stretch *stretch)
{
    struct verify *verify = walk->verify;
    const struct page_work *work = &walk->cur.work;

    for (uint32_t i = 0; i < work->leaf_count; i++) {
        const struct leaf_result *leaf = &work->leaves[i];
        struct census_entry entry = { .target = walk->target,
                                      .field = leaf->field,
                                      .state = leaf->state };

        memcpy(entry.kid, leaf->kid, strlen(leaf->kid) + 1);
        if (verify_walk_in_order(verify, &entry))
            continue;
        pthread_mutex_lock(&verify->workers.lock);
        if (verify->finding_count < VERIFY_FINDINGS_MAX) {
            verify->finding_count++;
            if (stretch->findings == NULL)
                stretch->findings = json_array();
            json_array_append_new(
                stretch->findings,
                finding(walk, &walk->cur.page->rows[leaf->row], leaf));
        }
        pthread_mutex_unlock(&verify->workers.lock);
    }
}

/* ---- reading ------------------------------------------------------------ */

static enum envl_status
read_begin(struct walk *walk, struct envl_bytes after,
           struct envl_bytes until, struct envl_error *err)
{
    const struct job_pace *pace = &walk->verify->env.job->pace;
    struct envl_read read = {
        .after = after,
        .until = until,
        .rows = pace->rows_max < 2000 ? pace->rows_max : 2000,
        .bytes = pace->bytes,
    };
    enum envl_status status = walk->verify->env.ops->read_begin(
        walk->session->targets[walk->target], &read, err);

    walk->reading = status == ENVL_OK;
    return status;
}

static enum envl_status
read_end(struct walk *walk, struct batch *batch, struct envl_error *err)
{
    enum envl_status status;

    walk->reading = false;
    status = walk->verify->env.ops->read_end(
        walk->session->targets[walk->target], &batch->page, err);
    if (status != ENVL_OK)
        batch->page = NULL;
    return status;
}

static enum envl_status
read_page(struct walk *walk, struct envl_bytes after, struct envl_bytes until,
          struct envl_error *err)
{
    enum envl_status status = read_begin(walk, after, until, err);

    return status == ENVL_OK ? read_end(walk, &walk->cur, err) : status;
}

/* Give up what is under way. */
static void
quiet(struct walk *walk)
{
    if (walk->reading)
        (void)read_end(walk, &walk->next, NULL);
    batch_free(walk->session, &walk->cur);
    batch_free(walk->session, &walk->next);
}

static uint32_t
extras_of(const struct walk *walk)
{
    return walk->verify->env.job->targets[walk->target].spec.extra_count;
}

/* Add the current page, which was decided, to ${stretch}. */
static enum envl_status
settle(struct walk *walk, struct verify_stretch *stretch,
       struct envl_error *err)
{
    const struct envl_page *page = walk->cur.page;
    enum envl_status status;

    status = page_work_settle(&walk->cur.work, page, NULL, &stretch->census,
                              err);
    if (status != ENVL_OK)
        return status;
    list(walk, stretch);
    verify_digest_page(page, extras_of(walk), stretch->digest);
    stretch->pages++;
    stretch->rows += page->count;
    if (page->count == 0)
        return ENVL_OK;
    envl_buf_clear(&stretch->last);
    return envl_buf_append(&stretch->last, page->rows[page->count - 1].key,
                           err);
}

/* Where the stretch ${index} begins: behind the one before. */
static struct envl_bytes
begin_of(const struct walk *walk, size_t index)
{
    while (index-- > 0) {
        const struct verify_stretch *before = &walk->track->stretches[index];

        if (before->last.len > 0)
            return envl_buf_view(&before->last);
    }
    return walk->after;
}

/* Open the page after all that is there, while the next is on its way. */
static enum envl_status
advance(struct walk *walk, uint64_t *rows, bool *end, struct envl_error *err)
{
    struct verify_stretch *stretch;
    struct envl_page *page;
    enum envl_status status = ENVL_OK;

    if (walk->cur.page == NULL)
        status = read_page(walk, begin_of(walk, walk->track->count),
                           walk->until, err);
    if (status != ENVL_OK)
        return status;
    page = walk->cur.page;
    if (!page->end && page->count > 0)
        status = read_begin(walk, page->rows[page->count - 1].key,
                            walk->until, err);
    if (status == ENVL_OK)
        status = batch_decide(walk->session, walk->target, &walk->cur, err);
    if (status == ENVL_OK && walk->reading)
        status = read_end(walk, &walk->next, err);
    if (status != ENVL_OK)
        return status;
    stretch = grow(walk);
    if (stretch == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a census");
    *rows = page->count;
    *end = page->end;
    status = settle(walk, stretch, err);
    batch_free(walk->session, &walk->cur);
    walk->cur = walk->next;
    walk->next = (struct batch){ 0 };
    walk->failures = 0;
    return status;
}

/* ---- the second reading ------------------------------------------------- */

/* The last stretch goes to the end of the range. */
static struct envl_bytes
end_of(const struct walk *walk, size_t index)
{
    if (index + 1 == walk->track->count)
        return walk->until;
    return envl_buf_view(&walk->track->stretches[index].last);
}

/* Read the stretch; with ${fresh} (empty) open it too. */
static enum envl_status
read_stretch(struct walk *walk, size_t index, struct verify_stretch *fresh,
             uint8_t digest[16], struct envl_error *err)
{
    struct envl_buf after = ENVL_BUF_INIT;
    enum envl_status status = envl_buf_append(&after, begin_of(walk, index),
                                              err);
    bool end = false;

    memset(digest, 0, 16);
    while (status == ENVL_OK && !end) {
        const struct envl_page *page;

        status = read_page(walk, envl_buf_view(&after), end_of(walk, index),
                           err);
        if (status != ENVL_OK)
            break;
        page = walk->cur.page;
        end = page->end;
        verify_digest_page(page, extras_of(walk), digest);
        if (page->count > 0) {
            envl_buf_clear(&after);
            status = envl_buf_append(&after,
                                     page->rows[page->count - 1].key, err);
        }
        if (status == ENVL_OK && fresh != NULL)
            status = batch_decide(walk->session, walk->target, &walk->cur,
                                  err);
        if (status == ENVL_OK && fresh != NULL)
            status = settle(walk, fresh, err);
        batch_free(walk->session, &walk->cur);
    }
    envl_buf_free(&after);
    return status;
}

static enum envl_status
check_stretch(struct walk *walk, size_t index, struct envl_error *err)
{
    struct verify_stretch *stretch = &walk->track->stretches[index];
    struct verify_stretch fresh = { .pages = 0 };
    struct verify *verify = walk->verify;
    uint8_t digest[16];
    enum envl_status status = read_stretch(walk, index, NULL, digest, err);

    if (status != ENVL_OK ||
        memcmp(digest, stretch->digest, sizeof(digest)) == 0)
        return status;
    pthread_mutex_lock(&verify->workers.lock);
    verify->finding_count -= json_array_size(stretch->findings);
    pthread_mutex_unlock(&verify->workers.lock);
    json_decref(stretch->findings);
    stretch->findings = NULL;
    status = read_stretch(walk, index, &fresh, digest, err);
    if (status != ENVL_OK) {
        empty(&fresh);
        return status;
    }
    pthread_mutex_lock(&verify->workers.lock);
    verify->changed++;
    verify->changed_rows += fresh.rows;
    pthread_mutex_unlock(&verify->workers.lock);
    /* The bounds of its neighbours stay what they were. */
    envl_buf_free(&fresh.last);
    fresh.last = stretch->last;
    stretch->last = (struct envl_buf)ENVL_BUF_INIT;
    empty(stretch);
    *stretch = fresh;
    return ENVL_OK;
}

/* ---- slots -------------------------------------------------------------- */

/* What to do about a failure: ENVL_OK is to try again. */
static enum envl_status
recover(struct walk *walk, struct workers *workers, enum envl_status status,
        struct envl_error *err)
{
    struct session_wait wait = { workers_sleep, workers };

    if (status == ENVL_E_LOCKED && ++walk->failures <= 100 &&
        workers_sleep(workers, pace_jitter(100), NULL))
        return ENVL_OK;
    if (status == ENVL_E_DATABASE && ++walk->failures <= FAILURES_MAX)
        return session_recover(walk->session, &wait, err);
    return status;
}

static struct walk
walk_of(struct worker *worker, const struct slot *slot)
{
    struct verify *verify = worker->all->cookie;

    return (struct walk){
        .verify = verify, .session = worker->session,
        .track = &verify->tracks[slot - worker->all->slots],
        .target = slot->range.target,
        .after = envl_buf_view(&slot->range.after),
        .until = envl_buf_view(&slot->range.until),
    };
}

static enum envl_status
leave(struct walk *walk, struct worker *worker, struct slot *slot,
      enum envl_status status)
{
    if (worker->session->store != NULL)
        quiet(walk);
    workers_put(worker->all, slot, slot->range.done ? SLOT_DONE : SLOT_FREE);
    return status == ENVL_E_INTERRUPTED ? ENVL_OK : status;
}

enum envl_status
verify_walk_first(struct worker *worker, struct slot *slot,
                  struct envl_error *err)
{
    struct walk walk = walk_of(worker, slot);
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && !slot->range.done &&
           !workers_halting(worker->all)) {
        struct ledger before = slot->range.ledger;
        uint64_t rows = 0;

        status = advance(&walk, &rows, &slot->range.done, err);
        slot->range.ledger.rows += rows;
        workers_count_in(worker->all, &before, &slot->range.ledger);
        if (status == ENVL_OK)
            continue;
        quiet(&walk);
        status = recover(&walk, worker->all, status, err);
    }
    return leave(&walk, worker, slot, status);
}

enum envl_status
verify_walk_again(struct worker *worker, struct slot *slot,
                  struct envl_error *err)
{
    struct walk walk = walk_of(worker, slot);
    struct verify_track *track = walk.track;
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && track->checked < track->count &&
           !workers_halting(worker->all)) {
        struct ledger before = slot->range.ledger;

        status = check_stretch(&walk, track->checked, err);
        if (status == ENVL_OK) {
            slot->range.ledger.rows +=
                track->stretches[track->checked++].rows;
            workers_count_in(worker->all, &before, &slot->range.ledger);
            continue;
        }
        quiet(&walk);
        status = recover(&walk, worker->all, status, err);
    }
    slot->range.done = track->checked == track->count;
    return leave(&walk, worker, slot, status);
}

enum envl_status
verify_walk_tail(struct verify *verify, uint32_t target,
                 struct envl_bytes after, struct verify_track *track,
                 struct envl_error *err)
{
    struct walk walk = { .verify = verify, .session = verify->control,
                         .track = track, .target = target, .after = after };
    enum envl_status status = ENVL_OK;
    bool end = false;
    uint64_t rows;

    while (status == ENVL_OK && !end) {
        status = advance(&walk, &rows, &end, err);
        if (status == ENVL_OK)
            continue;
        quiet(&walk);
        status = recover(&walk, &verify->workers, status, err);
    }
    if (verify->control->store != NULL)
        quiet(&walk);
    return status;
}
