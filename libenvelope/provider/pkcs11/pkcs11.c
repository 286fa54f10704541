/*
 * pkcs11.c - the provider module for tokens: HSMs, smart cards, SoftHSM.
 *
 *     { "type": "pkcs11",
 *       "uri": "pkcs11:token=shop;object=envelope",   RFC 7512
 *       "module": "/usr/lib/softhsm/libsofthsm2.so",  else those of p11-kit
 *       "pin_file": "/etc/envelope/hsm.pin",          else it is asked for
 *       "login": true }
 *
 * It wraps with CKM_AES_KEY_WRAP, 32 bytes into 40, under a key that never
 * leaves the token (spec KEY-120 to KEY-124).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <envelope/version.h>

#include "provider/pkcs11/keyop.h"

struct pkcs11 {
    struct envl_provider base;
    struct token *token;
    json_t *settings; /* owns the strings */
    char **mounts;    /* copies */
    size_t mount_count;
};

/* ---- settings ----------------------------------------------------------- */

static enum envl_status
bad(const char *name, const char *what, struct envl_error *err)
{
    envl_fail(err, ENVL_E_USAGE, "provider '%s': %s", name, what);
    envl_hint(err, "{\"type\": \"pkcs11\", \"uri\": "
              "\"pkcs11:token=NAME;object=LABEL\", \"module\": "
              "\"/usr/lib/.../libX.so\", \"pin_file\": \"/path\"}");
    return ENVL_E_USAGE;
}

/* ${uri} belongs to the caller if this succeeds. */
static enum envl_status
parse_uri(const char *name, const char *text, P11KitUri **out,
          struct envl_error *err)
{
    P11KitUri *uri = p11_kit_uri_new();
    enum envl_status status;

    if (uri == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK ||
        p11_kit_uri_any_unrecognized(uri))
        status = bad(name, "\"uri\" is not a PKCS#11 URI (RFC 7512)", err);
    else if (p11_kit_uri_get_pin_value(uri) != NULL)
        status = bad(name, "a PIN does not belong into \"uri\": use "
                     "\"pin_file\"", err);
    else
        status = ENVL_OK;
    if (status == ENVL_OK)
        *out = uri;
    else
        p11_kit_uri_free(uri);
    return status;
}

/* What the URI's query says, unless a member says it. */
static void
take_query(struct token_settings *settings)
{
    const char *source = p11_kit_uri_get_pin_source(settings->uri);

    if (settings->module == NULL)
        settings->module = p11_kit_uri_get_module_path(settings->uri);
    if (settings->pin_file == NULL && source != NULL)
        settings->pin_file = strncmp(source, "file:", 5) == 0 ? source + 5
                                                              : source;
}

static enum envl_status
read_members(struct pkcs11 *self, const char *text,
             struct token_settings *out, struct envl_error *err)
{
    const char *name = self->base.name, *uri = NULL, *type = NULL;
    json_error_t where;
    enum envl_status status;
    int login = 1;

    self->settings = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(self->settings) ||
        json_unpack(self->settings, "{s?s, s?s, s?s, s?s, s?b !}", "type",
                    &type, "uri", &uri, "module", &out->module, "pin_file",
                    &out->pin_file, "login", &login) != 0)
        return bad(name, "a member is unknown, or of another kind than it "
                   "should be", err);
    if (uri == NULL)
        return bad(name, "\"uri\" is missing", err);
    out->login = login != 0;
    status = parse_uri(name, uri, &out->uri, err);
    if (status == ENVL_OK)
        take_query(out);
    return status;
}

/* ---- wrapping and unwrapping -------------------------------------------- */

static enum envl_status
no_answer(const struct pkcs11 *self, CK_RV rv, struct envl_error *err)
{
    enum envl_status status = envl_fail(
        err, ENVL_E_PROVIDER, "provider '%s': the token fails (PKCS#11 %#lx)",
        self->base.name, rv);

    if (rv == CKR_KEY_NOT_WRAPPABLE || rv == CKR_MECHANISM_INVALID ||
        rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
        envl_hint(err, "it must allow CKM_AES_KEY_WRAP with this key: "
                  "docs/providers.md");
    return status;
}

/* One of both; the first ${done} keys are done. */
struct work {
    const uint8_t *keys;             /* to wrap, or NULL                    */
    struct envl_buf *blobs;
    size_t *lens;
    const struct envl_bytes *wrapped; /* to unwrap                          */
    uint8_t *into;
    enum envl_status *statuses;
    size_t count, done;
};

static CK_RV
wrap_next(const struct token_session *session, struct work *work,
          struct envl_error *err)
{
    uint8_t blob[KEYOP_WRAPPED_LEN];
    CK_RV rv = keyop_wrap(session,
                          work->keys + work->done * KEYOP_KEY_LEN, blob);

    if (rv != CKR_OK)
        return rv;
    if (envl_buf_append(work->blobs,
                        (struct envl_bytes){ blob, sizeof(blob) },
                        err) != ENVL_OK)
        return CKR_HOST_MEMORY;
    work->lens[work->done] = sizeof(blob);
    return CKR_OK;
}

static CK_RV
unwrap_next(const struct token_session *session, struct work *work)
{
    const struct envl_bytes *blob = &work->wrapped[work->done];
    CK_RV rv = CKR_WRAPPED_KEY_INVALID;

    if (blob->len == KEYOP_WRAPPED_LEN)
        rv = keyop_unwrap(session, blob->ptr,
                          work->into + work->done * KEYOP_KEY_LEN);
    if (rv != CKR_OK && rv != CKR_WRAPPED_KEY_INVALID)
        return rv;
    work->statuses[work->done] = rv == CKR_OK ? ENVL_OK : ENVL_E_AUTH;
    return CKR_OK;
}

static CK_RV
run(const struct token_session *session, struct work *work,
    struct envl_error *err)
{
    for (; work->done < work->count; work->done++) {
        CK_RV rv = work->keys != NULL ? wrap_next(session, work, err)
                                      : unwrap_next(session, work);

        if (rv != CKR_OK)
            return rv;
    }
    return CKR_OK;
}

/* A session that was lost is opened again, once.  spec: KEY-123 */
static enum envl_status
attempt(struct pkcs11 *self, struct work *work, struct envl_error *err)
{
    CK_RV rv = CKR_OK;

    for (int tries = 0; tries < 2; tries++) {
        struct token_session *session;
        enum envl_status status = token_enter(self->token, &session, err);

        if (status != ENVL_OK)
            return status;
        rv = run(session, work, err);
        token_leave(self->token, session, token_is_lost(rv));
        if (rv == CKR_OK)
            return ENVL_OK;
        if (rv == CKR_HOST_MEMORY)
            return envl_fail(err, ENVL_E_NOMEM, "out of memory for wrapped "
                             "keys");
        if (!token_is_lost(rv))
            break;
    }
    return no_answer(self, rv, err);
}

static enum envl_status
pkcs11_wrap(struct envl_provider *base, struct envl_bytes keys, size_t count,
            struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct work work = { .keys = keys.ptr, .blobs = blobs, .lens = lens,
                         .count = count };

    return attempt((struct pkcs11 *)base, &work, err);
}

static enum envl_status
pkcs11_unwrap(struct envl_provider *base, const struct envl_bytes *blobs,
              size_t count, struct envl_span keys,
              enum envl_status *statuses, struct envl_error *err)
{
    struct work work = { .wrapped = blobs, .into = keys.ptr,
                         .statuses = statuses, .count = count };

    return attempt((struct pkcs11 *)base, &work, err);
}

static enum envl_status
pkcs11_unlock(struct envl_provider *base,
              const struct envl_unlock_entry *entry, const char *ring_id,
              struct envl_secret **ring_key, struct envl_error *err)
{
    struct envl_bytes blob = envl_buf_view(&entry->wrapped);
    struct envl_secret *key = NULL;
    enum envl_status status, found = ENVL_E_AUTH;

    (void)ring_id;
    if ((status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err)) != ENVL_OK)
        return status;
    status = pkcs11_unwrap(base, &blob, 1, envl_secret_span(key), &found,
                           err);
    if (status == ENVL_OK && found != ENVL_OK)
        status = envl_fail(err, ENVL_E_AUTH, "the token of provider '%s' "
                           "does not open unlock entry '%s'", base->name,
                           entry->name);
    if (status == ENVL_OK)
        *ring_key = key;
    else
        envl_secret_free(key);
    return status;
}

static enum envl_status
pkcs11_enroll(struct envl_provider *base, const char *ring_id,
              const struct envl_secret *ring_key,
              struct envl_unlock_entry *entry, struct envl_error *err)
{
    size_t len;

    (void)ring_id;
    envl_buf_clear(&entry->wrapped);
    return pkcs11_wrap(base, envl_secret_bytes(ring_key), 1, &entry->wrapped,
                       &len, err);
}

static void
pkcs11_free(struct envl_provider *base)
{
    struct pkcs11 *self = (struct pkcs11 *)base;

    token_free(self->token);
    json_decref(self->settings);
    for (size_t i = 0; i < self->mount_count; i++)
        free(self->mounts[i]);
    free(self->mounts);
    free(self);
}

static const struct envl_provider_ops pkcs11_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "pkcs11",
    .unlock = pkcs11_unlock,
    .enroll = pkcs11_enroll,
    .wrap = pkcs11_wrap,
    .unwrap = pkcs11_unwrap,
    .free = pkcs11_free,
};

/* ---- the module --------------------------------------------------------- */

/* The request is borrowed; a token reads its PIN later. */
static enum envl_status
copy_mounts(struct pkcs11 *self, const struct envl_provider_request *request,
            struct token_settings *out, struct envl_error *err)
{
    self->mounts = calloc(request->mount_count + 1, sizeof(*self->mounts));
    for (size_t i = 0; self->mounts != NULL && i < request->mount_count; i++)
        if ((self->mounts[i] = strdup(request->mounts[i])) != NULL)
            self->mount_count++;
        else
            break;
    if (self->mount_count != request->mount_count || self->mounts == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    out->mounts = (const char *const *)self->mounts;
    out->mount_count = self->mount_count;
    return ENVL_OK;
}

static enum envl_status
pkcs11_create(const struct envl_provider_request *request,
              struct envl_provider **out, struct envl_error *err)
{
    struct pkcs11 *self = calloc(1, sizeof(*self));
    struct token_settings settings = {
        .ask = request->ask, .cookie = request->cookie
    };
    enum envl_status status;

    if (self == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    self->base.ops = &pkcs11_ops;
    snprintf(self->base.name, sizeof(self->base.name), "%s", request->name);
    settings.name = self->base.name;
    status = read_members(self, request->settings, &settings, err);
    if (status == ENVL_OK)
        status = copy_mounts(self, request, &settings, err);
    if (status == ENVL_OK)
        status = token_new(&settings, &self->token, err);
    if (status == ENVL_OK) {
        *out = &self->base;
        return ENVL_OK;
    }
    if (self->token == NULL && settings.uri != NULL)
        p11_kit_uri_free(settings.uri);
    pkcs11_free(&self->base);
    return status;
}

static const char *const pkcs11_types[] = { "pkcs11", NULL };

ENVL_API extern const struct envl_provider_module envl_provider_module_v1;
const struct envl_provider_module envl_provider_module_v1 = {
    .abi = ENVL_PROVIDER_ABI,
    .name = "pkcs11",
    .version = ENVL_VERSION,
    .types = pkcs11_types,
    .create = pkcs11_create,
};
