#include <sodium.h>

#include "core/random.h"
#include "envelope/sealing.h"
#include "envelope/value_key.h"

/* Where one envelope goes: the caller's memory, or the end of a buffer. */
struct target {
    struct envl_span *span;
    struct envl_buf *buf;
};

static enum envl_status
too_large(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_LIMIT, "a value larger than an envelope in "
                     "memory can be");
}

/* Find ${len} bytes of room. */
static enum envl_status
make_room(const struct target *target, size_t len, struct envl_span *out,
          struct envl_error *err)
{
    enum envl_status status;

    if (len == SIZE_MAX)
        return too_large(err);
    if (target->buf != NULL) {
        status = envl_buf_reserve(target->buf, len, err);
        if (status == ENVL_OK)
            *out = (struct envl_span){ target->buf->ptr + target->buf->len,
                                       len };
        return status;
    }
    if (target->span->len < len)
        return envl_fail(err, ENVL_E_LIMIT, "room for %zu bytes, the envelope "
                         "has %zu", target->span->len, len);
    *out = (struct envl_span){ target->span->ptr, len };
    return ENVL_OK;
}

static enum envl_status
write_envelope(const struct sealing *sealing, const struct context_code *code,
               struct envl_bytes value, const struct sealing_source *source,
               const struct target *target, struct envl_error *err)
{
    struct sealing_value v = { value, sealing->options.type };
    struct layout layout;
    struct envl_span room = { NULL, 0 };
    enum envl_status status;

    status = make_room(target, sealing_layout(sealing, value.len,
                                              source->wrapped, &layout),
                       &room, err);
    if (status == ENVL_OK)
        status = sealing_write(sealing, code, &v, source, room, err);
    if (status != ENVL_OK)
        return status;
    if (target->buf != NULL)
        target->buf->len += room.len;
    else
        target->span->len = room.len;
    return ENVL_OK;
}

static enum envl_status
seal_derived(const struct sealing *sealing, const struct context_code *code,
             struct envl_bytes value, const struct target *target,
             struct envl_error *err)
{
    uint8_t salt[PAYLOAD_SALT_LEN];
    struct sealing_source source = {
        &sealing->selected.key->secret->prepared, { NULL, 0 }, salt,
    };
    enum envl_status status;

    /* spec: ENV-4.2, ENV-9.7 */
    status = random_fill((struct envl_span){ salt, sizeof(salt) }, err);
    if (status != ENVL_OK)
        return status;
    return write_envelope(sealing, code, value, &source, target, err);
}

static enum envl_status
seal_wrapped(const struct sealing *sealing, const struct context_code *code,
             struct envl_bytes value, const struct target *target,
             struct envl_error *err)
{
    uint8_t salt[PAYLOAD_SALT_LEN];
    struct envl_buf blob = ENVL_BUF_INIT;
    struct value_key key;
    struct sealing_source source = { &key.prepared, { NULL, 0 }, salt };
    enum envl_status status;
    size_t len;

    status = random_fill((struct envl_span){ salt, sizeof(salt) }, err);
    if (status == ENVL_OK)
        status = random_fill((struct envl_span){
            key.bytes, sizeof(key.bytes) }, err);
    if (status == ENVL_OK)
        status = value_key_wrap(sealing->selected.key, (struct envl_bytes){
            key.bytes, sizeof(key.bytes) }, 1, &blob, &len, err);
    if (status == ENVL_OK) {
        value_key_prepare(&key);
        source.wrapped = envl_buf_view(&blob);
        status = write_envelope(sealing, code, value, &source, target, err);
    }
    sodium_memzero(&key, sizeof(key));
    envl_buf_free(&blob);
    return status;
}

static enum envl_status
seal(struct envl_keyring *ring, const struct envl_seal_options *options,
     const struct envl_context *context, struct envl_bytes value,
     const struct target *target, struct envl_error *err)
{
    struct context_code code;
    struct sealing sealing;
    enum envl_status status = context_code_make(context, &code, err);

    if (status != ENVL_OK) /* spec: CTX-13 */
        return status;
    status = sealing_begin(ring, options, &sealing, err);
    if (status != ENVL_OK)
        return status;
    status = sealing_check(&sealing, sealing.options.type, value, err);
    if (status == ENVL_OK) {
        context_code_set_mode(&code, sealing.mode);
        status = sealing.mode == ENVL_MODE_DERIVED
            ? seal_derived(&sealing, &code, value, target, err)
            : seal_wrapped(&sealing, &code, value, target, err);
    }
    sealing_end(&sealing);
    return status;
}

enum envl_status
envl_seal(struct envl_keyring *ring, const struct envl_seal_options *options,
          const struct envl_context *context, struct envl_bytes value,
          struct envl_buf *out, struct envl_error *err)
{
    struct target target = { NULL, out };

    return seal(ring, options, context, value, &target, err);
}

enum envl_status
envl_seal_into(struct envl_keyring *ring,
               const struct envl_seal_options *options,
               const struct envl_context *context, struct envl_bytes value,
               struct envl_span *out, struct envl_error *err)
{
    struct target target = { out, NULL };

    return seal(ring, options, context, value, &target, err);
}

enum envl_status
envl_sealed_len(struct envl_keyring *ring,
                const struct envl_seal_options *options, size_t value_len,
                size_t *out, struct envl_error *err)
{
    struct envl_bytes wrapped = { NULL, KEYWRAP_LEN };
    struct sealing sealing;
    struct layout layout;
    enum envl_status status = sealing_begin(ring, options, &sealing, err);
    size_t len;

    if (status != ENVL_OK)
        return status;
    if (sealing.selected.key->secret == NULL)
        wrapped.len = LAYOUT_WRAPPED_MAX;
    len = sealing_layout(&sealing, value_len, wrapped, &layout);
    sealing_end(&sealing);
    if (len == SIZE_MAX)
        return too_large(err);
    *out = len;
    return ENVL_OK;
}
