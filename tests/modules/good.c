/*
 * A provider module for the tests of the loader: TEST DATA, no cryptography.
 * It "wraps" by XOR with the byte that its one setting, {"x":N}, gives.
 */
#include <stdlib.h>
#include <string.h>

#include <envelope/provider_module.h>
#include <envelope/version.h>

struct good {
    struct envl_provider base;
    uint8_t x;
};

static void
mix(const struct good *self, const uint8_t *in, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = in[i] ^ self->x;
}

static enum envl_status
good_unlock(struct envl_provider *base, const struct envl_unlock_entry *entry,
            const char *ring_id, struct envl_secret **ring_key,
            struct envl_error *err)
{
    enum envl_status status = envl_secret_new(32, ring_key, err);

    (void)ring_id;
    if (status == ENVL_OK && entry->wrapped.len == 32)
        mix((struct good *)base, entry->wrapped.ptr,
            envl_secret_span(*ring_key).ptr, 32);
    return status;
}

static enum envl_status
good_enroll(struct envl_provider *base, const char *ring_id,
            const struct envl_secret *ring_key,
            struct envl_unlock_entry *entry, struct envl_error *err)
{
    uint8_t wrapped[32];

    (void)ring_id;
    mix((struct good *)base, envl_secret_bytes(ring_key).ptr, wrapped, 32);
    envl_buf_clear(&entry->wrapped);
    return envl_buf_append(&entry->wrapped,
                           (struct envl_bytes){ wrapped, 32 }, err);
}

static enum envl_status
good_wrap(struct envl_provider *base, struct envl_bytes keys, size_t count,
          struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    enum envl_status status = envl_buf_reserve(blobs, keys.len, err);

    if (status != ENVL_OK)
        return status;
    mix((struct good *)base, keys.ptr, blobs->ptr + blobs->len, keys.len);
    blobs->len += keys.len;
    for (size_t i = 0; i < count; i++)
        lens[i] = 32;
    return ENVL_OK;
}

static enum envl_status
good_unwrap(struct envl_provider *base, const struct envl_bytes *blobs,
            size_t count, struct envl_span keys, enum envl_status *statuses,
            struct envl_error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++) {
        mix((struct good *)base, blobs[i].ptr, keys.ptr + 32 * i, 32);
        statuses[i] = ENVL_OK;
    }
    return ENVL_OK;
}

static void
good_free(struct envl_provider *base)
{
    free(base);
}

static const struct envl_provider_ops ops = {
    .abi = ENVL_PROVIDER_ABI, .type = "vault-transit", .unlock = good_unlock,
    .enroll = good_enroll, .wrap = good_wrap, .unwrap = good_unwrap,
    .free = good_free,
};

static enum envl_status
create(const struct envl_provider_request *request,
       struct envl_provider **out, struct envl_error *err)
{
    struct good *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if (strncmp(request->settings, "{\"x\":", 5) != 0) {
        free(self);
        return envl_fail(err, ENVL_E_USAGE, "provider '%s' has no x",
                         request->name);
    }
    self->base.ops = &ops;
    self->x = (uint8_t)strtol(request->settings + 5, NULL, 10);
    *out = &self->base;
    return ENVL_OK;
}

static const char *const types[] = { "vault-transit", NULL };

ENVL_API extern const struct envl_provider_module envl_provider_module_v1;
const struct envl_provider_module envl_provider_module_v1 = {
    .abi = ENVL_PROVIDER_ABI, .name = "vault", .version = ENVL_VERSION,
    .types = types, .create = create,
};
