#include <stdlib.h>

#include <sodium.h>

#include "core/random.h"
#include "envelope/sealing.h"
#include "envelope/value_key.h"

#define SALTS_AT_ONCE 64u

/* A batch in mode wrapped: all value keys, and what the wrapping gave. */
struct wrapped_keys {
    struct envl_secret *keys; /* end to end; NULL in mode derived */
    struct envl_buf blobs;
    size_t *lens;
};

static void
free_keys(struct wrapped_keys *wrapped)
{
    envl_secret_free(wrapped->keys);
    envl_buf_free(&wrapped->blobs);
    free(wrapped->lens);
}

/* One draw of randomness and one call of the provider for the whole batch. */
static enum envl_status
make_keys(const struct sealing *sealing, size_t count,
          struct wrapped_keys *out, struct envl_error *err)
{
    enum envl_status status;

    if (sealing->mode == ENVL_MODE_DERIVED)
        return ENVL_OK;
    out->lens = calloc(count, sizeof(out->lens[0]));
    if (out->lens == NULL || count > SIZE_MAX / 2 / ENVL_VALUE_KEY_LEN)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu keys",
                         count);
    status = envl_secret_new(count * ENVL_VALUE_KEY_LEN, &out->keys, err);
    if (status == ENVL_OK)
        status = random_fill(envl_secret_span(out->keys), err);
    if (status == ENVL_OK)
        status = value_key_wrap(sealing->selected.key,
                                envl_secret_bytes(out->keys), count,
                                &out->blobs, out->lens, err);
    return status;
}

/* Room for all of it at once: outputs are borrowed, so it must not move. */
static enum envl_status
reserve(const struct sealing *sealing, const struct envl_item *items,
        size_t count, const struct wrapped_keys *wrapped,
        struct envl_buf *arena, struct envl_error *err)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        struct envl_bytes blob = { NULL, wrapped->lens == NULL
                                             ? 0 : wrapped->lens[i] };
        struct layout layout;
        size_t len = sealing_layout(sealing, items[i].input.len, blob,
                                    &layout);

        if (len > SIZE_MAX / 2 || total > SIZE_MAX / 2 - len)
            return envl_fail(err, ENVL_E_LIMIT,
                             "a batch larger than memory can hold");
        total += len;
    }
    return envl_buf_reserve(arena, total, err);
}

static enum envl_status
seal_item(const struct sealing *sealing, struct envl_item *item,
          const struct sealing_source *source, struct envl_buf *arena)
{
    struct sealing_value value = { item->input, item->type };
    struct context_code code;
    struct layout layout;
    struct envl_span room;
    enum envl_status status = context_code_make(&item->context, &code, NULL);

    if (status == ENVL_OK && ((int)item->type < 0 ||
                              item->type > ENVL_TYPE_BSON))
        status = ENVL_E_USAGE;
    if (status == ENVL_OK)
        status = sealing_check(sealing, item->type, item->input, NULL);
    if (status != ENVL_OK)
        return status;
    context_code_set_mode(&code, sealing->mode);
    room.ptr = arena->ptr + arena->len;
    room.len = sealing_layout(sealing, item->input.len, source->wrapped,
                              &layout);
    status = sealing_write(sealing, &code, &value, source, room, NULL);
    if (status == ENVL_OK) {
        item->output = (struct envl_bytes){ room.ptr, room.len };
        arena->len += room.len;
    }
    return status;
}

/* Seal all; the blobs lie end to end in the order of the items. */
static enum envl_status
seal_items(const struct sealing *sealing, struct envl_item *items,
           size_t count, const struct wrapped_keys *wrapped,
           struct envl_buf *arena, struct envl_error *err)
{
    uint8_t salts[SALTS_AT_ONCE][PAYLOAD_SALT_LEN];
    const uint8_t *blob = wrapped->blobs.ptr;
    struct value_key key;

    for (size_t i = 0; i < count; i++) {
        struct sealing_source source = { NULL, { NULL, 0 },
                                         salts[i % SALTS_AT_ONCE] };

        if (i % SALTS_AT_ONCE == 0) {
            size_t n = count - i < SALTS_AT_ONCE ? count - i : SALTS_AT_ONCE;
            enum envl_status status = random_fill((struct envl_span){
                salts[0], n * PAYLOAD_SALT_LEN }, err);

            if (status != ENVL_OK)
                return status;
        }
        if (wrapped->keys == NULL) {
            source.input = &sealing->selected.key->secret->prepared;
        } else {
            struct envl_bytes keys = envl_secret_bytes(wrapped->keys);

            for (size_t b = 0; b < ENVL_VALUE_KEY_LEN; b++)
                key.bytes[b] = keys.ptr[i * ENVL_VALUE_KEY_LEN + b];
            value_key_prepare(&key);
            source.input = &key.prepared;
            source.wrapped = (struct envl_bytes){ blob, wrapped->lens[i] };
            blob += wrapped->lens[i];
        }
        items[i].status = seal_item(sealing, &items[i], &source, arena);
    }
    if (wrapped->keys != NULL)
        sodium_memzero(&key, sizeof(key));
    return ENVL_OK;
}

static enum envl_status
sum_up(const struct envl_item *items, size_t count, struct envl_error *err)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++)
        failed += items[i].status != ENVL_OK;
    if (failed == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_PARTIAL, "%zu of %zu values were not sealed",
                     failed, count);
}

enum envl_status
envl_seal_batch(struct envl_keyring *ring,
                const struct envl_seal_options *options,
                struct envl_item *items, size_t count, struct envl_buf *arena,
                struct envl_error *err)
{
    struct wrapped_keys wrapped = { NULL, ENVL_BUF_INIT, NULL };
    struct sealing sealing;
    enum envl_status status;

    for (size_t i = 0; i < count; i++)
        items[i].output = (struct envl_bytes){ NULL, 0 };
    status = sealing_begin(ring, options, &sealing, err);
    if (status != ENVL_OK)
        return status;
    if (count > 0)
        status = make_keys(&sealing, count, &wrapped, err);
    if (status == ENVL_OK)
        status = reserve(&sealing, items, count, &wrapped, arena, err);
    if (status == ENVL_OK)
        status = seal_items(&sealing, items, count, &wrapped, arena, err);
    free_keys(&wrapped);
    sealing_end(&sealing);
    if (status == ENVL_OK)
        return sum_up(items, count, err);
    for (size_t i = 0; i < count; i++) {
        items[i].output = (struct envl_bytes){ NULL, 0 };
        items[i].status = status;
    }
    return status;
}
