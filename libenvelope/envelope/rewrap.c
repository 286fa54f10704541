#include <sodium.h>

#include "core/auth.h"
#include "envelope/opening.h"
#include "envelope/recode.h"
#include "envelope/select.h"
#include "envelope/value_key.h"

/* What is moved, and what has been checked of it. */
struct rewrapping {
    struct recode_source source;
    struct context_code code;
    struct envl_seal_options options;
};

/* Unwrap the value key, and prove it by the commitment.  spec: ENV-9.8 */
static enum envl_status
unwrap(struct envl_keyring *ring, struct rewrapping *r,
       struct value_key *out, struct envl_error *err)
{
    const struct envl_open_options any = {
        .size = sizeof(any), .scope = r->options.scope,
        .accept = ENVL_ACCEPT_WRAPPED,
    };
    struct selection selected;
    struct payload_keys keys;
    enum envl_status status;

    status = select_opening_key(ring, &any, &r->source.parsed, &selected, err);
    if (status != ENVL_OK)
        return status;
    status = value_key_open(selected.key, r->source.parsed.wrapped, out, err);
    if (status == ENVL_OK) {
        status = opening_derive(&out->prepared, &r->code, &r->source.parsed,
                                &keys, err);
        sodium_memzero(&keys, sizeof(keys));
    }
    select_release(ring, &selected);
    return status;
}

/* Wrap it under ${kek}, and make sure that it comes back. */
static enum envl_status
wrap(const struct key *kek, const struct value_key *value_key,
     struct envl_buf *blob, struct envl_error *err)
{
    struct envl_bytes bytes = { value_key->bytes, sizeof(value_key->bytes) };
    struct value_key back;
    size_t len;
    enum envl_status status = value_key_wrap(kek, bytes, 1, blob, &len, err);

    if (status != ENVL_OK)
        return status;
    status = value_key_open(kek, envl_buf_view(blob), &back, err);
    if (status == ENVL_E_AUTH ||
        (status == ENVL_OK && sodium_memcmp(back.bytes, bytes.ptr,
                                            bytes.len) != 0))
        status = envl_fail(err, ENVL_E_PROVIDER, "key '%s' does not unwrap "
                           "what it has wrapped", kek->info.kid);
    sodium_memzero(&back, sizeof(back));
    return status;
}

static enum envl_status
move(struct envl_keyring *ring, struct rewrapping *r, struct envl_buf *out,
     struct envl_error *err)
{
    const struct parsed *parsed = &r->source.parsed;
    struct envl_buf blob = ENVL_BUF_INIT;
    struct selection target;
    struct value_key value_key;
    enum envl_status status = unwrap(ring, r, &value_key, err);

    if (status != ENVL_OK)
        goto out;
    status = select_sealing_key(ring, &r->options, &target, err);
    if (status != ENVL_OK)
        goto out;
    if (target.key->info.use != ENVL_USE_WRAP)
        status = envl_fail(err, ENVL_E_NOKEY, "key '%s' does not wrap",
                           target.key->info.kid);
    if (status == ENVL_OK)
        status = wrap(target.key, &value_key, &blob, err);
    if (status == ENVL_OK) {
        const struct layout layout = {
            parsed->encoding, ENVL_MODE_WRAPPED, select_kid(target.key),
            envl_buf_view(&blob), parsed->payload_len,
        };

        status = recode_write(&layout, parsed->payload, out, err);
    }
    select_release(ring, &target);

out:
    sodium_memzero(&value_key, sizeof(value_key));
    envl_buf_free(&blob);
    return status;
}

enum envl_status
envl_rewrap(struct envl_keyring *ring, const struct envl_seal_options *options,
            const struct envl_context *context, struct envl_bytes envelope,
            struct envl_buf *out, struct envl_error *err)
{
    struct rewrapping r;
    enum envl_status status = context_code_make(context, &r.code, err);

    if (status == ENVL_OK && context == NULL) /* spec: ENV-9.8 */
        status = envl_fail(err, ENVL_E_USAGE,
                           "rewrapping needs the envelope's context");
    if (status == ENVL_OK)
        status = select_seal_options(options, &r.options, err);
    if (status != ENVL_OK)
        return status;
    r.options.mode = ENVL_MODE_WRAPPED;
    status = recode_parse(envelope, &r.source, err);
    if (status != ENVL_OK)
        return status;
    if (r.source.parsed.mode == ENVL_MODE_WRAPPED)
        status = move(ring, &r, out, err);
    else /* spec: ENV-9.9 */
        status = envl_fail(err, ENVL_E_USAGE, "an envelope in mode derived "
                           "has no wrapped key; rotate it instead");
    recode_free(&r.source);
    return status;
}
