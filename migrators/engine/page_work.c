#include <stdlib.h>
#include <string.h>

#include "engine/transform_parts.h"

void *
page_work_grow(void *items, size_t *cap, size_t need, size_t size,
               struct envl_error *err)
{
    size_t more = *cap == 0 ? 64 : *cap;
    void *grown;

    if (need <= *cap && items != NULL)
        return items;
    while (more < need && more <= SIZE_MAX / 2)
        more *= 2;
    if (more == *cap)
        more *= 2;
    if (more < need || more > SIZE_MAX / size ||
        (grown = realloc(items, more * size)) == NULL) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory for a page of rows");
        return NULL;
    }
    *cap = more;
    return grown;
}

static void
release(struct work *work)
{
    if (work->lots != NULL) {
        for (uint32_t i = 0; i < 2 * work->transform->bound.recipe_count; i++)
            lot_free(&work->lots[i]);
    }
    lot_free(&work->opening);
    lot_free(&work->proof);
    lot_free(&work->rewrapped);
    slab_free(&work->slab);
    arena_free(&work->arena);
    free(work->lots);
    free(work->works);
    free(work->results);
    free(work->edits);
    free(work->opens);
    free(work->rewrapped_ends);
    free(work);
}

static struct work *
make(struct transform *transform)
{
    struct work *work = calloc(1, sizeof(*work));

    if (work == NULL)
        return NULL;
    work->transform = transform;
    work->lots = calloc(2 * (size_t)transform->bound.recipe_count,
                        sizeof(*work->lots));
    if (work->lots == NULL) {
        free(work);
        return NULL;
    }
    return work;
}

/* Room for so many leaves in the three arrays. */
static enum envl_status
reserve(struct work *work, size_t leaves, struct envl_error *err)
{
    struct leaf_work *works;
    struct leaf_result *results;
    struct envl_edit *edits;

    works = page_work_grow(work->works, &work->work_cap, leaves,
                           sizeof(*works), err);
    if (works == NULL)
        return ENVL_E_NOMEM;
    work->works = works;
    results = page_work_grow(work->results, &work->result_cap, leaves,
                             sizeof(*results), err);
    if (results == NULL)
        return ENVL_E_NOMEM;
    work->results = results;
    edits = page_work_grow(work->edits, &work->edit_cap, leaves,
                           sizeof(*edits), err);
    if (edits == NULL)
        return ENVL_E_NOMEM;
    work->edits = edits;
    return ENVL_OK;
}

enum envl_status
page_work_take(struct transform *transform, uint32_t leaves,
               struct work **out, struct envl_error *err)
{
    struct work *work = transform->spares;

    if (work != NULL)
        transform->spares = work->next;
    else if ((work = make(transform)) == NULL)
        return envl_fail(err, ENVL_E_NOMEM,
                         "out of memory for a page of rows");
    *out = work;
    return reserve(work, leaves, err);
}

enum envl_status
page_work_add(struct work *work, const struct leaf_work *like,
              struct leaf_at_page at, struct envl_error *err)
{
    uint32_t index = work->work_count;
    struct leaf_work *lw;
    enum envl_status status;

    if (index == UINT32_MAX)
        return envl_fail(err, ENVL_E_NOMEM, "too many values in a page");
    if ((status = reserve(work, (size_t)index + 1, err)) != ENVL_OK)
        return status;
    lw = &work->works[index];
    lw->row = like->row;
    lw->leaf = like->leaf;
    lw->field = like->field;
    lw->inner = like->inner;
    lw->site = like->site;
    lw->disguised = like->disguised;
    lw->at[0].kid = lw->at[1].kid = "";
    lw->at[0].opened = lw->at[1].opened = false;
    lw->ready = false;
    lw->put.kind = ENVL_KIND_ABSENT;
    work->results[index].row = at.row;
    work->results[index].leaf = at.leaf;
    work->results[index].field = like->leaf->field;
    work->results[index].at = like->leaf;
    work->work_count++;
    return ENVL_OK;
}

void
page_work_give(struct work *work)
{
    if (work == NULL)
        return;
    for (uint32_t i = 0; i < 2 * work->transform->bound.recipe_count; i++)
        lot_clear(&work->lots[i]);
    lot_clear(&work->opening);
    lot_clear(&work->proof);
    lot_clear(&work->rewrapped);
    slab_clear(&work->slab);
    arena_clear(&work->arena);
    work->inners = NULL;
    work->work_count = 0;
    work->next = work->transform->spares;
    work->transform->spares = work;
}

void
page_work_release(struct transform *transform)
{
    while (transform->spares != NULL) {
        struct work *work = transform->spares;

        transform->spares = work->next;
        release(work);
    }
}

void
page_work_free(struct page_work *work)
{
    page_work_give(work->impl);
    memset(work, 0, sizeof(*work));
}

enum envl_status
page_work_settle(const struct page_work *work, const struct envl_page *page,
                 const enum envl_outcome *outcomes, struct census *census,
                 struct envl_error *err)
{
    const struct work *impl = work->impl;
    enum envl_status status = ENVL_OK;

    (void)page;
    for (uint32_t i = 0; i < work->leaf_count && status == ENVL_OK; i++) {
        const struct leaf_result *leaf = &work->leaves[i];
        const struct transform *t = impl->transform;
        enum envl_outcome outcome =
            outcomes == NULL ? ENVL_WRITTEN : outcomes[leaf->row];
        struct census_entry entry = { t->options.target, leaf->field,
                                      leaf->after, "", 1 };
        bool edited = leaf->after != leaf->state;

        if (outcome != ENVL_WRITTEN && outcome != ENVL_REFUSED)
            continue;
        if (edited && outcome == ENVL_REFUSED)
            entry.state = ROW_TOO_LARGE;
        if (row_state_sealed(entry.state)) {
            const char *kid = edited ? t->kid : leaf->kid;

            memcpy(entry.kid, kid, strlen(kid) + 1);
        }
        status = census_add(census, &entry, err);
    }
    return status;
}
