#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "engine/inner.h"
#include "keyring/key.h"

static const char digest_label[] = "libenvelope/v1/quarantine";

/* ---- preparing ----------------------------------------------------------- */

static bool
writes(const struct transform *t)
{
    return t->options.goal == TRANSFORM_SEAL ||
           t->options.goal == TRANSFORM_ROTATE;
}

/* The kid that seals: it must, where something is to be sealed. */
static enum envl_status
prepare_kid(struct transform *t, struct envl_error *err)
{
    const char *kid = t->options.kid;
    struct envl_seal_options seal = { .size = sizeof(seal), .kid = kid,
                                      .scope = t->options.job->scope };
    struct envl_key_info info;
    enum envl_status status;
    size_t len;

    if (kid == NULL)
        return writes(t) ? envl_fail(err, ENVL_E_NOKEY, "no key to seal under")
                         : ENVL_OK;
    if (strlen(kid) > ENVL_KID_MAX)
        return envl_fail(err, ENVL_E_NOKEY, "a kid has at most %u bytes",
                         ENVL_KID_MAX);
    memcpy(t->kid, kid, strlen(kid) + 1);
    status = envl_keyring_find(t->options.ring, kid, &info, err);
    if (status != ENVL_OK)
        return status;
    t->wrapped = info.use == ENVL_USE_WRAP;
    /* spec: ENV-8.12: a job accepts the mode of its kid; a rotation may come
       from the other one. */
    if (t->options.goal != TRANSFORM_ROTATE)
        t->open.accept = t->wrapped ? ENVL_ACCEPT_WRAPPED
                                    : ENVL_ACCEPT_DERIVED;
    return writes(t)
               ? envl_sealed_len(t->options.ring, &seal, 0, &len, err)
               : ENVL_OK;
}

/* What stands in the quarantine's list is no test of a guess at a value. */
static enum envl_status
prepare_digest(struct transform *t, struct envl_error *err)
{
    struct envl_secret *subkey = NULL;
    enum envl_status status;

    if (!writes(t))
        return ENVL_OK;
    status = envl_secret_new(sizeof(struct hmac512_key), &t->digest, err);
    if (status == ENVL_OK)
        status = keyring_subkey(t->options.ring, "checkpoint", &subkey, err);
    if (status == ENVL_OK)
        hmac512_prepare((struct hmac512_key *)(void *)
                            envl_secret_span(t->digest).ptr,
                        envl_secret_bytes(subkey));
    envl_secret_free(subkey);
    return status;
}

enum envl_status
transform_new(const struct transform_options *options, struct transform **out,
              struct envl_error *err)
{
    struct transform *t = calloc(1, sizeof(*t));
    enum envl_status status;

    if (t == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a transform");
    t->options = *options;
    t->open = (struct envl_open_options){ .size = sizeof(t->open),
                                          .scope = options->job->scope };
    status = prepare_kid(t, err);
    if (status == ENVL_OK)
        status = prepare_digest(t, err);
    if (status == ENVL_OK)
        status = bound_init(&t->bound, options, err);
    if (status == ENVL_OK) {
        *out = t;
        t = NULL;
    }
    transform_free(t);
    return status;
}

void
transform_free(struct transform *transform)
{
    if (transform == NULL)
        return;
    page_work_release(transform);
    bound_free(&transform->bound);
    envl_buf_free(&transform->spare);
    slab_free(&transform->kids);
    free(transform->kid_list);
    envl_secret_free(transform->digest);
    free(transform);
}

enum envl_status
transform_kid(struct transform *transform, const char *kid, const char **out,
              struct envl_error *err)
{
    struct transform *t = transform;
    size_t at = t->kid_last < t->kid_count ? t->kid_last : 0;
    struct envl_key_info info;
    const char **list, *copy;

    if (t->kid_count == 0 || strcmp(t->kid_list[at], kid) != 0) {
        for (at = 0; at < t->kid_count; at++) {
            if (strcmp(t->kid_list[at], kid) == 0)
                break;
        }
    }
    if (at < t->kid_count) {
        t->kid_last = at;
        *out = t->kid_list[at];
        return ENVL_OK;
    }
    *out = "";
    if (t->kid_count >= TRANSFORM_MAX_KIDS &&
        envl_keyring_find(t->options.ring, kid, &info, NULL) != ENVL_OK)
        return ENVL_OK;
    list = page_work_grow(t->kid_list, &t->kid_cap, t->kid_count + 1,
                          sizeof(*list), err);
    if (list == NULL)
        return ENVL_E_NOMEM;
    t->kid_list = list;
    if ((copy = slab_copy(&t->kids, envl_bytes_of(kid), err)) == NULL)
        return ENVL_E_NOMEM;
    *out = list[t->kid_count++] = copy;
    return ENVL_OK;
}

/* ---- a page -------------------------------------------------------------- */

static uint32_t
count_leaves(const struct envl_page *page)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < page->count; i++)
        count += page->rows[i].leaf_count;
    return count;
}

static enum envl_status
look_at(struct work *work, const struct envl_page *page, uint32_t r,
        uint32_t l, struct envl_error *err)
{
    const struct bound *bound = &work->transform->bound;
    struct leaf_work whole = { .row = &page->rows[r],
                               .leaf = &page->rows[r].leaves[l] };
    uint32_t index = work->work_count;
    enum envl_status status;

    if (whole.leaf->field >= bound->count)
        return envl_fail(err, ENVL_E_INTERNAL, "the plugin gave a value of a "
                         "field that was not asked for");
    whole.field = &bound->fields[whole.leaf->field];
    status = inner_add(work, &whole, r, l, err);
    for (; status == ENVL_OK && index < work->work_count; index++)
        status = judge_look(work, index, err);
    return status;
}

static enum envl_status
look_at_all(struct work *work, const struct envl_page *page,
            struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t r = 0; r < page->count; r++) {
        for (uint32_t l = 0; l < page->rows[r].leaf_count; l++) {
            if ((status = look_at(work, page, r, l, err)) != ENVL_OK)
                return status;
        }
    }
    return status;
}

/* The envelope that an answer of a sealed state is about. */
static enum leaf_at
speaker(const struct leaf_work *lw, enum row_state state)
{
    const struct row_place *source = &lw->facts.source;

    if (!lw->facts.has_into)
        return LEAF_SOURCE;
    if (source->sealed && (source->verdict != ENVL_OK || source->corrupt))
        return LEAF_SOURCE;
    return source->sealed && state == ROW_SEALED_WRONG_CONTEXT &&
                   !lw->facts.sibling.sealed
               ? LEAF_SOURCE : LEAF_SIBLING;
}

/* What the job says is to be done with it. */
static enum envl_status
assign(const struct work *work, uint32_t index, enum row_state state,
       struct envl_error *err)
{
    const struct transform *t = work->transform;
    const struct leaf_work *lw = &work->works[index];
    struct leaf_result *result = &work->results[index];

    result->state = result->after = state;
    result->kid = row_state_sealed(state) ? lw->at[speaker(lw, state)].kid
                                          : "";
    result->action = t->options.job->on[state];
    if (state == ROW_SEALED_OLD_KID && t->options.goal == TRANSFORM_ROTATE &&
        result->action == JOB_SKIP)
        result->action = JOB_SEAL;
    if (result->action != JOB_STOP || !writes(t))
        return ENVL_OK;
    /* spec: JOB-42 */
    return envl_fail(err, ENVL_E_PARTIAL,
                     "row %.*s of %s, field %u: %s, and the job says stop",
                     (int)lw->row->name.len, (const char *)lw->row->name.ptr,
                     t->options.info->label, result->field,
                     row_state_name(state));
}

/* Into the batch that it belongs to. */
static enum envl_status
enqueue(struct work *work, uint32_t index, struct envl_error *err)
{
    const struct transform *t = work->transform;
    struct leaf_work *lw = &work->works[index];
    const struct leaf_result *result = &work->results[index];
    struct envl_item item = { .context = lw->context };
    const struct leaf_envelope *old;
    enum leaf_at at;
    uint32_t recipe = lw->field->recipe;

    if (result->action != JOB_SEAL)
        return ENVL_OK;
    if (result->state == ROW_PLAINTEXT) {
        if (lw->leaf->value.kind == ENVL_KIND_BYTES)
            recipe = lw->field->recipe_bytes;
        item.input = lw->value;
        item.type = lw->type;
        return lot_add(&work->lots[2 * (size_t)recipe], &item, index, err);
    }
    at = speaker(lw, result->state);
    old = &lw->at[at];
    /* spec: JOB-41: sealed again is only what was fully opened here. */
    if (result->state != ROW_SEALED_OLD_KID || !old->opened)
        return envl_fail(err, ENVL_E_INTERNAL, "row %.*s: state %s leads to "
                         "no seal", (int)lw->row->name.len,
                         (const char *)lw->row->name.ptr,
                         row_state_name(result->state));
    if (old->mode == ENVL_MODE_WRAPPED && t->wrapped) {
        item.input = old->bytes;
        return lot_add(&work->rewrapped, &item, index, err);
    }
    if (old->encoding == ENVL_ENCODING_BINARY)
        recipe = lw->field->recipe_bytes;
    item.input = old->plain;
    item.type = old->type;
    return lot_add(&work->lots[2 * (size_t)recipe + 1], &item, index, err);
}

static void
digest(const struct transform *t, const struct leaf_work *lw, uint8_t out[32])
{
    const struct envl_cell *cell =
        lw->facts.has_into && lw->leaf->value.bytes.len == 0
            ? &lw->leaf->sibling : &lw->leaf->value;
    uint8_t head[5] = { (uint8_t)(lw->row->key.len >> 24),
                        (uint8_t)(lw->row->key.len >> 16),
                        (uint8_t)(lw->row->key.len >> 8),
                        (uint8_t)lw->row->key.len, (uint8_t)cell->kind };
    struct envl_bytes parts[] = {
        { (const uint8_t *)digest_label, sizeof(digest_label) },
        { head, sizeof(head) }, lw->row->key, cell->bytes,
    };
    uint8_t mac[HMAC512_LEN];

    hmac512((const struct hmac512_key *)(const void *)
                envl_secret_bytes(t->digest).ptr, parts, 4, mac);
    memcpy(out, mac, 32);
    sodium_memzero(mac, sizeof(mac));
}

/* Sealing taught more: too long, not JSON, begins like an envelope. */
static enum envl_status
reconsider(struct work *work, uint32_t index, struct envl_error *err)
{
    struct leaf_result *result = &work->results[index];
    enum row_state state = result->state == ROW_PLAINTEXT
                               ? row_state_of(&work->works[index].facts)
                               : ROW_TOO_LARGE;

    if (state == ROW_PLAINTEXT)
        return envl_fail(err, ENVL_E_INTERNAL, "a value was not sealed");
    return assign(work, index, state, err);
}

static void
add_edit(struct page_work *out, const struct leaf_work *lw,
         struct leaf_result *result)
{
    struct envl_cell put = lw->inner == NULL ? lw->put : lw->inner->put;
    struct envl_edit *edit;
    const struct row_facts *facts = &lw->facts;

    result->after = ROW_SEALED_CURRENT;
    /* Of what is selected in one value, one edit writes all. */
    if (out->edit_count > 0 && lw->inner != NULL &&
        out->edits[out->edit_count - 1].row == result->row &&
        out->edits[out->edit_count - 1].leaf == result->leaf)
        return;
    edit = &out->edits[out->edit_count++];
    *edit = (struct envl_edit){ result->row, result->leaf, 0, put };
    if (facts->has_into)
        edit->flags |= ENVL_EDIT_INTO;
    if (facts->has_into && !facts->keep_source &&
        result->state == ROW_PLAINTEXT)
        edit->flags |= ENVL_EDIT_CLEAR;
    out->new_bytes += put.bytes.len;
}

/* What is written, in the page's order, and what is listed. */
static enum envl_status
settle_results(struct work *work, struct page_work *out,
               struct envl_error *err)
{
    out->edits = work->edits;
    for (uint32_t i = 0; i < work->work_count; i++) {
        const struct leaf_work *lw = &work->works[i];
        struct leaf_result *result = &work->results[i];
        enum envl_status status = ENVL_OK;

        if (result->action == JOB_SEAL && lw->put.kind == ENVL_KIND_ABSENT)
            status = reconsider(work, i, err);
        else if (result->action == JOB_SEAL)
            add_edit(out, lw, result);
        if (status != ENVL_OK)
            return status;
        if (result->action == JOB_QUARANTINE)
            digest(work->transform, lw, result->digest);
    }
    return ENVL_OK;
}

static enum envl_status
seal_all(struct work *work, struct page_work *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < work->work_count && status == ENVL_OK; i++)
        status = enqueue(work, i, err);
    if (status == ENVL_OK)
        status = lot_seal(work, err);
    if (status == ENVL_OK)
        status = inner_compose(work, err);
    if (status == ENVL_OK)
        status = settle_results(work, out, err);
    return status;
}

enum envl_status
transform_page(struct transform *transform, const struct envl_page *page,
               struct page_work *work, struct envl_error *err)
{
    struct page_work out = { NULL, 0, NULL, 0, 0, NULL };
    struct work *impl = NULL;
    enum envl_status status;

    status = page_work_take(transform, count_leaves(page), &impl, err);
    if (status == ENVL_OK)
        status = look_at_all(impl, page, err);
    if (status == ENVL_OK)
        status = judge_open(impl, err);
    for (uint32_t i = 0; status == ENVL_OK && i < impl->work_count; i++)
        status = assign(impl, i, row_state_of(&impl->works[i].facts), err);
    if (status == ENVL_OK && writes(transform))
        status = seal_all(impl, &out, err);
    if (status != ENVL_OK) {
        page_work_give(impl);
        return status;
    }
    /* What was opened is not needed while the page is written. */
    lot_clear(&impl->opening);
    lot_clear(&impl->proof);
    transform->pages++;
    out.leaves = impl->results;
    out.leaf_count = impl->work_count;
    out.impl = impl;
    *work = out;
    return ENVL_OK;
}

/* ---- for people ---------------------------------------------------------- */

enum envl_status
transform_context(struct transform *transform, const struct envl_row *row,
                  const struct envl_leaf *leaf, struct envl_buf *text,
                  struct envl_error *err)
{
    struct leaf_site site = { NULL, row, leaf };
    struct envl_context context;
    struct slab slab = { NULL, NULL };
    enum envl_status status;

    if (leaf->field >= transform->bound.count)
        return envl_fail(err, ENVL_E_INTERNAL, "no such field");
    site.field = &transform->bound.fields[leaf->field];
    status = leaf_context_build(&site, &slab, &transform->spare, &context,
                                err);
    if (status == ENVL_OK && !leaf_context_ok(&context))
        status = envl_fail(err, ENVL_E_USAGE,
                           "row %.*s: no valid context can be made",
                           (int)row->name.len, (const char *)row->name.ptr);
    for (size_t i = 0; status == ENVL_OK && i < context.count; i++) {
        const struct envl_bytes parts[] = { context.pairs[i].name,
                                            envl_bytes_of("="),
                                            context.pairs[i].value,
                                            envl_bytes_of("\n") };

        for (size_t p = 0; p < 4 && status == ENVL_OK; p++)
            status = envl_buf_append(text, parts[p], err);
    }
    slab_free(&slab);
    return status;
}
