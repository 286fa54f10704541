#include "engine/batch.h"
#include "engine/search.h"

#define CANDIDATES 1000u /* looked at; more of them are no coincidence */

static enum envl_status
read_candidates(struct run *run, uint32_t target, struct batch *batch,
                struct envl_error *err)
{
    const struct env *env = &run->env;
    struct envl_read read = {
        .rows = CANDIDATES,
        .bytes = env->job->pace.bytes,
        .unsealed = env->goal == TRANSFORM_ROTATE ? env->key.kid : "",
    };
    struct envl_target *at = run->control->targets[target];
    enum envl_status status = env->ops->read_begin(at, &read, err);

    if (status == ENVL_OK)
        status = env->ops->read_end(at, &batch->page, err);
    if (status != ENVL_OK) {
        batch->page = NULL;
        return status;
    }
    return batch_decide(run->control, target, batch, err);
}

/* A store sees the whole value, which never begins like an envelope. */
static bool
selects(const struct job_target *target)
{
    for (uint32_t i = 0; i < target->spec.field_count; i++) {
        if (target->fields[i].select.count > 0)
            return true;
    }
    return false;
}

static enum envl_status
search_target(struct run *run, uint32_t target, uint64_t *known, bool *left,
              struct envl_error *err)
{
    struct batch batch = { 0 };
    enum envl_status status;
    uint64_t quarantined = 0;

    *left = true;
    if (!session_info(run->control, target)->finds_unsealed ||
        selects(&run->env.job->targets[target]))
        return ENVL_OK;
    status = read_candidates(run, target, &batch, err);
    if (status == ENVL_OK) {
        for (uint32_t i = 0; i < batch.work.leaf_count; i++)
            quarantined += batch.work.leaves[i].action == JOB_QUARANTINE;
        *left = batch.work.edit_count > 0 || !batch.page->end ||
                quarantined > *known;
        *known -= quarantined < *known ? quarantined : *known;
        status = run_tick(run, err);
    }
    batch_free(run->control, &batch);
    return status;
}

enum envl_status
search_left(struct run *run, uint64_t known, bool *left,
            struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    *left = false;
    for (uint32_t i = 0; status == ENVL_OK && !*left &&
                         i < run->env.job->target_count; i++)
        status = search_target(run, i, &known, left, err);
    /* A search that takes too long is no failure: all is read again. */
    if (status != ENVL_E_LOCKED)
        return status;
    *left = true;
    return ENVL_OK;
}
