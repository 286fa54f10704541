#include <stdlib.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/names.h"

enum envl_status
batch_decide(const struct session *session, uint32_t target,
             struct batch *batch, struct envl_error *err)
{
    const struct envl_edit *edits;
    enum envl_status status;

    status = transform_page(session->transforms[target], batch->page,
                            &batch->work, err);
    if (status != ENVL_OK)
        return status;
    edits = batch->work.edits;
    batch->rows_edited = 0;
    for (uint32_t i = 0; i < batch->work.edit_count; i++)
        batch->rows_edited += i == 0 || edits[i].row != edits[i - 1].row;
    return ENVL_OK;
}

static struct envl_quarantine *
next_item(struct batch_settling *settling)
{
    if (settling->item_count == settling->item_cap) {
        uint32_t cap = settling->item_cap == 0 ? 64 : settling->item_cap * 2;
        struct envl_quarantine *more;

        more = realloc(settling->items, cap * sizeof(*more));
        if (more == NULL)
            return NULL;
        settling->items = more;
        settling->item_cap = cap;
    }
    return &settling->items[settling->item_count];
}

static enum envl_status
quarantine(struct batch_settling *settling, const struct envl_row *row,
           const struct leaf_result *leaf, enum row_state state,
           struct envl_error *err)
{
    const struct session *session = settling->session;
    const struct envl_leaf *at = leaf->at;
    struct envl_quarantine *item = next_item(settling);
    char *field, *name;

    if (item == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a list");
    field = names_leaf(&session->env->job->targets[settling->target], at);
    name = strndup((const char *)row->name.ptr, row->name.len);
    *item = (struct envl_quarantine){
        .target = session_info(session, settling->target)->label,
        .field = field,
        .key = row->key,
        .row = name,
        .state = row_state_name(state),
    };
    if (leaf->action == JOB_QUARANTINE)
        memcpy(item->digest, leaf->digest, sizeof(item->digest));
    else
        record_digest(session->env->auth, at->value.bytes, item->digest);
    settling->item_count++;
    settling->range->ledger.quarantined++;
    return field == NULL || name == NULL
               ? envl_fail(err, ENVL_E_NOMEM, "out of memory for a list")
               : ENVL_OK;
}

/* One value of a row that was settled one way or the other. */
static enum envl_status
settle_leaf(struct batch_settling *settling, const struct envl_row *row,
            const struct leaf_result *leaf, enum envl_outcome outcome,
            struct envl_error *err)
{
    struct ledger *ledger = &settling->range->ledger;

    switch (outcome) {
    case ENVL_GONE:
        return ENVL_OK; /* there is no value any more */
    case ENVL_CHANGED:
    case ENVL_BUSY:
        ledger->conflicts++;
        return ENVL_OK;
    case ENVL_REFUSED:
        if (leaf->action == JOB_SEAL)
            return quarantine(settling, row, leaf, ROW_TOO_LARGE, err);
        break;
    case ENVL_WRITTEN:
        break;
    }

    if (leaf->action == JOB_QUARANTINE)
        return quarantine(settling, row, leaf, leaf->state, err);
    if (leaf->action != JOB_SEAL)
        ledger->skipped++;
    else if (row_state_sealed(leaf->state))
        ledger->rotated++;
    else
        ledger->sealed++;
    return ENVL_OK;
}

enum envl_status
batch_settle(struct batch_settling *settling, const struct batch *batch,
             const enum envl_outcome *outcomes, struct envl_error *err)
{
    const struct page_work *work = &batch->work;
    const struct envl_page *page = batch->page;
    enum envl_status status;

    status = page_work_settle(work, page, outcomes, &settling->range->census,
                              err);
    for (uint32_t i = 0; status == ENVL_OK && i < work->leaf_count; i++) {
        const struct leaf_result *leaf = &work->leaves[i];

        status = settle_leaf(settling, &page->rows[leaf->row], leaf,
                             outcomes[leaf->row], err);
    }
    /* Results lie in the page's order; a row may have none. */
    for (uint32_t i = 0, l = 0; status == ENVL_OK && i < page->count; i++) {
        uint32_t first = l;

        while (l < work->leaf_count && work->leaves[l].row == i)
            l++;
        settling->busy = outcomes[i] == ENVL_BUSY;
        if (outcomes[i] == ENVL_CHANGED || settling->busy)
            status = settling->lost(settling->cookie, &page->rows[i],
                                    l - first, err);
    }
    return status;
}

void
batch_settling_clear(struct batch_settling *settling)
{
    for (uint32_t i = 0; i < settling->item_count; i++) {
        /* Both are ours; the type says const for the plugins. */
        free((void *)(uintptr_t)settling->items[i].field);
        free((void *)(uintptr_t)settling->items[i].row);
    }
    settling->item_count = 0;
}

void
batch_free(const struct session *session, struct batch *batch)
{
    page_work_free(&batch->work);
    session->env->ops->page_free(batch->page);
    *batch = (struct batch){ 0 };
}
