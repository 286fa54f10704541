#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/random.h"
#include "keyring/change.h"
#include "provider/recovery.h"
#include "provider/types.h"

enum envl_status
change_check_date(const char *date, struct envl_error *err)
{
    if (date == NULL || date[0] == '\0' ||
        clock_parse(envl_bytes_of(date), NULL))
        return ENVL_OK;
    envl_fail(err, ENVL_E_USAGE, "'%.40s' is not a date", date);
    envl_hint(err, "dates are UTC and look like 2026-11-02T09:30:00Z");
    return ENVL_E_USAGE;
}

enum envl_status
change_check_spec(const struct envl_key_spec *spec, struct envl_error *err)
{
    const char *scope = spec->scope == NULL ? "default" : spec->scope;
    bool named = spec->kid != NULL && key_name_valid(envl_bytes_of(spec->kid));
    enum envl_status status;

    if (!named || !key_name_valid(envl_bytes_of(scope))) {
        envl_fail(err, ENVL_E_USAGE, "'%.80s' is no valid %s",
                  named ? scope : spec->kid == NULL ? "" : spec->kid,
                  named ? "scope" : "kid");
        envl_hint(err, "1 to 63 of a-z, 0-9, '.' and '-', the first a letter "
                  "or a digit");
        return ENVL_E_USAGE;
    }
    if ((unsigned)spec->use > ENVL_USE_MAC)
        return envl_fail(err, ENVL_E_USAGE, "no such use of a key");
    if ((status = change_check_date(spec->expires, err)) != ENVL_OK ||
        (status = change_check_date(spec->retain_until, err)) != ENVL_OK)
        return status;
    if (spec->material != NULL &&
        envl_secret_bytes(spec->material).len != KEYWRAP_KEY_LEN)
        return envl_fail(err, ENVL_E_USAGE,
                         "imported key material has %zu bytes, not 32",
                         envl_secret_bytes(spec->material).len);
    /* What a hole in a file or a failed export leaves is no key. */
    if (spec->material != NULL &&
        sodium_is_zero(envl_secret_bytes(spec->material).ptr,
                       KEYWRAP_KEY_LEN))
        return envl_fail(err, ENVL_E_POLICY,
                         "imported key material is nothing but zeros");
    /* spec: KEY-32 */
    if (spec->provider != NULL &&
        (spec->use != ENVL_USE_WRAP || spec->material != NULL ||
         !key_name_valid(envl_bytes_of(spec->provider))))
        return envl_fail(err, ENVL_E_USAGE,
                         "a provider's key has use wrap, a valid provider "
                         "name, and no material of its own");
    return ENVL_OK;
}

enum envl_status
change_material(const struct envl_key_spec *spec, struct envl_secret **out,
                struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status;

    *out = NULL;
    if (spec->provider != NULL)
        return ENVL_OK;
    if ((status = envl_secret_new(KEYWRAP_KEY_LEN, &secret, err)) != ENVL_OK)
        return status;
    if (spec->material != NULL)
        memcpy(envl_secret_span(secret).ptr,
               envl_secret_bytes(spec->material).ptr, KEYWRAP_KEY_LEN);
    else
        status = random_fill(envl_secret_span(secret), err);
    if (status != ENVL_OK) {
        envl_secret_free(secret);
        return status;
    }
    *out = secret;
    return ENVL_OK;
}

/* Wrap material into ${entry}, with its check value. */
static enum envl_status
wrap_material(struct ring_key *entry, const struct envl_secret *material,
              const struct ring_keys *keys, struct envl_error *err)
{
    struct envl_bytes bytes = envl_secret_bytes(material);
    struct hmac512_key *prepared = sodium_malloc(sizeof(*prepared));
    enum envl_status status;

    if (prepared == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    hmac512_prepare(prepared, bytes);
    load_check(prepared, entry->key.info.kid, entry->check);
    sodium_free(prepared);
    status = keywrap_wrap(keys->wrap, bytes.ptr, entry->wrapped, err);
    entry->has_material = status == ENVL_OK;
    return status;
}

enum envl_status
change_put_key(struct ring_doc *doc, const struct envl_key_spec *spec,
               const struct envl_secret *material,
               const struct ring_keys *keys, struct envl_error *err)
{
    struct ring_key *entry = &doc->keys[doc->key_count];
    struct envl_key_info *info = &entry->key.info;
    enum envl_status status;

    *entry = (struct ring_key){ .has_material = false };
    info->use = spec->use;
    info->state = spec->activate ? ENVL_KEY_ACTIVE : ENVL_KEY_PRE_ACTIVE;
    snprintf(info->kid, sizeof(info->kid), "%s", spec->kid);
    snprintf(info->scope, sizeof(info->scope), "%s",
             spec->scope == NULL ? "default" : spec->scope);
    clock_print(clock_now(), info->created);
    if (spec->activate)
        memcpy(info->activated, info->created, sizeof(info->activated));
    if (spec->expires != NULL)
        snprintf(info->expires, sizeof(info->expires), "%s", spec->expires);
    if (spec->retain_until != NULL)
        snprintf(info->retain_until, sizeof(info->retain_until), "%s",
                 spec->retain_until);
    if (spec->provider != NULL)
        snprintf(info->provider, sizeof(info->provider), "%s",
                 spec->provider);
    if (material != NULL && (status = wrap_material(entry, material, keys,
                                                    err)) != ENVL_OK)
        return status;
    doc->key_count++;
    return ENVL_OK;
}

enum envl_status
change_check_unlock(const char *name, const struct envl_provider *provider,
                    struct envl_error *err)
{
    if (!key_name_valid(envl_bytes_of(name))) {
        envl_fail(err, ENVL_E_USAGE, "'%.80s' is no valid unlock name", name);
        envl_hint(err, "1 to 63 of a-z, 0-9, '.' and '-', the first a letter "
                  "or a digit");
        return ENVL_E_USAGE;
    }
    if (provider == NULL || provider->ops->abi != ENVL_PROVIDER_ABI ||
        types_find(envl_bytes_of(provider->ops->type)) == NULL)
        return envl_fail(err, ENVL_E_USAGE,
                         "unlock entry '%s' has no usable provider", name);
    return ENVL_OK;
}

enum envl_status
change_opens(const struct envl_unlock_entry *entry,
             struct envl_provider *provider, const char *ring_id,
             const struct ring_keys *keys, struct envl_error *err)
{
    struct envl_secret *opened = NULL;
    enum envl_status status;
    bool same;

    status = provider->ops->unlock(provider, entry, ring_id, &opened, err);
    if (status != ENVL_OK)
        return status;
    same = envl_secret_bytes(opened).len == sizeof(keys->ring) &&
           sodium_memcmp(envl_secret_bytes(opened).ptr, keys->ring,
                         sizeof(keys->ring)) == 0;
    envl_secret_free(opened);
    return same ? ENVL_OK
                : envl_fail(err, ENVL_E_AUTH,
                            "unlock entry '%s' opens to another ring key",
                            entry->name);
}

enum envl_status
change_enroll(struct envl_unlock_entry *entry, struct envl_provider *provider,
              const char *ring_id, const struct ring_keys *keys,
              struct envl_error *err)
{
    struct envl_secret *ring_key = NULL;
    enum envl_status status;

    if ((status = envl_secret_new(sizeof(keys->ring), &ring_key, err)) !=
        ENVL_OK)
        return status;
    memcpy(envl_secret_span(ring_key).ptr, keys->ring, sizeof(keys->ring));
    status = provider->ops->enroll(provider, ring_id, ring_key, entry, err);
    envl_secret_free(ring_key);
    /* The private half is offline: spec KEY-112. */
    if (status != ENVL_OK || recovery_only_seals(provider))
        return status;
    status = change_opens(entry, provider, ring_id, keys, err);
    return status != ENVL_E_AUTH
               ? status
               : envl_fail(err, ENVL_E_PROVIDER,
                           "unlock entry '%s' does not open again",
                           entry->name);
}
