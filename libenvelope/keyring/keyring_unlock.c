#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/keyring.h>

#include "keyring/change.h"
#include "provider/types.h"

enum envl_status
envl_keyring_unlocks(struct envl_keyring *ring, struct envl_unlock_info **out,
                     size_t *count, struct envl_error *err)
{
    struct keyring_hold hold = keyring_enter(ring);
    const struct ring_doc *doc = &hold.view->doc;
    struct envl_unlock_info *list =
        calloc(doc->unlock_count + 1, sizeof(*list));

    if (list == NULL) {
        keyring_leave(ring, hold);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a list");
    }
    for (size_t i = 0; i < doc->unlock_count; i++) {
        memcpy(list[i].name, doc->unlocks[i].name, sizeof(list[i].name));
        memcpy(list[i].type, doc->unlocks[i].type, sizeof(list[i].type));
    }
    *count = doc->unlock_count;
    *out = list;
    keyring_leave(ring, hold);
    return ENVL_OK;
}

/* spec: KEY-27 */
static enum envl_status
check_not_a_kids(const struct change *change, const char *name,
                 const struct envl_provider *provider, struct envl_error *err)
{
    if (!types_find(envl_bytes_of(provider->ops->type))->holds_key)
        return ENVL_OK;
    for (size_t i = 0; i < change->doc.key_count; i++)
        if (strcmp(change->doc.keys[i].key.info.provider, name) == 0)
            return envl_fail(err, ENVL_E_POLICY,
                             "provider key '%s' wraps values under kid '%s', "
                             "and cannot open the keyring too", name,
                             change->doc.keys[i].key.info.kid);
    return ENVL_OK;
}

/* Make ${entry} anew for ${provider}, under ${name}. */
static enum envl_status
fill(struct change *change, struct envl_unlock_entry *entry,
     const char *name, struct envl_provider *provider,
     struct envl_error *err)
{
    struct envl_buf wrapped = entry->wrapped;

    *entry = (struct envl_unlock_entry){ .wrapped = wrapped };
    envl_buf_clear(&entry->wrapped);
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    snprintf(entry->type, sizeof(entry->type), "%s", provider->ops->type);
    return change_enroll(entry, provider, change->doc.id, change->keys, err);
}

static enum envl_status
put_unlock(struct envl_keyring *ring, const char *name,
           struct envl_provider *provider, bool replace,
           struct envl_error *err)
{
    struct change change;
    enum envl_status status;
    size_t at;

    if ((status = change_check_unlock(name, provider, err)) != ENVL_OK ||
        (status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    at = ring_doc_unlock(&change.doc, name);
    if (replace && at == change.doc.unlock_count) {
        status = envl_fail(err, ENVL_E_NOTFOUND,
                           "the keyring has no unlock entry '%s'", name);
        envl_hint(err, "see: envelope unlock list");
    } else if (!replace && at < change.doc.unlock_count) {
        /* spec: KEY-18 */
        status = envl_fail(err, ENVL_E_POLICY,
                           "the keyring has an unlock entry '%s' already",
                           name);
        envl_hint(err, "choose another name, or change it: envelope unlock "
                  "change %s", name);
    } else if ((status = check_not_a_kids(&change, name, provider, err)) ==
               ENVL_OK) {
        if (at == change.doc.unlock_count)
            change.doc.unlock_count++;
        status = fill(&change, &change.doc.unlocks[at], name, provider, err);
    }
    if (status == ENVL_OK)
        status = change_commit(&change, err);
    change_end(&change);
    return status;
}

enum envl_status
envl_keyring_unlock_add(struct envl_keyring *ring, const char *name,
                        struct envl_provider *provider,
                        struct envl_error *err)
{
    return put_unlock(ring, name, provider, false, err);
}

enum envl_status
envl_keyring_unlock_change(struct envl_keyring *ring, const char *name,
                           struct envl_provider *provider,
                           struct envl_error *err)
{
    return put_unlock(ring, name, provider, true, err);
}
