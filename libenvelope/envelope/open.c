#include <string.h>

#include <sodium.h>

#include "core/auth.h"
#include "envelope/opening.h"
#include "envelope/select.h"
#include "envelope/value_key.h"

enum envl_status
opening_derive(const struct hmac512_key *input, struct context_code *code,
               const struct parsed *envelope, struct payload_keys *out,
               struct envl_error *err)
{
    context_code_set_mode(code, envelope->mode);
    payload_derive(input, envelope->payload.ptr, code, out);
    if (payload_commits(out, envelope->payload.ptr))
        return ENVL_OK;
    sodium_memzero(out, sizeof(*out));
    return auth_fail(err);
}

enum envl_status
opening_decrypt(const struct hmac512_key *input, struct context_code *code,
                const struct parsed *envelope, struct envl_opened *out,
                struct envl_error *err)
{
    size_t need = payload_frame_len(envelope->payload_len);
    struct payload_keys keys;
    enum envl_status status;

    if (out->value.len < need)
        return envl_fail(err, ENVL_E_LIMIT, "room for %zu bytes, %zu are "
                         "needed", out->value.len, need);
    status = opening_derive(input, code, envelope, &keys, err);
    if (status != ENVL_OK)
        return status;
    status = payload_open(&keys, envelope->payload, out, err);
    sodium_memzero(&keys, sizeof(keys));
    return status;
}

struct envl_span
opening_work(struct envl_bytes envelope, uint8_t scratch[OPENING_SCRATCH],
             struct envl_span room)
{
    if (envelope.len <= OPENING_SCRATCH)
        return (struct envl_span){ scratch, OPENING_SCRATCH };
    return room;
}

static enum envl_status
open_with(const struct key *key, struct context_code *code,
          const struct parsed *envelope, struct envl_opened *out,
          struct envl_error *err)
{
    struct value_key value_key;
    enum envl_status status;

    if (envelope->mode == ENVL_MODE_DERIVED)
        return opening_decrypt(&key->secret->prepared, code, envelope, out,
                               err);
    status = value_key_open(key, envelope->wrapped, &value_key, err);
    if (status != ENVL_OK)
        return status;
    status = opening_decrypt(&value_key.prepared, code, envelope, out, err);
    sodium_memzero(&value_key, sizeof(value_key));
    return status;
}

/* Where the value goes: the caller's memory, or a buffer that grows. */
struct target {
    struct envl_opened *opened; /* its span is the room there is now */
    struct envl_buf *buf;       /* NULL, or where the room is from   */
    char *kid;                  /* NULL, or ENVL_KID_MAX + 1 bytes   */
};

static enum envl_status
grow(const struct target *target, size_t need, struct envl_error *err)
{
    enum envl_status status;

    if (target->buf == NULL || target->opened->value.len >= need)
        return ENVL_OK;
    status = envl_buf_reserve(target->buf, need, err);
    target->opened->value = (struct envl_span){ target->buf->ptr,
                                                target->buf->cap };
    return status;
}

/* Parse; base64url that the scratch does not hold is decoded in the room. */
static enum envl_status
take_apart(struct envl_bytes bytes, uint8_t scratch[OPENING_SCRATCH],
           const struct target *target, struct parsed *out,
           struct envl_error *err)
{
    /* No memory is spent on a large plaintext, nor on binary. */
    if (target->buf != NULL && bytes.len > OPENING_SCRATCH &&
        bytes.ptr[0] != 0x9e && envl_begins(bytes) == ENVL_OK) {
        enum envl_status status = grow(target, bytes.len, err);

        if (status != ENVL_OK)
            return status;
    }
    return parse_whole(bytes, opening_work(bytes, scratch,
                                           target->opened->value), out, err);
}

static enum envl_status
open_target(const struct opening_request *request, const struct target *target,
            struct envl_error *err)
{
    uint8_t scratch[OPENING_SCRATCH];
    struct selection selected;
    struct parsed envelope;
    enum envl_status status;

    status = take_apart(request->envelope, scratch, target, &envelope, err);
    if (status != ENVL_OK)
        return status;
    status = select_opening_key(request->ring, request->options, &envelope,
                                &selected, err);
    if (status != ENVL_OK)
        return status;
    if (request->remote != NULL && selected.key->secret == NULL) {
        *request->remote = true;
        select_release(request->ring, &selected);
        return ENVL_OK;
    }
    status = grow(target, payload_frame_len(envelope.payload_len), err);
    if (status == ENVL_OK)
        status = open_with(selected.key, request->code, &envelope,
                           target->opened, err);
    if (status == ENVL_OK && target->kid != NULL)
        memcpy(target->kid, selected.key->info.kid, ENVL_KID_MAX + 1);
    select_release(request->ring, &selected);
    return status;
}

enum envl_status
opening_one(const struct opening_request *request, struct envl_opened *out,
            struct envl_error *err)
{
    const struct target target = { out, NULL, NULL };

    return open_target(request, &target, err);
}

static enum envl_status
open_checked(struct envl_keyring *ring,
             const struct envl_open_options *options,
             const struct envl_context *context, struct envl_bytes envelope,
             const struct target *target, struct envl_error *err)
{
    struct envl_open_options checked;
    struct context_code code;
    const struct opening_request request = { ring, &checked, &code, envelope,
                                             NULL };
    enum envl_status status = context_code_make(context, &code, err);

    /* spec: CTX-13, ENV-8.1 */
    if (status == ENVL_OK)
        status = select_open_options(options, &checked, err);
    if (status == ENVL_OK)
        status = open_target(&request, target, err);
    return status;
}

enum envl_status
envl_open_into(struct envl_keyring *ring,
               const struct envl_open_options *options,
               const struct envl_context *context, struct envl_bytes envelope,
               struct envl_opened *out, struct envl_error *err)
{
    struct target target = { out, NULL, NULL };
    struct envl_span room = out->value;
    enum envl_status status;

    status = open_checked(ring, options, context, envelope, &target, err);
    if (status != ENVL_OK) {
        if (room.len > 0)
            sodium_memzero(room.ptr, room.len);
        out->value.len = 0;
    }
    return status;
}

enum envl_status
envl_open(struct envl_keyring *ring, const struct envl_open_options *options,
          const struct envl_context *context, struct envl_bytes envelope,
          struct envl_plain *out, struct envl_error *err)
{
    struct envl_opened opened;
    struct target target = { &opened, &out->value, out->kid };
    enum envl_status status;

    envl_buf_clear(&out->value);
    opened.value = (struct envl_span){ out->value.ptr, out->value.cap };
    status = open_checked(ring, options, context, envelope, &target, err);
    if (status != ENVL_OK)
        return status; /* payload_open wiped what there was: ENV-1.4 */
    out->value.len = opened.value.len;
    out->type = opened.type;
    return ENVL_OK;
}

void
envl_plain_free(struct envl_plain *plain)
{
    envl_buf_free(&plain->value);
    *plain = (struct envl_plain){ ENVL_TYPE_BYTES, ENVL_BUF_INIT, "" };
}
