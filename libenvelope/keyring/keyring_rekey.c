#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/keyring.h>

#include "core/clock.h"
#include "core/random.h"
#include "keyring/change.h"
#include "provider/provider.h"
#include "provider/recovery.h"
#include "provider/types.h"

/* ---- what can be kept --------------------------------------------------- */

/*
 * An answer that says nothing of the secret: it may be at hand after all.  A
 * provider that the configuration names is at hand, unless it says no.
 */
static bool
is_no_answer(const struct envl_provider *provider, enum envl_status status)
{
    return status == ENVL_E_NOMEM || status == ENVL_E_INTERNAL ||
           status == ENVL_E_IO || status == ENVL_E_PROVIDER ||
           status == ENVL_E_INTERRUPTED ||
           (provider->name[0] != '\0' && status != ENVL_OK &&
            status != ENVL_E_AUTH);
}

/*
 * For each unlock entry the provider at hand that opens it to the present
 * ring key, or NULL.  Finding out costs an Argon2 for each passphrase.  A
 * provider that cannot be asked just now is a failure, lest its entry be
 * dropped for a lost connection; that of the entry ${without}, which goes
 * anyway, is not asked.
 */
static enum envl_status
find_keepers(const struct envl_keyring *ring, const struct ring_doc *doc,
             const struct ring_keys *keys, const char *without,
             struct envl_provider ***out, struct envl_error *err)
{
    struct envl_provider **keepers =
        calloc(doc->unlock_count + 1, sizeof(*keepers));

    if (keepers == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a keyring");
    for (size_t i = 0; i < doc->unlock_count; i++)
        for (size_t p = 0; keepers[i] == NULL && p < ring->provider_count;
             p++) {
            struct envl_provider *provider = ring->providers[p];
            enum envl_status status;

            if (!provider_fits(provider, &doc->unlocks[i]) ||
                (without != NULL &&
                 strcmp(doc->unlocks[i].name, without) == 0))
                continue;
            status = change_opens(&doc->unlocks[i], provider, doc->id, keys,
                                  err);
            if (status == ENVL_OK)
                keepers[i] = provider;
            if (is_no_answer(provider, status)) {
                free(keepers);
                return status;
            }
        }
    *out = keepers;
    return ENVL_OK;
}

/* A recovery entry holds the public half: that is enough to make it again. */
static bool
can_keep(const struct envl_unlock_entry *entry,
         const struct envl_provider *keeper)
{
    return keeper != NULL ||
           types_find(envl_bytes_of(entry->type))->has_public;
}

static void
plan(const struct ring_doc *doc, struct envl_provider *const *keepers,
     const char *without, struct envl_rekey_plan *out)
{
    size_t len = 0;

    *out = (struct envl_rekey_plan){ .kept = 0 };
    for (size_t i = 0; i < doc->unlock_count; i++) {
        const char *name = doc->unlocks[i].name;

        if (without != NULL && strcmp(name, without) == 0)
            continue;
        if (can_keep(&doc->unlocks[i], keepers[i])) {
            out->kept++;
            continue;
        }
        out->dropped++;
        if (len + strlen(name) + 8 < sizeof(out->names))
            len += (size_t)snprintf(out->names + len,
                                    sizeof(out->names) - len, "%s%s",
                                    len == 0 ? "" : ", ", name);
        else if (len + 5 < sizeof(out->names) && out->names[len - 1] != '.')
            len += (size_t)snprintf(out->names + len,
                                    sizeof(out->names) - len, ", ...");
    }
}

enum envl_status
envl_keyring_rekey_plan(struct envl_keyring *ring, const char *without,
                        struct envl_rekey_plan *out, struct envl_error *err)
{
    struct envl_provider **keepers = NULL;
    const struct ring_view *view;
    enum envl_status status;

    pthread_mutex_lock(&ring->lock);
    view = ring_current(ring);
    status = find_keepers(ring, &view->doc, &view->guard->ring, without,
                          &keepers, err);
    if (status == ENVL_OK)
        plan(&view->doc, keepers, without, out);
    pthread_mutex_unlock(&ring->lock);
    free(keepers);
    return status;
}

/* ---- a new ring key ----------------------------------------------------- */

static enum envl_status
new_ring_key(struct change *change, struct envl_error *err)
{
    enum envl_status status;

    change->new_keys = sodium_malloc(sizeof(*change->new_keys));
    if (change->new_keys == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    /* spec: KEY-15 */
    status = random_fill((struct envl_span){ change->new_keys->ring,
                                             ENVL_RING_KEY_LEN }, err);
    if (status != ENVL_OK)
        return status;
    view_derive(change->new_keys);
    return ENVL_OK;
}

/* Every key's material under the new wrapping key, one at a time. */
static enum envl_status
wrap_again(struct change *change, struct envl_error *err)
{
    struct envl_secret *scratch = NULL;
    enum envl_status status;
    uint8_t *bytes;

    if ((status = envl_secret_new(KEYWRAP_KEY_LEN, &scratch, err)) != ENVL_OK)
        return status;
    bytes = envl_secret_span(scratch).ptr;
    for (size_t i = 0; status == ENVL_OK && i < change->doc.key_count; i++) {
        struct ring_key *entry = &change->doc.keys[i];

        if (!entry->has_material)
            continue;
        status = keywrap_unwrap(change->keys->wrap, entry->wrapped, bytes,
                                err);
        if (status == ENVL_OK)
            status = keywrap_wrap(change->new_keys->wrap, bytes,
                                  entry->wrapped, err);
    }
    envl_secret_free(scratch);
    return status;
}

/*
 * Every entry that can be kept, made again for the new ring key, the others
 * left out.  change_enroll lets each that has a provider open once more, so
 * that at least one is proven before anything is replaced.  spec: KEY-45
 */
static enum envl_status
enroll_again(struct change *change, struct envl_provider *const *keepers,
             const char *without, struct envl_error *err)
{
    struct ring_doc *doc = &change->doc;
    enum envl_status status = ENVL_OK;
    size_t proven = 0;

    for (size_t i = change->view->doc.unlock_count; i-- > 0;) {
        struct envl_unlock_entry *entry = &doc->unlocks[i];

        if ((without != NULL && strcmp(entry->name, without) == 0) ||
            !can_keep(entry, keepers[i])) {
            ring_doc_drop_unlock(doc, i);
            continue;
        }
        if (keepers[i] == NULL) {
            struct envl_secret *key = NULL;

            status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err);
            if (status != ENVL_OK)
                return status;
            memcpy(envl_secret_span(key).ptr, change->new_keys->ring,
                   ENVL_RING_KEY_LEN);
            status = recovery_wrap(key, entry, err);
            envl_secret_free(key);
        } else {
            status = change_enroll(entry, keepers[i], doc->id,
                                   change->new_keys, err);
            proven++;
        }
        if (status != ENVL_OK)
            return status;
    }
    if (proven > 0)
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY,
              "no unlock entry would be left that is proven to open");
    envl_hint(err, "add one first: envelope unlock add");
    return ENVL_E_POLICY;
}

static enum envl_status
check_drops(const struct envl_rekey_plan *would, bool accept,
            struct envl_error *err)
{
    if (would->dropped == 0 || accept)
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY,
              "%zu unlock entries would be lost, since their secret is not at "
              "hand: %.120s", would->dropped, would->names);
    envl_hint(err, "give their key files or passphrases too, or accept the "
              "loss with --yes");
    return ENVL_E_POLICY;
}

static enum envl_status
rekey(struct change *change, const char *without, bool accept,
      struct envl_error *err)
{
    struct envl_provider **keepers = NULL;
    struct envl_rekey_plan would;
    enum envl_status status;

    status = find_keepers(change->ring, &change->doc, change->keys, without,
                          &keepers, err);
    if (status != ENVL_OK)
        return status;
    plan(&change->doc, keepers, without, &would);
    if ((status = check_drops(&would, accept, err)) != ENVL_OK ||
        (status = new_ring_key(change, err)) != ENVL_OK ||
        (status = wrap_again(change, err)) != ENVL_OK ||
        (status = enroll_again(change, keepers, without, err)) != ENVL_OK)
        goto out;
    change->keys = change->new_keys;
    status = change_commit(change, err);

out:
    free(keepers);
    return status;
}

/* spec: KEY-44 */
static enum envl_status
check_retained(const struct envl_key_info *info, struct envl_error *err)
{
    int64_t until;

    if (!clock_parse(envl_bytes_of(info->retain_until), &until) ||
        until <= clock_now())
        return ENVL_OK;
    envl_fail(err, ENVL_E_POLICY, "key '%s' is to be retained until %s",
              info->kid, info->retain_until);
    envl_hint(err, "disabled it opens nothing; it can be destroyed after "
              "that date");
    return ENVL_E_POLICY;
}

enum envl_status
envl_keyring_destroy(struct envl_keyring *ring, const char *kid,
                     bool accept_drops, struct envl_error *err)
{
    struct ring_key *entry = NULL;
    struct change change;
    enum envl_status status;

    if ((status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    for (size_t i = 0; entry == NULL && i < change.doc.key_count; i++)
        if (strcmp(change.doc.keys[i].key.info.kid, kid) == 0)
            entry = &change.doc.keys[i];
    if (entry == NULL) {
        status = envl_fail(err, ENVL_E_NOKEY, "no key '%.63s' in the keyring",
                           kid);
        envl_hint(err, "see: envelope key list");
    } else if (entry->key.info.state != ENVL_KEY_DISABLED) {
        /* spec: KEY-41 */
        status = envl_fail(err, ENVL_E_POLICY,
                           "key '%s' is %s and cannot be destroyed", kid,
                           envl_key_state_name(entry->key.info.state));
        if (entry->key.info.state == ENVL_KEY_ACTIVE)
            envl_hint(err, "rotate to another key, verify, and disable it "
                      "first");
        else if (entry->key.info.state != ENVL_KEY_DESTROYED)
            envl_hint(err, "verify that nothing is sealed under it, and "
                      "disable it first: envelope key disable %s", kid);
    } else if ((status = check_retained(&entry->key.info, err)) == ENVL_OK) {
        /* spec: KEY-31 */
        entry->key.info.state = ENVL_KEY_DESTROYED;
        entry->has_material = false;
        sodium_memzero(entry->wrapped, sizeof(entry->wrapped));
        sodium_memzero(entry->check, sizeof(entry->check));
        status = rekey(&change, NULL, accept_drops, err);
    }
    change_end(&change);
    return status;
}

enum envl_status
envl_keyring_unlock_remove(struct envl_keyring *ring, const char *name,
                           bool accept_drops, struct envl_error *err)
{
    struct change change;
    enum envl_status status;

    if ((status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    if (ring_doc_unlock(&change.doc, name) == change.doc.unlock_count) {
        status = envl_fail(err, ENVL_E_NOTFOUND,
                           "the keyring has no unlock entry '%.63s'", name);
        envl_hint(err, "see: envelope unlock list");
    } else if (change.doc.unlock_count == 1) {
        status = envl_fail(err, ENVL_E_POLICY,
                           "'%s' is the only unlock entry", name);
        envl_hint(err, "without it nobody could open the keyring: add "
                  "another first");
    } else {
        status = rekey(&change, name, accept_drops, err);
    }
    change_end(&change);
    return status;
}
