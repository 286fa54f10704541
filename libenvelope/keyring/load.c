#include "keyring/load.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "keyring/ring_text.h"
#include "provider/provider.h"
#include "provider/types.h"

static const struct file_rules ring_rules = { FILE_TRUSTED, "keyring", NULL,
                                              0 };

enum envl_status
load_read(const char *path, struct load_file *out, struct envl_error *err)
{
    struct envl_error why = { .status = ENVL_OK };
    enum envl_status status;

    *out = (struct load_file){ 0 };
    status = file_read(path, &ring_rules, RING_FILE_LIMIT, &out->text,
                       &out->id, err);
    if (status == ENVL_E_NOTFOUND) {
        envl_fail(err, status, "no keyring at '%s'", path);
        envl_hint(err, "make one: envelope init --keyring '%s'; or name "
                  "another: --keyring, ENVELOPE_KEYRING", path);
    }
    if (status == ENVL_E_LIMIT)
        status = envl_fail(err, ENVL_E_INTEGRITY,
                           "keyring '%s' is longer than %u bytes", path,
                           RING_FILE_LIMIT);
    if (status == ENVL_OK && (status = load_parse(out, &why)) != ENVL_OK) {
        envl_fail(err, status, "'%s' is damaged: %s", path, why.message);
        if (status == ENVL_E_INTEGRITY)
            envl_hint(err, "restore it from its backup: envelope key restore "
                      "FILE");
    }
    if (status != ENVL_OK)
        load_file_free(out);
    return status;
}

enum envl_status
load_parse(struct load_file *file, struct envl_error *err)
{
    return ring_text_parse(envl_buf_view(&file->text), &file->doc,
                           &file->line, err);
}

void
load_file_free(struct load_file *file)
{
    envl_buf_free(&file->text);
    ring_doc_free(&file->doc);
    file->line = (struct envl_bytes){ NULL, 0 };
}

/* spec: KEY-2 */
bool
load_mac_holds(const struct ring_keys *keys, const struct load_file *file)
{
    uint8_t mac[HMAC512_LEN];

    hmac512(&keys->mac, &file->line, 1, mac);
    return sodium_memcmp(mac, file->doc.mac, RING_MAC_LEN) == 0;
}

static bool
wanted(const struct load_request *request,
       const struct envl_unlock_entry *entry,
       const struct envl_provider *provider)
{
    return provider_fits(provider, entry) &&
           (request->entry == NULL ||
            strcmp(entry->name, request->entry) == 0);
}

static enum envl_status
nothing_fits(const struct load_request *request, const struct ring_doc *doc,
             struct envl_error *err)
{
    if (request->entry != NULL &&
        ring_doc_unlock(doc, request->entry) == doc->unlock_count)
        return envl_fail(err, ENVL_E_NOTFOUND,
                         "the keyring has no unlock entry '%.63s'",
                         request->entry);
    envl_fail(err, ENVL_E_AUTH,
              "nothing that was given can open this keyring");
    envl_hint(err, "its first unlock entry is '%s', of type %s",
              doc->unlocks[0].name, doc->unlocks[0].type);
    return ENVL_E_AUTH;
}

/*
 * Each secret at hand is tried on each entry it might fit.  If none opens,
 * a trouble that says nothing of the secret is told before a wrong secret.
 * spec: KEY-25
 */
static enum envl_status
unlock(const struct load_request *request, const struct ring_doc *doc,
       struct envl_secret **ring_key, const char **type,
       struct envl_error *err)
{
    const size_t openers = request->openers > 0 ? request->openers
                                                : request->provider_count;
    struct envl_error first = { .status = ENVL_OK };

    for (size_t p = 0; p < openers; p++) {
        struct envl_provider *provider = request->providers[p];

        for (size_t i = 0; i < doc->unlock_count; i++) {
            const struct envl_unlock_entry *entry = &doc->unlocks[i];
            struct envl_error now = { .status = ENVL_OK };

            if (!wanted(request, entry, provider))
                continue;
            if (provider->ops->unlock(provider, entry, doc->id, ring_key,
                                      &now) == ENVL_OK) {
                *type = entry->type;
                return ENVL_OK;
            }
            if (first.status == ENVL_OK ||
                (first.status == ENVL_E_AUTH && now.status != ENVL_E_AUTH))
                first = now;
        }
    }
    if (first.status == ENVL_OK)
        return nothing_fits(request, doc, err);
    if (first.status == ENVL_E_AUTH && first.hint[0] == '\0')
        envl_hint(&first, "check the key file or passphrase, or open it by "
                  "another entry");
    if (err != NULL)
        *err = first;
    return first.status;
}

/* Find the ring key and believe the file, or not. */
static enum envl_status
authenticate(const struct load_request *request, struct load_file *file,
             struct ring_keys *keys, const char **type,
             struct envl_error *err)
{
    struct envl_secret *ring_key = NULL;
    enum envl_status status;

    if (request->known != NULL && load_mac_holds(request->known, file)) {
        *keys = *request->known;
        *type = "";
        return ENVL_OK;
    }
    status = unlock(request, &file->doc, &ring_key, type, err);
    if (status != ENVL_OK)
        return status;
    memcpy(keys->ring, envl_secret_bytes(ring_key).ptr, sizeof(keys->ring));
    envl_secret_free(ring_key);
    view_derive(keys);
    if (load_mac_holds(keys, file))
        return ENVL_OK;
    envl_fail(err, ENVL_E_INTEGRITY,
              "the keyring is not what its writer wrote: wrong mac");
    envl_hint(err, "restore it from its backup");
    return ENVL_E_INTEGRITY;
}

static enum envl_status
refuse_place(const struct ring_doc *doc, const char *what,
             struct envl_error *err)
{
    envl_fail(err, ENVL_E_INTEGRITY, "the keyring %s %s", doc->id, what);
    envl_hint(err, "if that is meant: --accept-ring=%s", doc->id);
    return ENVL_E_INTEGRITY;
}

/* spec: KEY-26, KEY-51, KEY-52 */
static enum envl_status
check_place(const struct load_request *request, const struct ring_view *view,
            struct envl_error *err)
{
    const struct envl_ring_mark *seen = request->seen, *now = &view->mark;
    const struct provider_type *type = types_find(
        envl_bytes_of(view->opened_by));
    bool remembered = seen != NULL && seen->generation > 0;
    bool same_pin =
        remembered && sodium_memcmp(seen->pin, now->pin, RING_PIN_LEN) == 0;

    if (request->pin != NULL &&
        sodium_memcmp(request->pin, now->pin, RING_PIN_LEN) != 0) {
        envl_fail(err, ENVL_E_INTEGRITY,
                  "the keyring %s has another pin than is configured",
                  view->doc.id);
        envl_hint(err, "if its ring key was changed by `key destroy` or "
                  "`unlock remove`, configure the pin that was printed then");
        return ENVL_E_INTEGRITY;
    }
    if (remembered && strcmp(seen->id, now->id) != 0)
        return refuse_place(&view->doc, "is another than was here before",
                            err);
    if (remembered && now->generation < seen->generation)
        return refuse_place(&view->doc, "is older than one seen before",
                            err);
    if (remembered && now->generation == seen->generation &&
        sodium_memcmp(seen->mac, now->mac, RING_MAC_LEN) != 0)
        return refuse_place(&view->doc,
                            "differs from one seen with its generation", err);
    if (remembered && !same_pin && !request->new_pin)
        return refuse_place(&view->doc, "has another pin than before", err);
    same_pin |= request->known_pin != NULL &&
                sodium_memcmp(request->known_pin, now->pin,
                              RING_PIN_LEN) == 0;
    if (type != NULL && type->by_anyone && !same_pin && request->pin == NULL) {
        envl_fail(err, ENVL_E_POLICY,
                  "a keyring opened by an entry of type %s needs its pin",
                  type->name);
        envl_hint(err, "anyone could have made that entry: set the pin that "
                  "was printed when the keyring was made");
        return ENVL_E_POLICY;
    }
    return ENVL_OK;
}

void
load_check(const struct hmac512_key *key, const char *kid,
           uint8_t out[RING_CHECK_LEN])
{
    static const uint8_t zero = 0;
    struct envl_bytes parts[] = { envl_bytes_of("libenvelope/v1/check"),
                                  { &zero, 1 }, envl_bytes_of(kid) };
    uint8_t mac[HMAC512_LEN];

    hmac512(key, parts, 3, mac);
    memcpy(out, mac, RING_CHECK_LEN);
}

/* spec: KEY-33, KEY-34 */
static enum envl_status
unwrap_keys(struct ring_view *view, struct envl_error *err)
{
    for (size_t i = 0; i < view->doc.key_count; i++) {
        const struct ring_key *entry = &view->doc.keys[i];
        uint8_t check[RING_CHECK_LEN];
        enum envl_status status;

        if (!entry->has_material)
            continue;
        status = keywrap_unwrap(view->guard->ring.wrap, entry->wrapped,
                                view_material(view, i), err);
        if (status == ENVL_E_AUTH)
            return envl_fail(err, ENVL_E_INTEGRITY,
                             "key '%s' of the keyring does not unwrap",
                             entry->key.info.kid);
        if (status != ENVL_OK)
            return status;
        load_check(view_prepare(view, i), entry->key.info.kid, check);
        if (sodium_memcmp(check, entry->check, sizeof(check)) != 0)
            return envl_fail(err, ENVL_E_INTEGRITY,
                             "key '%s' of the keyring is not the key it was",
                             entry->key.info.kid);
    }
    return ENVL_OK;
}

void
load_bind(struct key *key, const char *ring_id,
          struct envl_provider *provider)
{
    if (key->info.provider[0] == '\0' || provider->ops->wrap == NULL ||
        provider->ops->unwrap == NULL ||
        strcmp(provider->name, key->info.provider) != 0)
        return;
    if (provider->ring_id[0] == '\0')
        memcpy(provider->ring_id, ring_id, sizeof(provider->ring_id));
    if (strcmp(provider->ring_id, ring_id) == 0)
        key->provider = provider;
}

enum envl_status
load_open(const struct load_request *request, struct load_file *file,
          struct ring_view **out, struct envl_error *err)
{
    struct ring_keys *keys = sodium_malloc(sizeof(*keys));
    struct ring_view *view = NULL;
    const char *type = "";
    enum envl_status status;

    if (keys == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    /* spec: KEY-24 */
    status = authenticate(request, file, keys, &type, err);
    if (status != ENVL_OK)
        goto out;
    if ((status = view_new(&file->doc, keys, &view, err)) != ENVL_OK)
        goto out;
    view->file = file->id;
    memcpy(view->opened_by, type, strlen(type) + 1);
    if ((status = check_place(request, view, err)) != ENVL_OK ||
        (status = unwrap_keys(view, err)) != ENVL_OK ||
        (status = view_complete(view, err)) != ENVL_OK)
        goto out;
    for (size_t i = 0; i < view->doc.key_count; i++)
        for (size_t p = 0; p < request->provider_count; p++)
            load_bind(&view->doc.keys[i].key, view->doc.id,
                      request->providers[p]);
    *out = view;
    view = NULL;

out:
    view_free(view);
    sodium_free(keys);
    return status;
}

enum envl_status
load_ring(const struct load_request *request, struct ring_view **out,
          struct envl_error *err)
{
    struct load_file file;
    enum envl_status status;

    if ((status = load_read(request->path, &file, err)) != ENVL_OK)
        return status;
    status = load_open(request, &file, out, err);
    load_file_free(&file);
    return status;
}
