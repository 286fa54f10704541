/* Is there a keyring, does it open, who can open it, how old are its keys. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "doctor.h"
#include "secrets.h"

/* Whether the configuration says how ${entry} is opened. */
static bool
is_described(const struct doctor *doctor, const char *entry)
{
    const struct settings *settings = &doctor->cli->settings;

    for (size_t i = 0; i < settings->provider_count; i++)
        if (strcmp(settings->providers[i].name, entry) == 0)
            return true;
    return false;
}

/*
 * An entry, tried on its own.  Of key files and passphrases, one whose secret
 * is not at hand cannot be told from one that is broken; a provider that the
 * configuration describes should open it.
 */
static void
say_unlock(struct doctor *doctor, const struct envl_unlock_info *entry,
           enum envl_status status, const struct envl_error *err)
{
    if (status == ENVL_OK)
        doctor_say(doctor, DOCTOR_OK, NULL, "unlock entry %s (%s) opens it",
                   entry->name, entry->type);
    else if (is_described(doctor, entry->name))
        doctor_say(doctor, DOCTOR_FAIL, err->hint[0] != '\0' ? err->hint
                                                             : NULL,
                   "unlock entry %s (%s): %s (exit %d)", entry->name,
                   entry->type, err->message,
                   envl_status_exit_code(status));
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "unlock entry %s (%s): its "
                   "secret is not at hand", entry->name, entry->type);
}

static void
say_unlocks(struct doctor *doctor, struct ring_session *session)
{
    const char *path = settings_get(&doctor->cli->settings, SETTING_KEYRING);
    struct envl_provider *at_hand[RING_SESSION_PROVIDERS];
    struct envl_unlock_info *entries = NULL;
    struct envl_ring_mark mark;
    struct envl_error err;
    size_t count = 0, provider_count = 0;

    for (size_t i = 0; i < session->provider_count; i++)
        if (secrets_is_at_hand(session->providers[i]))
            at_hand[provider_count++] = session->providers[i];

    if (envl_keyring_unlocks(session->ring, &entries, &count, &err) !=
        ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
        return;
    }
    envl_keyring_mark(session->ring, &mark);
    for (size_t i = 0; i < count; i++) {
        struct envl_keyring_options options = {
            .size = sizeof(options), .path = path,
            .providers = at_hand, .provider_count = provider_count,
            .entry = entries[i].name, .seen = &mark, .fixed = true
        };
        struct envl_keyring *proof = NULL;

        say_unlock(doctor, &entries[i],
                   envl_keyring_open(&options, &proof, &err), &err);
        envl_keyring_free(proof);
    }
    if (count == 1)
        doctor_say(doctor, DOCTOR_WARN, "`envelope unlock add` adds a second "
                   "way in, such as a passphrase kept in a safe",
                   "only one unlock entry: if its secret is lost, all is");
    free(entries);
}

static void
say_key_age(struct doctor *doctor, const struct envl_key_info *key)
{
    int64_t since = 0, expires = 0, now = clock_now();

    if (key->state != ENVL_KEY_ACTIVE)
        return;
    if (!clock_parse(envl_bytes_of(key->activated), &since))
        since = now;
    if (since > now + 86400)
        doctor_say(doctor, DOCTOR_WARN, "is the clock of this machine right?",
                   "key %s was activated in the future: %s", key->kid,
                   key->activated);
    else if (clock_parse(envl_bytes_of(key->expires), &expires) &&
             expires <= now)
        doctor_say(doctor, DOCTOR_WARN, "`envelope rotate --kid NEW`",
                   "key %s expired at %s and still seals", key->kid,
                   key->expires);
    else if (now - since >
             (int64_t)doctor->cli->settings.key_age_days * 86400)
        doctor_say(doctor, DOCTOR_WARN, "`envelope rotate --kid NEW`",
                   "key %s has sealed for %lld days", key->kid,
                   (long long)((now - since) / 86400));
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "key %s (%s, %s) has been active "
                   "for %lld days", key->kid, envl_key_use_name(key->use),
                   key->scope, (long long)((now - since) / 86400));
}

static void
say_keys(struct doctor *doctor, struct ring_session *session)
{
    struct envl_key_info *keys = NULL;
    struct envl_error err;
    bool seals = false;
    size_t count = 0;

    if (envl_keyring_list(session->ring, &keys, &count, &err) != ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        say_key_age(doctor, &keys[i]);
        seals |= keys[i].state == ENVL_KEY_ACTIVE &&
                 keys[i].use == ENVL_USE_SEAL;
    }
    if (!seals)
        doctor_say(doctor, DOCTOR_WARN, "`envelope key add --kid KID "
                   "--activate`", "no active key: nothing can be sealed");
    free(keys);
}

static void
say_backup(struct doctor *doctor, const struct ring_session *session)
{
    struct envl_ring_mark mark;

    envl_keyring_mark(session->ring, &mark);
    if (session->state.backup_generation == 0)
        doctor_say(doctor, DOCTOR_WARN, "`envelope key backup --out FILE`",
                   "no backup of this keyring is recorded here");
    else if (session->state.backup_generation < mark.generation)
        doctor_say(doctor, DOCTOR_WARN, "`envelope key backup --out FILE`",
                   "the last backup, of %s, is of generation %llu; the "
                   "keyring is at %llu", session->state.backup_date,
                   (unsigned long long)session->state.backup_generation,
                   (unsigned long long)mark.generation);
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "backed up at %s",
                   session->state.backup_date);
}

/* A key file beside the ring goes where copies of the ring go. */
static void
say_neighbours(struct doctor *doctor)
{
    const char *ring = settings_get(&doctor->cli->settings, SETTING_KEYRING);
    const char *key = settings_get(&doctor->cli->settings, SETTING_KEY_FILE);
    const char *ring_end = strrchr(ring, '/'), *key_end = strrchr(key, '/');

    if (access(key, F_OK) == 0 && ring_end != NULL && key_end != NULL &&
        ring_end - ring == key_end - key &&
        strncmp(ring, key, (size_t)(ring_end - ring)) == 0)
        doctor_say(doctor, DOCTOR_WARN, "move it to another disk, or use a "
                   "passphrase: `envelope unlock add`",
                   "the key file lies beside the keyring");
}

void
doctor_keyring(struct doctor *doctor)
{
    struct ring_session session = RING_SESSION_INIT;
    const char *path = settings_get(&doctor->cli->settings, SETTING_KEYRING);
    struct envl_ring_mark mark;
    struct envl_error err;

    doctor_section(doctor, "keyring");
    if (ring_session_open(doctor->cli, &session, &err) != ENVL_OK) {
        doctor_say(doctor, DOCTOR_FAIL, err.hint, "%s (exit %d)", err.message,
                   envl_status_exit_code(err.status));
    } else {
        envl_keyring_mark(session.ring, &mark);
        doctor_say(doctor, DOCTOR_OK, NULL, "%s opens: id %s, generation "
                   "%llu", path, mark.id,
                   (unsigned long long)mark.generation);
        say_unlocks(doctor, &session);
        say_keys(doctor, &session);
        say_backup(doctor, &session);
        say_neighbours(doctor);
        doctor_readers(doctor, session.ring);
    }
    doctor_audit(doctor, session.ring);
    ring_session_free(&session);
}
