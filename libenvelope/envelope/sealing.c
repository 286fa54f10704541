#include <string.h>

#include <sodium.h>

#include "envelope/sealing.h"
#include "envelope/value.h"

enum envl_status
sealing_begin(struct envl_keyring *ring,
              const struct envl_seal_options *options, struct sealing *out,
              struct envl_error *err)
{
    enum envl_status status = select_seal_options(options, &out->options, err);

    if (status != ENVL_OK)
        return status;
    status = select_sealing_key(ring, &out->options, &out->selected, err);
    if (status != ENVL_OK)
        return status;
    out->ring = ring;
    out->mode = select_mode(out->selected.key);
    return ENVL_OK;
}

void
sealing_end(struct sealing *sealing)
{
    select_release(sealing->ring, &sealing->selected);
}

size_t
sealing_layout(const struct sealing *sealing, size_t value_len,
               struct envl_bytes wrapped, struct layout *out)
{
    size_t block = frame_block(sealing->options.pad, value_len);

    out->encoding = sealing->options.encoding;
    out->mode = sealing->mode;
    out->kid = select_kid(sealing->selected.key);
    out->wrapped = wrapped;
    out->payload_len = payload_len(frame_len(value_len, block));
    return layout_len(out);
}

enum envl_status
sealing_check(const struct sealing *sealing, enum envl_type type,
              struct envl_bytes value, struct envl_error *err)
{
    enum envl_status status = value_check(value, type, err);

    if (status == ENVL_OK && !sealing->options.allow_nested)
        status = value_check_nesting(value, type, err);
    return status;
}

enum envl_status
sealing_write(const struct sealing *sealing, const struct context_code *code,
              const struct sealing_value *value,
              const struct sealing_source *source, struct envl_span out,
              struct envl_error *err)
{
    struct payload_value frame = {
        value->value, value->type,
        frame_block(sealing->options.pad, value->value.len),
    };
    struct payload_keys keys;
    struct layout layout;
    struct envl_span payload;
    enum envl_status status;

    (void)sealing_layout(sealing, value->value.len, source->wrapped, &layout);
    payload.ptr = out.ptr + layout_payload_at(&layout);
    payload.len = layout.payload_len;

    memcpy(payload.ptr, source->salt, PAYLOAD_SALT_LEN);
    payload_derive(source->input, source->salt, code, &keys);
    status = payload_seal(&keys, &frame, payload, err);
    sodium_memzero(&keys, sizeof(keys));
    if (status == ENVL_OK)
        layout_write(&layout, out.ptr);
    else
        sodium_memzero(out.ptr, out.len);
    return status;
}
