#include <stdlib.h>
#include <string.h>

#include "common/json_splice.h"
#include "engine/inner.h"

static bool
same(struct envl_bytes a, struct envl_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ---- opening a value up -------------------------------------------------- */

/* Decode, and prove that it can be encoded again.  ENVL_E_FORMAT: it cannot;
   ENVL_E_POLICY: what came out begins like an envelope. */
static enum envl_status
unwrap(struct work *work, struct inner *inner, struct envl_bytes value,
       struct envl_error *err)
{
    const struct job_field *job = inner->field->job;
    struct codec_room room = { &work->slab, &work->transform->spare };
    struct envl_buf again = ENVL_BUF_INIT;
    enum envl_status status = ENVL_OK;

    for (uint32_t i = 0; i < job->codec_count && status == ENVL_OK; i++) {
        struct envl_bytes before = value;

        status = codec_decode(job->codecs[i], before, &room,
                              &inner->shapes[i], &value, err);
        envl_buf_clear(&again);
        if (status == ENVL_OK && envl_begins(value) == ENVL_OK)
            status = ENVL_E_POLICY;
        if (status == ENVL_OK)
            status = codec_encode(job->codecs[i], &inner->shapes[i], value,
                                  &again, err);
        if (status == ENVL_OK && !same(envl_buf_view(&again), before))
            status = ENVL_E_FORMAT;
    }
    envl_buf_free(&again);
    inner->document = value;
    return status;
}

static enum envl_status
look_inside(struct work *work, const struct leaf_work *whole,
            struct inner **out, struct envl_error *err)
{
    const struct envl_cell *value = &whole->leaf->value;
    struct inner *inner;
    enum envl_status status;

    if (value->bytes.len == 0 ||
        (value->kind != ENVL_KIND_TEXT && value->kind != ENVL_KIND_BYTES) ||
        envl_begins(value->bytes) == ENVL_OK)
        return ENVL_E_FORMAT;
    if ((inner = slab_take(&work->slab, sizeof(*inner), err)) == NULL)
        return ENVL_E_NOMEM;
    memset(inner, 0, sizeof(*inner));
    inner->field = whole->field;
    inner->kind = value->kind;
    status = unwrap(work, inner, value->bytes, err);
    if (status == ENVL_OK)
        status = json_path_find(whole->field->select, inner->document,
                                &work->arena, NULL);
    *out = inner;
    return status;
}

/* The place of the whole, and behind it the place inside. */
static enum envl_status
join_paths(struct work *work, const struct envl_path *outer,
           const struct envl_path *found, struct envl_path *out,
           struct envl_error *err)
{
    uint32_t count = outer->count + found->count;
    struct envl_segment *segments;

    segments = slab_take(&work->slab, (count + 1u) * sizeof(*segments), err);
    if (segments == NULL)
        return ENVL_E_NOMEM;
    if (outer->count > 0)
        memcpy(segments, outer->segments, outer->count * sizeof(*segments));
    if (found->count > 0)
        memcpy(segments + outer->count, found->segments,
               found->count * sizeof(*segments));
    *out = (struct envl_path){ segments, count };
    return ENVL_OK;
}

/* One value inside; ${found} NULL: there is none. */
static enum envl_status
add_one(struct work *work, const struct leaf_work *like,
        const struct json_leaf *found, struct leaf_at_page at,
        struct envl_error *err)
{
    static const struct envl_path nowhere = { NULL, 0 };
    struct leaf_work one = *like;
    struct envl_leaf *leaf = slab_take(&work->slab, sizeof(*leaf), err);
    struct json_site *site = slab_take(&work->slab, sizeof(*site), err);
    enum envl_status status;

    if (leaf == NULL || site == NULL)
        return ENVL_E_NOMEM;
    *leaf = (struct envl_leaf){ .field = like->leaf->field,
                                .element = like->leaf->element };
    status = join_paths(work, &like->leaf->path,
                        found == NULL ? &nowhere : &found->path, &leaf->path,
                        err);
    if (status != ENVL_OK)
        return status;
    if (found != NULL) {
        leaf->value = found->value;
        *site = found->site;
        one.site = site;
    }
    one.leaf = leaf;
    return page_work_add(work, &one, at, err);
}

enum envl_status
inner_add(struct work *work, const struct leaf_work *whole, uint32_t row,
          uint32_t leaf, struct envl_error *err)
{
    struct leaf_at_page at = { row, leaf };
    const struct json_leaf *found;
    struct leaf_work like;
    enum envl_status status;

    if (whole->field->select == NULL) /* most are */
        return page_work_add(work, whole, at, err);
    like = *whole;
    status = look_inside(work, whole, &like.inner, err);
    if (status == ENVL_E_FORMAT || status == ENVL_E_POLICY) {
        like.inner = NULL;
        like.disguised = status == ENVL_E_POLICY;
        return page_work_add(work, &like, at, err);
    }
    if (status != ENVL_OK)
        return status == ENVL_E_NOMEM
                   ? envl_fail(err, status, "out of memory for a document")
                   : status;
    like.inner->first = work->work_count;
    found = json_path_leaves(whole->field->select, &like.inner->count);
    for (uint32_t i = 0; status == ENVL_OK && i < like.inner->count; i++)
        status = add_one(work, &like, &found[i], at, err);
    if (status == ENVL_OK && like.inner->count == 0)
        status = add_one(work, &like, NULL, at, err);
    like.inner->next = work->inners;
    work->inners = like.inner;
    return status;
}

/* ---- and closing it again ------------------------------------------------ */

/* What is put where, in the document's order; ${edits} has room for all. */
static uint32_t
collect(const struct work *work, const struct inner *inner,
        struct json_edit *edits)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < inner->count; i++) {
        const struct leaf_work *lw = &work->works[inner->first + i];

        if (lw->put.kind != ENVL_KIND_ABSENT && lw->site != NULL)
            edits[count++] = (struct json_edit){ .site = lw->site,
                                                 .put = lw->put };
    }
    return count;
}

/* Encode, last decoder first.  ${out} may be what ${document} lies in. */
static enum envl_status
wrap(const struct inner *inner, struct envl_buf *document,
     struct envl_buf *spare, struct envl_error *err)
{
    const struct job_field *job = inner->field->job;
    enum envl_status status = ENVL_OK;

    for (uint32_t i = job->codec_count; i-- > 0 && status == ENVL_OK;) {
        struct envl_buf swap = *document;

        envl_buf_clear(spare);
        status = codec_encode(job->codecs[i], &inner->shapes[i],
                              envl_buf_view(document), spare, err);
        *document = *spare;
        *spare = swap;
    }
    return status;
}

/* Nothing is written whose like was not read back (JOB-53). */
static enum envl_status
check(struct work *work, const struct inner *inner, struct envl_bytes whole,
      struct envl_bytes document, struct envl_error *err)
{
    struct inner again = { .field = inner->field };
    enum envl_status status = unwrap(work, &again, whole, err);

    if (status == ENVL_E_NOMEM)
        return status;
    if (status != ENVL_OK || !same(again.document, document))
        return envl_fail(err, ENVL_E_INTERNAL, "a value that was written "
                         "again does not decode to the same; nothing of its "
                         "batch was written");
    return ENVL_OK;
}

static void
too_long(struct work *work, const struct inner *inner)
{
    for (uint32_t i = 0; i < inner->count; i++) {
        struct leaf_work *lw = &work->works[inner->first + i];

        if (lw->put.kind == ENVL_KIND_ABSENT)
            continue;
        lw->put.kind = ENVL_KIND_ABSENT;
        lw->facts.fits = false;
    }
}

/* ${text} holds the document with its envelopes, and then the whole. */
static enum envl_status
close_up(struct work *work, struct inner *inner, struct envl_buf *text,
         struct envl_error *err)
{
    uint64_t max = inner->field->info->max_len;
    struct envl_buf spare = ENVL_BUF_INIT;
    enum envl_status status;
    char *document, *whole;
    size_t len = text->len;

    document = slab_copy(&work->slab, envl_buf_view(text), err);
    if (document == NULL)
        return ENVL_E_NOMEM;
    status = wrap(inner, text, &spare, err);
    envl_buf_free(&spare);
    if (status != ENVL_OK)
        return status;
    if (max != 0 && text->len > max) {
        too_long(work, inner);
        return ENVL_OK;
    }
    if ((whole = slab_copy(&work->slab, envl_buf_view(text), err)) == NULL)
        return ENVL_E_NOMEM;
    inner->put = (struct envl_cell){ inner->kind,
                                     { (const uint8_t *)whole, text->len } };
    return check(work, inner, inner->put.bytes, (struct envl_bytes){
                     (const uint8_t *)document, len }, err);
}

static enum envl_status
compose_one(struct work *work, struct inner *inner, struct envl_error *err)
{
    struct json_edit *edits = calloc(inner->count + 1u, sizeof(*edits));
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = ENVL_OK;
    uint32_t count;

    if (edits == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a document");
    if ((count = collect(work, inner, edits)) > 0) {
        status = json_splice(inner->document, edits, count, &text, err);
        if (status == ENVL_E_USAGE)
            status = envl_fail(err, ENVL_E_INTERNAL,
                               "an envelope cannot be put into its document");
        if (status == ENVL_OK)
            status = close_up(work, inner, &text, err);
    }
    envl_buf_free(&text);
    free(edits);
    return status;
}

enum envl_status
inner_compose(struct work *work, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    for (struct inner *inner = work->inners;
         inner != NULL && status == ENVL_OK; inner = inner->next)
        status = compose_one(work, inner, err);
    return status;
}
