#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/keyring.h>

#include "core/random.h"
#include "keyring/change.h"

static const struct file_rules ring_rules = { FILE_TRUSTED, "keyring", NULL,
                                              0 };

/* A random UUID (RFC 9562, version 4). */
static enum envl_status
make_id(char out[ENVL_UUID_SIZE], struct envl_error *err)
{
    uint8_t b[16];
    enum envl_status status =
        random_fill((struct envl_span){ b, sizeof(b) }, err);

    if (status != ENVL_OK)
        return status;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, ENVL_UUID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
             b[10], b[11], b[12], b[13], b[14], b[15]);
    return ENVL_OK;
}

/* The whole document of a new ring. */
static enum envl_status
make_doc(struct ring_doc *doc, const char *name,
         struct envl_provider *provider, const struct ring_keys *keys,
         struct envl_error *err)
{
    struct envl_unlock_entry *entry;
    enum envl_status status;

    doc->generation = 1;
    doc->keys = calloc(1, sizeof(*doc->keys));
    doc->unlocks = calloc(1, sizeof(*doc->unlocks));
    if (doc->keys == NULL || doc->unlocks == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
    if ((status = make_id(doc->id, err)) != ENVL_OK)
        return status;
    entry = &doc->unlocks[doc->unlock_count++];
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    snprintf(entry->type, sizeof(entry->type), "%s", provider->ops->type);
    return change_enroll(entry, provider, doc->id, keys, err);
}

static enum envl_status
add_first(struct ring_doc *doc, const struct envl_key_spec *first,
          const struct ring_keys *keys, struct envl_error *err)
{
    struct envl_key_spec spec = *first;
    struct envl_secret *material = NULL;
    enum envl_status status;

    spec.activate = true;
    if ((status = change_material(&spec, &material, err)) != ENVL_OK)
        return status;
    status = change_put_key(doc, &spec, material, keys, err);
    envl_secret_free(material);
    return status;
}

static enum envl_status
write_new(const char *path, struct ring_doc *doc,
          const struct ring_keys *keys, struct envl_ring_mark *mark,
          struct envl_error *err)
{
    struct file_place place;
    struct atomic_file file;
    struct ring_view *view = NULL;
    enum envl_status status;

    if ((status = file_find(path, &ring_rules, &place, err)) != ENVL_OK)
        return status;
    status = atomic_file_begin(&file, &place, path, err);
    file_place_close(&place);
    if (status != ENVL_OK)
        return status;
    if ((status = change_write(&file, doc, keys, err)) != ENVL_OK ||
        (status = change_prove(file.fd, path, keys, &view, err)) != ENVL_OK) {
        atomic_file_abort(&file);
        return status;
    }
    if (mark != NULL)
        *mark = view->mark;
    view_free(view);
    return atomic_file_commit(&file, ATOMIC_FILE_CREATE, err);
}

/* Before Argon2 runs, or an HSM is asked. */
static enum envl_status
check_absent(const char *path, struct envl_error *err)
{
    struct file_place place;
    enum envl_status status;

    if ((status = file_find(path, &ring_rules, &place, err)) != ENVL_OK)
        return status;
    file_place_close(&place);
    if (!place.exists)
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY, "keyring '%s' is there already", path);
    envl_hint(err, "nothing is overwritten: choose another path, or move it "
              "away");
    return ENVL_E_POLICY;
}

enum envl_status
envl_keyring_create(const char *path, struct envl_provider *provider,
                    const char *name, const struct envl_key_spec *first,
                    struct envl_error *err)
{
    return envl_keyring_create_marked(path, provider, name, first, NULL, err);
}

enum envl_status
envl_keyring_create_marked(const char *path, struct envl_provider *provider,
                           const char *name,
                           const struct envl_key_spec *first,
                           struct envl_ring_mark *mark,
                           struct envl_error *err)
{
    struct ring_doc doc = { .id = "" };
    struct ring_keys *keys;
    enum envl_status status;

    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");
    if ((status = change_check_unlock(name, provider, err)) != ENVL_OK ||
        (first != NULL &&
         (status = change_check_spec(first, err)) != ENVL_OK) ||
        (status = check_absent(path, err)) != ENVL_OK)
        return status;
    if ((keys = sodium_malloc(sizeof(*keys))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    /* spec: KEY-15 */
    status = random_fill((struct envl_span){ keys->ring, sizeof(keys->ring) },
                         err);
    if (status != ENVL_OK)
        goto out;
    view_derive(keys);
    if ((status = make_doc(&doc, name, provider, keys, err)) != ENVL_OK)
        goto out;
    if (first != NULL &&
        (status = add_first(&doc, first, keys, err)) != ENVL_OK)
        goto out;
    status = write_new(path, &doc, keys, mark, err);

out:
    ring_doc_free(&doc);
    sodium_free(keys);
    return status;
}
