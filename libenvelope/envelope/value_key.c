#include <sodium.h>

#include "core/auth.h"
#include "envelope/layout.h"
#include "envelope/value_key.h"

void
value_key_prepare(struct value_key *value_key)
{
    hmac512_prepare(&value_key->prepared, (struct envl_bytes){
        value_key->bytes, sizeof(value_key->bytes) });
}

/* spec: ENV-8.13: its name comes from the ring, never from a blob. */
static enum envl_status
no_provider(const struct key *kek, struct envl_error *err)
{
    (void)envl_fail(err, ENVL_E_PROVIDER, "provider '%s' of key '%s' is not "
                    "set up here", kek->info.provider, kek->info.kid);
    envl_hint(err, "describe it in the configuration under that name");
    return ENVL_E_PROVIDER;
}

/* spec: ENV-3.6 */
static enum envl_status
wrap_locally(const struct key *kek, struct envl_bytes keys, size_t count,
             struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    enum envl_status status;

    if (count > SIZE_MAX / 2 / KEYWRAP_LEN)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu keys",
                         count);
    status = envl_buf_reserve(blobs, count * KEYWRAP_LEN, err);
    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        status = keywrap_wrap(kek->secret->bytes,
                              keys.ptr + i * ENVL_VALUE_KEY_LEN,
                              blobs->ptr + blobs->len, err);
        blobs->len += KEYWRAP_LEN;
        lens[i] = KEYWRAP_LEN;
    }
    return status;
}

enum envl_status
value_key_wrap(const struct key *kek, struct envl_bytes keys, size_t count,
               struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct envl_provider *provider = kek->provider;
    enum envl_status status;

    if (kek->secret != NULL)
        return wrap_locally(kek, keys, count, blobs, lens, err);
    if (provider == NULL || provider->ops->wrap == NULL)
        return no_provider(kek, err);
    status = provider->ops->wrap(provider, keys, count, blobs, lens, err);
    if (status != ENVL_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (lens[i] < 1 || lens[i] > LAYOUT_WRAPPED_MAX)
            return envl_fail(err, ENVL_E_PROVIDER, "provider '%s' wraps a key "
                             "in %zu bytes, at most %u fit",
                             kek->info.provider, lens[i], LAYOUT_WRAPPED_MAX);
    }
    return ENVL_OK;
}

enum envl_status
value_key_unwrap(const struct key *kek, const struct envl_bytes *blobs,
                 size_t count, struct envl_span keys,
                 enum envl_status *statuses, struct envl_error *err)
{
    struct envl_provider *provider = kek->provider;

    if (kek->secret == NULL) {
        if (provider == NULL || provider->ops->unwrap == NULL)
            return no_provider(kek, err);
        return provider->ops->unwrap(provider, blobs, count, keys, statuses,
                                     err);
    }
    for (size_t i = 0; i < count; i++) {
        /* Its length was checked when the key was chosen. */
        statuses[i] = blobs[i].len == KEYWRAP_LEN
            ? keywrap_unwrap(kek->secret->bytes, blobs[i].ptr,
                             keys.ptr + i * ENVL_VALUE_KEY_LEN, NULL)
            : ENVL_E_AUTH;
    }
    return ENVL_OK;
}

enum envl_status
value_key_open(const struct key *kek, struct envl_bytes wrapped,
               struct value_key *out, struct envl_error *err)
{
    enum envl_status answer = ENVL_E_AUTH;
    enum envl_status status;

    status = value_key_unwrap(kek, &wrapped, 1, (struct envl_span){
        out->bytes, sizeof(out->bytes) }, &answer, err);
    if (status == ENVL_OK && answer == ENVL_OK) {
        value_key_prepare(out);
        return ENVL_OK;
    }
    sodium_memzero(out->bytes, sizeof(out->bytes));
    /* spec: ENV-8.14; what the provider said of it is not passed on */
    if (status == ENVL_OK || status == ENVL_E_AUTH)
        return auth_fail(err);
    return status;
}
