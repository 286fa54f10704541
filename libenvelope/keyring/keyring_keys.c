#include <sodium.h>
#include <string.h>

#include <envelope/keyring.h>

#include "core/clock.h"
#include "keyring/change.h"
#include "provider/types.h"

/* ---- add ---------------------------------------------------------------- */

/*
 * Material is compared with that of every key, disabled ones too, which the
 * view does not hold: all are unwrapped again, one at a time.  spec: KEY-39
 */
static enum envl_status
check_new(const struct change *change, const struct envl_secret *material,
          struct envl_error *err)
{
    struct envl_secret *scratch = NULL;
    enum envl_status status;

    status = envl_secret_new(KEYWRAP_KEY_LEN, &scratch, err);
    for (size_t i = 0; status == ENVL_OK && i < change->doc.key_count; i++) {
        const struct ring_key *entry = &change->doc.keys[i];

        if (!entry->has_material)
            continue;
        status = keywrap_unwrap(change->keys->wrap, entry->wrapped,
                                envl_secret_span(scratch).ptr, err);
        if (status == ENVL_OK && envl_secret_equal(scratch, material)) {
            status = envl_fail(err, ENVL_E_POLICY,
                               "this key material is in the keyring already, "
                               "as '%s'", entry->key.info.kid);
            envl_hint(err, "one key has one kid and one use for ever");
        }
    }
    envl_secret_free(scratch);
    return status;
}

static enum envl_status
check_kid(const struct change *change, const struct envl_key_spec *spec,
          struct envl_error *err)
{
    const struct ring_key *old =
        ring_doc_find(&change->view->doc, envl_bytes_of(spec->kid));

    /* spec: KEY-38 */
    if (old != NULL) {
        envl_fail(err, ENVL_E_POLICY, "the keyring has had a key '%s' before",
                  spec->kid);
        envl_hint(err, "it is %s; a kid is never used again: choose another",
                  envl_key_state_name(old->key.info.state));
        return ENVL_E_POLICY;
    }
    /* spec: KEY-27 */
    if (spec->provider != NULL) {
        size_t at = ring_doc_unlock(&change->doc, spec->provider);

        if (at < change->doc.unlock_count &&
            types_find(envl_bytes_of(change->doc.unlocks[at].type))
                ->holds_key)
            return envl_fail(err, ENVL_E_POLICY,
                             "provider key '%s' opens this keyring, and "
                             "cannot wrap values too", spec->provider);
    }
    return ENVL_OK;
}

/* The former active key of a use and scope steps back.  spec: KEY-36 */
static void
step_back(struct change *change, enum envl_key_use use, const char *scope)
{
    for (size_t i = 0; i < change->doc.key_count; i++) {
        struct envl_key_info *info = &change->doc.keys[i].key.info;

        if (info->state == ENVL_KEY_ACTIVE && info->use == use &&
            strcmp(info->scope, scope) == 0)
            info->state = ENVL_KEY_DECRYPT_ONLY;
    }
}

enum envl_status
envl_keyring_add(struct envl_keyring *ring, const struct envl_key_spec *spec,
                 struct envl_error *err)
{
    struct envl_secret *material = NULL;
    struct change change;
    enum envl_status status;

    if ((status = change_check_spec(spec, err)) != ENVL_OK ||
        (status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    if ((status = check_kid(&change, spec, err)) != ENVL_OK ||
        (status = change_material(spec, &material, err)) != ENVL_OK)
        goto out;
    if (material != NULL &&
        (status = check_new(&change, material, err)) != ENVL_OK)
        goto out;
    if (spec->activate)
        step_back(&change, spec->use,
                  spec->scope == NULL ? "default" : spec->scope);
    if ((status = change_put_key(&change.doc, spec, material, change.keys,
                                 err)) == ENVL_OK)
        status = change_commit(&change, err);

out:
    envl_secret_free(material);
    change_end(&change);
    return status;
}

/* ---- states ------------------------------------------------------------- */

/* spec: KEY-41 */
static bool
may_move(enum envl_key_state from, enum envl_key_state to)
{
    switch (to) {
    case ENVL_KEY_ACTIVE:
        return from == ENVL_KEY_PRE_ACTIVE || from == ENVL_KEY_DECRYPT_ONLY;
    case ENVL_KEY_DECRYPT_ONLY:
        return from == ENVL_KEY_ACTIVE || from == ENVL_KEY_DISABLED;
    case ENVL_KEY_DISABLED:
        return from == ENVL_KEY_PRE_ACTIVE || from == ENVL_KEY_DECRYPT_ONLY;
    default:
        return false;
    }
}

static enum envl_status
refuse_move(const struct envl_key_info *info, enum envl_key_state to,
            struct envl_error *err)
{
    envl_fail(err, ENVL_E_POLICY, "key '%s' is %s and cannot become %s",
              info->kid, envl_key_state_name(info->state),
              envl_key_state_name(to));
    if (info->state == ENVL_KEY_DESTROYED)
        envl_hint(err, "a destroyed key is gone: add another");
    else if (info->state == to)
        envl_hint(err, "it is so already: nothing is to do");
    else if (info->state == ENVL_KEY_ACTIVE)
        envl_hint(err, "retire it first, or activate another");
    else if (info->state == ENVL_KEY_DISABLED)
        envl_hint(err, "enable it first");
    return ENVL_E_POLICY;
}

/* The key ${kid} of a change, or NULL with ${err} filled. */
static struct envl_key_info *
find_info(struct change *change, const char *kid, struct envl_error *err)
{
    for (size_t i = 0; i < change->doc.key_count; i++)
        if (strcmp(change->doc.keys[i].key.info.kid, kid) == 0)
            return &change->doc.keys[i].key.info;
    envl_fail(err, ENVL_E_NOKEY, "no key '%.63s' in the keyring", kid);
    envl_hint(err, "see: envelope key list");
    return NULL;
}

enum envl_status
envl_keyring_set_state(struct envl_keyring *ring, const char *kid,
                       enum envl_key_state state, struct envl_error *err)
{
    struct envl_key_info *info;
    struct change change;
    enum envl_status status;

    if (state == ENVL_KEY_DESTROYED || (unsigned)state > ENVL_KEY_DESTROYED)
        return envl_fail(err, ENVL_E_USAGE,
                         "a key is destroyed by another call");
    if ((status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    if ((info = find_info(&change, kid, err)) == NULL) {
        status = ENVL_E_NOKEY;
    } else if (!may_move(info->state, state)) {
        status = refuse_move(info, state, err);
    } else {
        if (state == ENVL_KEY_ACTIVE) {
            step_back(&change, info->use, info->scope);
            /* Its age counts from the first time that it sealed. */
            if (info->activated[0] == '\0')
                clock_print(clock_now(), info->activated);
        }
        info->state = state;
        status = change_commit(&change, err);
    }
    change_end(&change);
    return status;
}

/* ---- retention ---------------------------------------------------------- */

enum envl_status
envl_keyring_retain(struct envl_keyring *ring, const char *kid,
                    const char *date, struct envl_error *err)
{
    struct envl_key_info *info;
    struct change change;
    enum envl_status status;

    if (date == NULL || date[0] == '\0')
        return envl_fail(err, ENVL_E_USAGE, "no date is given");
    if ((status = change_check_date(date, err)) != ENVL_OK ||
        (status = change_begin(ring, &change, err)) != ENVL_OK)
        return status;
    if ((info = find_info(&change, kid, err)) == NULL) {
        status = ENVL_E_NOKEY;
    } else if (info->state == ENVL_KEY_DESTROYED) {
        status = envl_fail(err, ENVL_E_POLICY, "key '%s' is destroyed", kid);
    } else if (strcmp(date, info->retain_until) < 0) {
        /* spec: KEY-44: dates of this form sort as text */
        status = envl_fail(err, ENVL_E_POLICY, "key '%s' is to be retained "
                           "until %s: that only moves later", kid,
                           info->retain_until);
    } else {
        memcpy(info->retain_until, date, strlen(date) + 1);
        status = change_commit(&change, err);
    }
    change_end(&change);
    return status;
}
