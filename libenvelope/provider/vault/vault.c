/*
 * The module envl-provider-vault.so: HashiCorp Vault and OpenBao, by their
 * transit engine (a key that never leaves it) or KV engine (32 bytes that it
 * keeps).
 */
#include <stdlib.h>
#include <string.h>

#include <envelope/provider_module.h>
#include <envelope/version.h>

#include "provider/unlock_key.h"
#include "provider/vault/kv.h"
#include "provider/vault/transit.h"

struct vault {
    struct envl_provider base;
    struct settings settings;
    struct session session;
    struct transit transit;
};

/* ---- transit ------------------------------------------------------------- */

static enum envl_status
does_not_open(const struct vault *self, const struct envl_unlock_entry *entry,
              struct envl_error *err)
{
    envl_fail(err, ENVL_E_AUTH, "the key of provider '%s' does not open "
              "unlock entry '%s'", self->settings.name, entry->name);
    envl_hint(err, "was it made with another key, or with a version below "
              "min_decryption_version? open the keyring by another entry "
              "and use `envelope unlock change %s --new-provider`",
              entry->name);
    return ENVL_E_AUTH;
}

/* spec: KEY-67 */
static enum envl_status
transit_unlock_entry(struct envl_provider *base,
                     const struct envl_unlock_entry *entry,
                     const char *ring_id, struct envl_secret **ring_key,
                     struct envl_error *err)
{
    struct vault *self = (struct vault *)base;
    const struct envl_bytes blob = envl_buf_view(&entry->wrapped);
    const struct transit uncached = { &self->session, NULL };
    enum envl_status status, answer = ENVL_E_AUTH;
    struct envl_secret *key = NULL;

    (void)ring_id;
    if ((status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err)) != ENVL_OK)
        return status;
    status = transit_unwrap(&uncached, &blob, 1, envl_secret_span(key),
                            &answer, err);
    if (status == ENVL_OK && answer == ENVL_OK) {
        *ring_key = key;
        return ENVL_OK;
    }
    envl_secret_free(key);
    return status != ENVL_OK ? status : does_not_open(self, entry, err);
}

static enum envl_status
transit_enroll_entry(struct envl_provider *base, const char *ring_id,
                     const struct envl_secret *ring_key,
                     struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct vault *self = (struct vault *)base;
    size_t len;

    (void)ring_id;
    envl_buf_clear(&entry->wrapped);
    return transit_wrap(&self->transit, envl_secret_bytes(ring_key), 1,
                        &entry->wrapped, &len, err);
}

static enum envl_status
transit_wrap_keys(struct envl_provider *base, struct envl_bytes keys,
                  size_t count, struct envl_buf *blobs, size_t *lens,
                  struct envl_error *err)
{
    return transit_wrap(&((struct vault *)base)->transit, keys, count, blobs,
                        lens, err);
}

static enum envl_status
transit_unwrap_keys(struct envl_provider *base,
                    const struct envl_bytes *blobs, size_t count,
                    struct envl_span keys, enum envl_status *statuses,
                    struct envl_error *err)
{
    return transit_unwrap(&((struct vault *)base)->transit, blobs, count,
                          keys, statuses, err);
}

/* ---- KV ------------------------------------------------------------------ */

/*
 * While the root is being rotated the newest version is ahead of the entry:
 * then the one before it is tried.  spec: KEY-68
 */
static enum envl_status
kv_unlock_entry(struct envl_provider *base,
                const struct envl_unlock_entry *entry, const char *ring_id,
                struct envl_secret **ring_key, struct envl_error *err)
{
    struct vault *self = (struct vault *)base;
    struct kv_secret secret;
    enum envl_status status = kv_read(&self->session, 0, &secret, err);

    if (status != ENVL_OK)
        return status;
    status = unlock_key_open(envl_secret_bytes(secret.bytes).ptr, entry,
                             ring_id, ring_key, err);
    envl_secret_free(secret.bytes);
    if (status != ENVL_E_AUTH)
        return status;
    if (secret.version > 1 &&
        kv_read(&self->session, secret.version - 1, &secret, NULL) ==
            ENVL_OK) {
        status = unlock_key_open(envl_secret_bytes(secret.bytes).ptr, entry,
                                 ring_id, ring_key, err);
        envl_secret_free(secret.bytes);
    }
    return status == ENVL_E_AUTH ? does_not_open(self, entry, err) : status;
}

static enum envl_status
kv_enroll_entry(struct envl_provider *base, const char *ring_id,
                const struct envl_secret *ring_key,
                struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct vault *self = (struct vault *)base;
    struct kv_secret secret;
    enum envl_status status = kv_read(&self->session, 0, &secret, err);

    if (status != ENVL_OK)
        return status;
    status = unlock_key_wrap(envl_secret_bytes(secret.bytes).ptr, ring_id,
                             ring_key, entry, err);
    envl_secret_free(secret.bytes);
    return status;
}

/* ---- its life ------------------------------------------------------------ */

static void
vault_free(struct envl_provider *base)
{
    struct vault *self = (struct vault *)base;

    cache_free(self->transit.cache);
    session_close(&self->session);
    settings_free(&self->settings);
    free(self);
}

static const struct envl_provider_ops transit_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "vault-transit",
    .unlock = transit_unlock_entry,
    .enroll = transit_enroll_entry,
    .wrap = transit_wrap_keys,
    .unwrap = transit_unwrap_keys,
    .free = vault_free,
};

static const struct envl_provider_ops kv_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "vault-kv",
    .unlock = kv_unlock_entry,
    .enroll = kv_enroll_entry,
    .free = vault_free,
};

static enum envl_status
create(const struct envl_provider_request *request,
       struct envl_provider **out, struct envl_error *err)
{
    struct vault *self = calloc(1, sizeof(*self));
    enum envl_status status;

    if (self == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    self->base.ops = strcmp(request->type, transit_ops.type) == 0
                         ? &transit_ops : &kv_ops;
    if ((status = settings_read(request, &self->settings, err)) != ENVL_OK ||
        (status = session_open(&self->settings, &self->session, err)) !=
            ENVL_OK ||
        (status = cache_new(&self->settings.cache, &self->transit.cache,
                            err)) != ENVL_OK) {
        vault_free(&self->base);
        return status;
    }
    self->transit.session = &self->session;
    *out = &self->base;
    return ENVL_OK;
}

static const char *const types[] = { "vault-transit", "vault-kv", NULL };

ENVL_API extern const struct envl_provider_module envl_provider_module_v1;
const struct envl_provider_module envl_provider_module_v1 = {
    .abi = ENVL_PROVIDER_ABI,
    .name = "vault",
    .version = ENVL_VERSION,
    .types = types,
    .create = create,
};
