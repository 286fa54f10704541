#include <stdlib.h>

#include "engine/ranges.h"

#define ROWS_LEAST   2000u /* a smaller range is not worth its lease       */
#define PARTS_LEAST  8u    /* so that another host finds something to do   */
#define PARTS_THREAD 4u

/* Ranges as they are found, before they become slots. */
struct cut {
    struct record_range *ranges;
    uint32_t count, cap;
    uint32_t target;
    struct envl_buf edge; /* where the last range ended */
};

static enum envl_status
cut_at(void *cookie, struct envl_bytes key, struct envl_error *err)
{
    struct cut *cut = cookie;
    struct record_range *range;
    enum envl_status status;

    if (cut->count == cut->cap) {
        uint32_t cap = cut->cap == 0 ? 16 : cut->cap * 2;
        struct record_range *more = realloc(cut->ranges, cap * sizeof(*more));

        if (more == NULL)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for ranges");
        cut->ranges = more;
        cut->cap = cap;
    }
    range = &cut->ranges[cut->count++];
    *range = (struct record_range){ .target = cut->target };
    status = envl_buf_append(&range->after, envl_buf_view(&cut->edge), err);
    if (status == ENVL_OK)
        status = envl_buf_append(&range->until, key, err);
    envl_buf_clear(&cut->edge);
    if (status == ENVL_OK)
        status = envl_buf_append(&cut->edge, key, err);
    return status;
}

static uint32_t
parts_of(const struct envl_target_info *info, uint32_t threads,
         uint32_t max_workers)
{
    uint64_t most = info->rows / ROWS_LEAST;
    uint64_t want = (uint64_t)threads * PARTS_THREAD;

    if (max_workers == 1 || most <= 1)
        return 1;
    if (want < PARTS_LEAST)
        want = PARTS_LEAST;
    return (uint32_t)(want < most ? want : most);
}

/*
 * Split first and ask for the largest key then: it is above all others, or
 * rows were deleted meanwhile and the last range is empty.
 */
static enum envl_status
cut_target(struct session *session, uint32_t target, uint32_t threads,
           struct cut *cut, struct envl_error *err)
{
    const struct envl_migrator *ops = session->env->ops;
    struct envl_target *bound = session->targets[target];
    uint32_t parts = parts_of(session_info(session, target), threads,
                              ops->info(session->store)->max_workers);
    enum envl_status status = ENVL_OK;

    cut->target = target;
    envl_buf_clear(&cut->edge);
    if (parts > 1)
        status = ops->split(bound, parts, cut_at, cut, err);
    if (status == ENVL_OK)
        status = ops->last_key(bound, cut_at, cut, err);
    return status;
}

enum envl_status
ranges_make(struct session *session, uint32_t threads,
            struct workers *workers, struct envl_error *err)
{
    struct cut cut = { 0 };
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0;
         status == ENVL_OK && i < session->env->job->target_count; i++)
        status = cut_target(session, i, threads, &cut, err);
    if (status == ENVL_OK)
        status = workers_slots(workers, cut.count, err);
    for (uint32_t i = 0; i < cut.count; i++) {
        if (status == ENVL_OK) {
            workers->slots[i].number = i + 1;
            workers->slots[i].range = cut.ranges[i];
        } else {
            record_body_free_range(&cut.ranges[i]);
        }
    }
    free(cut.ranges);
    envl_buf_free(&cut.edge);
    return status;
}

uint64_t
ranges_rows(const struct session *session)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < session->env->job->target_count; i++)
        rows += session_info(session, i)->rows;
    return rows;
}
