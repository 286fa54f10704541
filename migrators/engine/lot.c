#include <stdlib.h>

#include <sodium.h>

#include "engine/bson_cell.h"
#include "engine/transform_parts.h"

/* Of what is sealed after the first page, one value in so many is opened. */
#define PROVE_ONE_IN 64u

/* Buffers that one huge page has blown up are not kept. */
#define KEEP_LEN ((size_t)16 * 1024 * 1024)

enum envl_status
lot_add(struct lot *lot, const struct envl_item *item, uint32_t leaf,
        struct envl_error *err)
{
    size_t items_cap = lot->cap, leaves_cap = lot->cap;
    struct envl_item *items;
    uint32_t *leaves;

    if (lot->count == lot->cap) {
        items = page_work_grow(lot->items, &items_cap, lot->count + 1,
                               sizeof(*items), err);
        if (items == NULL)
            return ENVL_E_NOMEM;
        lot->items = items;
        leaves = page_work_grow(lot->leaves, &leaves_cap, lot->count + 1,
                                sizeof(*leaves), err);
        if (leaves == NULL)
            return ENVL_E_NOMEM;
        lot->leaves = leaves;
        lot->cap = items_cap < leaves_cap ? items_cap : leaves_cap;
    }
    lot->items[lot->count] = *item;
    lot->leaves[lot->count++] = leaf;
    return ENVL_OK;
}

static enum envl_status
fail_row(const struct leaf_work *lw, enum envl_status status,
         const char *what, struct envl_error *err)
{
    return envl_fail(err, status, "row %.*s: %s (%s)",
                     (int)lw->row->name.len, (const char *)lw->row->name.ptr,
                     what, envl_status_name(status));
}

/* A document's place takes the object form as a document. */
static enum envl_status
put_bson(struct work *work, struct leaf_work *lw, struct envl_error *err)
{
    struct envl_buf *spare = &work->transform->spare;
    enum envl_status status = bson_cell_make(lw->sealed, spare, err);
    size_t len = spare->len;
    char *copy = NULL;

    if (status == ENVL_OK)
        copy = slab_copy(&work->slab, envl_buf_view(spare), err);
    envl_buf_clear(spare);
    if (status == ENVL_E_LIMIT) {
        lw->facts.fits = false;
        return ENVL_OK;
    }
    if (copy == NULL)
        return status == ENVL_OK ? ENVL_E_NOMEM : status;
    lw->put = (struct envl_cell){ ENVL_KIND_BSON,
                                  { (const uint8_t *)copy, len } };
    return ENVL_OK;
}

/* Give the leaf its envelope, unless it is longer than its place. */
static enum envl_status
give(struct work *work, struct leaf_work *lw, enum envl_encoding encoding,
     struct envl_bytes envelope, struct envl_error *err)
{
    uint64_t max_len = lw->field->max_len;
    enum envl_kind takes = lw->field->takes;
    enum envl_kind kind = bound_put_kind(takes, encoding);

    /* A rewrapped envelope keeps the encoding in which it was found. */
    if (kind == ENVL_KIND_ABSENT)
        kind = encoding == ENVL_ENCODING_BINARY ? ENVL_KIND_BYTES
                                                : takes;
    lw->sealed = envelope;
    if (max_len != 0 && envelope.len > max_len)
        lw->facts.fits = false;
    else if (kind == ENVL_KIND_BSON)
        return put_bson(work, lw, err);
    else
        lw->put = (struct envl_cell){ kind, envelope };
    return ENVL_OK;
}

/* What seal said of one value; true if that is an answer about the value. */
static bool
note_refusal(struct leaf_work *lw, enum envl_status status)
{
    switch (status) {
    case ENVL_E_LIMIT:
        lw->facts.fits = false;
        return true;
    case ENVL_E_USAGE: /* not the text or JSON that its kind says */
        lw->facts.type_ok = false;
        return true;
    case ENVL_E_POLICY: /* it begins like an envelope */
        lw->facts.source.sealed = true;
        lw->facts.source.verdict = ENVL_E_FORMAT;
        return true;
    default:
        return false;
    }
}

static enum envl_status
seal(struct work *work, uint32_t index, struct envl_error *err)
{
    struct transform *t = work->transform;
    const struct bound_recipe *recipe = &t->bound.recipes[index / 2];
    bool rotated = index % 2 == 1;
    struct lot *lot = &work->lots[index];
    /* What was sealed on purpose although it begins like an envelope is that
       again; a plaintext that does is refused (spec: ENV-9.6). */
    struct envl_seal_options options = { .size = sizeof(options),
                                         .kid = t->kid,
                                         .scope = t->options.job->scope,
                                         .encoding = recipe->encoding,
                                         .pad = recipe->pad,
                                         .allow_nested = rotated };
    enum envl_status status;

    if (lot->count == 0)
        return ENVL_OK;
    status = envl_seal_batch(t->options.ring, &options, lot->items, lot->count,
                             &lot->out, err);
    if (status != ENVL_OK && status != ENVL_E_PARTIAL)
        return status;
    for (size_t i = 0; i < lot->count; i++) {
        const struct envl_item *item = &lot->items[i];
        struct leaf_work *lw = &work->works[lot->leaves[i]];

        if (item->status == ENVL_OK)
            status = give(work, lw, recipe->encoding, item->output, err);
        else if (rotated || !note_refusal(lw, item->status))
            return fail_row(lw, item->status, "its value cannot be sealed",
                            err);
        else
            status = ENVL_OK;
        if (status != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

/* To another wrapping key, the payload untouched; only then are the
   envelopes where they stay. */
static enum envl_status
rewrap(struct work *work, struct envl_error *err)
{
    struct transform *t = work->transform;
    struct lot *lot = &work->rewrapped;
    struct envl_seal_options options = { .size = sizeof(options),
                                         .kid = t->kid,
                                         .scope = t->options.job->scope };
    size_t from = 0, *ends;

    if (lot->count == 0)
        return ENVL_OK;
    ends = page_work_grow(work->rewrapped_ends, &work->rewrapped_cap,
                          lot->count, sizeof(*ends), err);
    if (ends == NULL)
        return ENVL_E_NOMEM;
    work->rewrapped_ends = ends;
    for (size_t i = 0; i < lot->count; i++) {
        const struct envl_item *item = &lot->items[i];
        enum envl_status status;

        status = envl_rewrap(t->options.ring, &options, &item->context,
                             item->input, &lot->out, err);
        if (status == ENVL_E_PROVIDER || status == ENVL_E_NOMEM)
            return status;
        if (status != ENVL_OK)
            return fail_row(&work->works[lot->leaves[i]], status,
                            "its envelope cannot be rewrapped", err);
        ends[i] = lot->out.len;
    }
    for (size_t i = 0; i < lot->count; i++) {
        struct leaf_work *lw = &work->works[lot->leaves[i]];
        bool into = lw->facts.has_into;
        enum envl_status status;

        status = give(work, lw,
                      lw->at[into ? LEAF_SIBLING : LEAF_SOURCE].encoding,
                      (struct envl_bytes){ lot->out.ptr + from,
                                           ends[i] - from }, err);
        if (status != ENVL_OK)
            return status;
        from = ends[i];
    }
    return ENVL_OK;
}

/* What a leaf's new envelope must give back when it is opened. */
static struct envl_bytes
expected(const struct leaf_work *lw, enum envl_type *type)
{
    const struct leaf_envelope *old =
        &lw->at[lw->facts.has_into ? LEAF_SIBLING : LEAF_SOURCE];

    if (row_state_of(&lw->facts) == ROW_PLAINTEXT) {
        *type = lw->type;
        return lw->value;
    }
    *type = old->type;
    return old->plain;
}

static enum envl_status
choose_proofs(struct work *work, const struct lot *lot, struct envl_error *err)
{
    struct transform *t = work->transform;
    enum envl_status status = ENVL_OK;

    for (size_t i = 0; i < lot->count && status == ENVL_OK; i++) {
        struct leaf_work *lw = &work->works[lot->leaves[i]];
        struct envl_item item = { .input = lw->sealed,
                                  .context = lw->context };

        if (lw->put.kind == ENVL_KIND_ABSENT)
            continue;
        if (t->pages == 0 || t->sealed % PROVE_ONE_IN == 0)
            status = lot_add(&work->proof, &item, lot->leaves[i], err);
        t->sealed++;
    }
    return status;
}

/*
 * Nothing is written whose like was not just opened under the same ring: the
 * whole first page, then samples (I3).
 */
static enum envl_status
prove(struct work *work, struct envl_error *err)
{
    struct transform *t = work->transform;
    struct lot *proof = &work->proof;
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < 2 * t->bound.recipe_count; i++) {
        if (status == ENVL_OK)
            status = choose_proofs(work, &work->lots[i], err);
    }
    if (status == ENVL_OK)
        status = choose_proofs(work, &work->rewrapped, err);
    if (status != ENVL_OK || proof->count == 0)
        return status;
    status = envl_open_batch(t->options.ring, &t->open, proof->items,
                             proof->count, &proof->out, err);
    if (status != ENVL_OK && status != ENVL_E_PARTIAL)
        return status;
    for (size_t i = 0; i < proof->count; i++) {
        const struct envl_item *item = &proof->items[i];
        const struct leaf_work *lw = &work->works[proof->leaves[i]];
        enum envl_type type;
        struct envl_bytes want = expected(lw, &type);

        if (item->status == ENVL_E_PROVIDER)
            return fail_row(lw, ENVL_E_PROVIDER,
                            "what was just sealed could not be opened", err);
        if (item->status != ENVL_OK || item->type != type ||
            item->output.len != want.len ||
            (want.len > 0 &&
             sodium_memcmp(item->output.ptr, want.ptr, want.len) != 0))
            return envl_fail(err, ENVL_E_INTERNAL, "row %.*s: what was just "
                             "sealed does not open to the same value; nothing "
                             "of its batch was written",
                             (int)lw->row->name.len,
                             (const char *)lw->row->name.ptr);
    }
    return ENVL_OK;
}

enum envl_status
lot_seal(struct work *work, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < 2 * work->transform->bound.recipe_count; i++) {
        if (status == ENVL_OK)
            status = seal(work, i, err);
    }
    if (status == ENVL_OK)
        status = rewrap(work, err);
    if (status == ENVL_OK)
        status = prove(work, err);
    return status;
}

void
lot_clear(struct lot *lot)
{
    lot->count = 0;
    if (lot->out.cap > KEEP_LEN)
        envl_buf_free(&lot->out);
    else
        envl_buf_clear(&lot->out);
}

void
lot_free(struct lot *lot)
{
    envl_buf_free(&lot->out);
    free(lot->items);
    free(lot->leaves);
    *lot = (struct lot){ NULL, NULL, 0, 0, ENVL_BUF_INIT };
}
