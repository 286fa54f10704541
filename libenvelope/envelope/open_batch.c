#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "envelope/opening.h"
#include "envelope/recode.h"
#include "envelope/select.h"
#include "envelope/value_key.h"

/* What all items share. */
struct batch {
    struct envl_keyring *ring;
    struct envl_open_options options;
    struct envl_buf *arena;
};

/* The items whose value keys one provider key unwraps in one call. */
struct group {
    struct envl_item **items;
    struct recode_source *sources;
    struct envl_bytes *blobs;
    enum envl_status *answers;
    struct envl_secret *keys;
    size_t count;
};

static void
put_output(struct envl_item *item, struct envl_buf *arena,
           const struct envl_opened *opened)
{
    item->type = opened->type;
    item->output = (struct envl_bytes){ opened->value.ptr,
                                        opened->value.len };
    arena->len += opened->value.len;
}

static struct envl_opened
room_for(const struct envl_item *item, const struct envl_buf *arena)
{
    return (struct envl_opened){
        { arena->ptr + arena->len, item->input.len }, ENVL_TYPE_BYTES,
    };
}

/* Open an item unless only a provider can; then ${remote} is set. */
static enum envl_status
open_item(struct batch *batch, struct envl_item *item, bool *remote)
{
    struct envl_opened opened = room_for(item, batch->arena);
    struct context_code code;
    const struct opening_request request = {
        batch->ring, &batch->options, &code, item->input, remote,
    };
    enum envl_status status = context_code_make(&item->context, &code, NULL);

    *remote = false;
    if (status == ENVL_OK)
        status = opening_one(&request, &opened, NULL);
    if (status == ENVL_OK && !*remote)
        put_output(item, batch->arena, &opened);
    return status;
}

/* ---- wrapped by a provider ---------------------------------------------- */

static void
free_group(struct group *group)
{
    for (size_t i = 0; group->sources != NULL && i < group->count; i++)
        recode_free(&group->sources[i]);
    free(group->items);
    free(group->sources);
    free(group->blobs);
    free(group->answers);
    envl_secret_free(group->keys);
}

static enum envl_status
new_group(size_t count, struct group *out, struct envl_error *err)
{
    memset(out, 0, sizeof(*out));
    out->items = calloc(count, sizeof(out->items[0]));
    out->sources = calloc(count, sizeof(out->sources[0]));
    out->blobs = calloc(count, sizeof(out->blobs[0]));
    out->answers = calloc(count, sizeof(out->answers[0]));
    if (out->items == NULL || out->sources == NULL || out->blobs == NULL ||
        out->answers == NULL) {
        free_group(out);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a batch");
    }
    return ENVL_OK;
}

/* One item after its value key is here. */
static enum envl_status
open_with_key(struct batch *batch, struct group *group, size_t i)
{
    struct envl_item *item = group->items[i];
    struct envl_opened opened = room_for(item, batch->arena);
    struct context_code code;
    struct value_key key;
    enum envl_status status = context_code_make(&item->context, &code, NULL);

    if (status != ENVL_OK)
        return status;
    memcpy(key.bytes, envl_secret_bytes(group->keys).ptr +
                          i * ENVL_VALUE_KEY_LEN, sizeof(key.bytes));
    value_key_prepare(&key);
    status = opening_decrypt(&key.prepared, &code, &group->sources[i].parsed,
                             &opened, NULL);
    sodium_memzero(&key, sizeof(key));
    if (status == ENVL_OK)
        put_output(item, batch->arena, &opened);
    return status;
}

/* Take into ${group} the waiting items that have the kid of the first. */
static enum envl_status
gather(struct envl_item **waiting, size_t *count, struct group *group,
       struct envl_error *err)
{
    struct envl_bytes kid = { NULL, 0 };
    size_t left = 0;

    for (size_t i = 0; i < *count; i++) {
        struct recode_source *source = &group->sources[group->count];
        struct envl_bytes its;
        enum envl_status status = recode_parse(waiting[i]->input, source, err);

        if (status != ENVL_OK)
            return status;
        its = source->parsed.kid;
        if (group->count > 0 &&
            (its.len != kid.len || memcmp(its.ptr, kid.ptr, kid.len) != 0)) {
            recode_free(source);
            waiting[left++] = waiting[i];
            continue;
        }
        kid = its;
        group->items[group->count] = waiting[i];
        group->blobs[group->count] = source->parsed.wrapped;
        group->count++;
    }
    *count = left;
    return ENVL_OK;
}

static enum envl_status
unwrap_group(struct batch *batch, struct group *group, struct envl_error *err)
{
    struct selection selected;
    enum envl_status status;

    status = envl_secret_new(group->count * ENVL_VALUE_KEY_LEN, &group->keys,
                             err);
    if (status == ENVL_OK)
        status = select_opening_key(batch->ring, &batch->options,
                                    &group->sources[0].parsed, &selected, err);
    if (status != ENVL_OK)
        return status;
    status = value_key_unwrap(selected.key, group->blobs, group->count,
                              envl_secret_span(group->keys), group->answers,
                              err);
    select_release(batch->ring, &selected);
    return status;
}

/* All items that wait for a provider, one call for each of its keys. */
static enum envl_status
open_remote(struct batch *batch, struct envl_item **waiting, size_t count,
            struct envl_error *err)
{
    enum envl_status worst = ENVL_OK;

    while (count > 0) {
        struct group group;
        enum envl_status status = new_group(count, &group, err);

        if (status != ENVL_OK)
            return status;
        status = gather(waiting, &count, &group, err);
        if (status != ENVL_OK)
            count = 0; /* the rest stays as it is: not known */
        else
            status = unwrap_group(batch, &group, err);
        for (size_t i = 0; i < group.count; i++) {
            struct envl_item *item = group.items[i];

            if (status != ENVL_OK)
                item->status = status;
            else if (group.answers[i] != ENVL_OK)
                item->status = group.answers[i];
            else
                item->status = open_with_key(batch, &group, i);
        }
        free_group(&group);
        if (status != ENVL_OK)
            worst = status;
    }
    return worst;
}

/* ---- all ---------------------------------------------------------------- */

static enum envl_status
open_items(struct batch *batch, struct envl_item *items, size_t count,
           struct envl_error *err)
{
    struct envl_item **waiting = NULL;
    enum envl_status status = ENVL_OK;
    size_t waits = 0;

    for (size_t i = 0; i < count; i++) {
        bool remote;

        items[i].status = open_item(batch, &items[i], &remote);
        if (!remote || items[i].status != ENVL_OK)
            continue;
        items[i].status = ENVL_E_NOMEM; /* until it is known better */
        if (waiting == NULL)
            waiting = calloc(count, sizeof(struct envl_item *));
        if (waiting == NULL)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for a batch");
        waiting[waits++] = &items[i];
    }
    if (waits > 0)
        status = open_remote(batch, waiting, waits, err);
    free(waiting);
    return status;
}

static enum envl_status
reserve(const struct envl_item *items, size_t count, struct envl_buf *arena,
        struct envl_error *err)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        if (total > SIZE_MAX / 2 - items[i].input.len)
            return envl_fail(err, ENVL_E_LIMIT,
                             "a batch larger than memory can hold");
        total += items[i].input.len;
    }
    return envl_buf_reserve(arena, total, err);
}

enum envl_status
envl_open_batch(struct envl_keyring *ring,
                const struct envl_open_options *options,
                struct envl_item *items, size_t count, struct envl_buf *arena,
                struct envl_error *err)
{
    struct batch batch = { .ring = ring, .arena = arena };
    enum envl_status status;
    size_t failed = 0;

    /* If memory runs out, that is the status of those not yet looked at. */
    for (size_t i = 0; i < count; i++) {
        items[i].output = (struct envl_bytes){ NULL, 0 };
        items[i].status = ENVL_E_NOMEM;
    }
    status = select_open_options(options, &batch.options, err);
    if (status == ENVL_OK)
        status = reserve(items, count, arena, err);
    if (status == ENVL_OK)
        status = open_items(&batch, items, count, err);
    else
        for (size_t i = 0; i < count; i++)
            items[i].status = status;
    if (status != ENVL_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        failed += items[i].status != ENVL_OK;
    if (failed == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_PARTIAL, "%zu of %zu envelopes did not open",
                     failed, count);
}
