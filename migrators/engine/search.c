#include "engine/batch.h"
#include "engine/search.h"

/* A search under way over one target after the other. */
struct search {
    struct run *run;
    struct session *session;
    struct envl_buf cursor;
    uint64_t known;       /* values in quarantine          */
    uint64_t quarantined; /* of them, found here           */
    bool left;
};

static enum envl_status
read_page(struct search *search, uint32_t target, struct batch *batch,
          struct envl_error *err)
{
    const struct env *env = &search->run->env;
    struct envl_read read = {
        .after = envl_buf_view(&search->cursor),
        .rows = env->job->pace.rows_max,
        .bytes = env->job->pace.bytes,
        .unsealed = env->goal == TRANSFORM_ROTATE ? env->key.kid : "",
    };
    struct envl_target *at = search->session->targets[target];
    enum envl_status status = env->ops->read_begin(at, &read, err);

    if (status == ENVL_OK)
        status = env->ops->read_end(at, &batch->page, err);
    if (status != ENVL_OK) {
        batch->page = NULL;
        return status;
    }
    return batch_decide(search->session, target, batch, err);
}

static void
look(struct search *search, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->work.leaf_count; i++)
        search->quarantined +=
            batch->work.leaves[i].action == JOB_QUARANTINE;
    search->left = batch->work.edit_count > 0 ||
                   search->quarantined > search->known;
}

/* One page; ${over}: nothing is behind it. */
static enum envl_status
step(struct search *search, uint32_t target, bool *over,
     struct envl_error *err)
{
    struct batch batch = { 0 };
    enum envl_status status = read_page(search, target, &batch, err);

    if (status == ENVL_OK) {
        const struct envl_page *page = batch.page;

        look(search, &batch);
        *over = page->end || page->count == 0;
        envl_buf_clear(&search->cursor);
        if (page->count > 0)
            status = envl_buf_append(&search->cursor,
                                     page->rows[page->count - 1].key, err);
    }
    batch_free(search->session, &batch);
    return status;
}

static enum envl_status
search_target(struct search *search, uint32_t target, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    bool over = false;

    if (!session_info(search->session, target)->finds_unsealed) {
        search->left = true;
        return ENVL_OK;
    }
    envl_buf_clear(&search->cursor);
    while (status == ENVL_OK && !over && !search->left) {
        if (workers_stop(&search->run->workers) > 0)
            return envl_fail(err, ENVL_E_INTERRUPTED, "stopped on request");
        status = step(search, target, &over, err);
        if (status == ENVL_OK)
            status = run_tick(search->run, err);
    }
    return status;
}

enum envl_status
search_left(struct run *run, uint64_t known, bool *left,
            struct envl_error *err)
{
    struct search search = { .run = run, .session = run->control,
                             .known = known };
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; status == ENVL_OK && !search.left &&
                         i < run->env.job->target_count; i++)
        status = search_target(&search, i, err);
    envl_buf_free(&search.cursor);
    /* A search that takes too long is no failure: all is read again. */
    *left = search.left || status == ENVL_E_LOCKED;
    return status == ENVL_E_LOCKED ? ENVL_OK : status;
}
