#include <string.h>

#include <sodium.h>

#include "report.h"
#include "secrets.h"
#include "ring_session.h"
#include "trail.h"

/* A new ring key takes over in a moment: if this process dies right after it,
   the next one must know the ring again.  spec: KEY-53 */
static void
note_next(void *cookie, const struct envl_ring_mark *next)
{
    struct ring_session *session = cookie;
    struct envl_error err;

    session->state.next = *next;
    if (session->state.mark.generation > 0 &&
        ring_state_save(session->state_folder, NULL, &session->state,
                        RING_STATE_LATER, &err) != ENVL_OK)
        report_warning("the keyring's next pin is not remembered: %s",
                       err.message);
}

/*
 * Another file of a ring, such as its backup, may be older than what is
 * remembered; that its pin is the same one is enough where a pin is asked for
 * (spec: KEY-26).
 */
static bool
remembered_pin(const struct cli *cli, const char *path,
               struct ring_state *state)
{
    struct envl_ring_mark file;

    return envl_keyring_peek(path, &file, NULL) == ENVL_OK &&
           ring_state_load(cli->settings.state_folder,
                           settings_get(&cli->settings, SETTING_KEYRING),
                           file.id, state, NULL) == ENVL_OK &&
           state->mark.generation > 0;
}

/* ${seen}: NULL, or refuse what is older or other (spec: KEY-51). */
static enum envl_status
open_ring(struct cli *cli, const char *path,
          const struct envl_ring_mark *seen, struct ring_session *session,
          struct envl_error *err)
{
    struct envl_keyring_options options = { .size = sizeof(options) };
    struct ring_state remembered;
    enum envl_status status;
    uint8_t pin[16];
    bool has_pin;

    status = settings_pin(&cli->settings, pin, &has_pin, err);
    if (status != ENVL_OK)
        return status;
    options.path = path;
    options.providers = session->providers;
    options.provider_count = session->provider_count;
    options.openers = session->openers;
    options.entry = settings_get(&cli->settings, SETTING_UNLOCK);
    options.seen = seen;
    options.pin = has_pin ? pin : NULL;
    if (seen == NULL && remembered_pin(cli, path, &remembered))
        options.known_pin = remembered.mark.pin;
    options.fixed = !session->watch;
    options.next = note_next;
    options.next_cookie = session;
    session->state_folder = cli->settings.state_folder;
    return envl_keyring_open(&options, &session->ring, err);
}

enum envl_status
ring_session_open_ring(struct cli *cli, const char *path,
                       struct ring_session *session, struct envl_error *err)
{
    return open_ring(cli, path, NULL, session, err);
}

enum envl_status
ring_session_open_new(struct cli *cli, const char *path,
                      const struct envl_ring_mark *mark,
                      struct ring_session *session, struct envl_error *err)
{
    return open_ring(cli, path, mark, session, err);
}

enum envl_status
ring_session_open_file(struct cli *cli, const char *path,
                       struct ring_session *out, struct envl_error *err)
{
    struct secret_list list = { out->providers, RING_SESSION_PROVIDERS, 0,
                                0 };
    enum envl_status status = secrets_collect(cli, &list, err);

    out->provider_count = list.count;
    out->openers = list.openers;
    return status == ENVL_OK ? ring_session_open_ring(cli, path, out, err)
                             : status;
}

/* The user says that an older or other ring is right: that is recorded. */
static enum envl_status
accept(struct cli *cli, struct ring_session *session,
       const struct envl_ring_mark *now, struct envl_error *err)
{
    struct trail trail = TRAIL_INIT;
    enum envl_status status;

    status = trail_begin_as(cli, session->ring, "accept-ring", now->id,
                            &trail, err);
    if (status != ENVL_OK)
        return status;
    session->state.mark = *now;
    session->state.next.generation = 0;
    status = ring_state_save(cli->settings.state_folder,
                             settings_get(&cli->settings, SETTING_KEYRING),
                             &session->state, RING_STATE_FORCE, err);
    return trail_end(&trail, status, NULL, err);
}

static void
remember(struct cli *cli, struct ring_session *session,
         const struct envl_ring_mark *now)
{
    struct envl_error err;

    session->state.mark = *now;
    session->state.next.generation = 0;
    if (ring_state_save(cli->settings.state_folder,
                        settings_get(&cli->settings, SETTING_KEYRING),
                        &session->state, RING_STATE_LATER, &err) == ENVL_OK)
        session->state.placed = true;
    else
        report_warning("the keyring's generation is not remembered: %s",
                       err.message);
}

/* Whether the user accepts this ring, whatever was seen. */
static enum envl_status
is_accepted(struct cli *cli, const char *id, bool *out,
            struct envl_error *err)
{
    const char *named = cli->options.value[OPT_ACCEPT_RING];

    *out = named != NULL;
    if (named == NULL || strcmp(named, id) == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_USAGE, "--accept-ring names another keyring "
                     "than %s", id);
}

/* What the ring is held to: the last one seen, or what a change that was cut
   off was about to write, if it is exactly that. */
static const struct envl_ring_mark *
remembered(const struct ring_state *state, const struct envl_ring_mark *now)
{
    if (state->next.generation > 0 &&
        state->next.generation == now->generation &&
        sodium_memcmp(state->next.mac, now->mac, sizeof(now->mac)) == 0)
        return &state->next;
    return state->mark.generation > 0 ? &state->mark : NULL;
}

static enum envl_status
open_compared(struct cli *cli, const char *path, struct ring_session *out,
              struct envl_error *err)
{
    struct envl_ring_mark now;
    enum envl_status status;
    bool accepted;

    if ((status = envl_keyring_peek(path, &now, err)) != ENVL_OK ||
        (status = is_accepted(cli, now.id, &accepted, err)) != ENVL_OK ||
        (status = ring_state_load(cli->settings.state_folder, path, now.id,
                                  &out->state, err)) != ENVL_OK)
        return status;
    if (accepted) {
        if ((status = open_ring(cli, path, NULL, out, err)) != ENVL_OK)
            return status;
        envl_keyring_mark(out->ring, &now);
        return accept(cli, out, &now, err);
    }
    if (out->state.other[0] != '\0') {
        status = envl_fail(err, ENVL_E_INTEGRITY, "%s was keyring %s, and is "
                           "now %s", path, out->state.other, now.id);
    } else {
        status = open_ring(cli, path, remembered(&out->state, &now), out,
                           err);
    }
    if (status == ENVL_E_INTEGRITY && err != NULL && err->hint[0] == '\0')
        envl_hint(err, "somebody may have put another or an old keyring "
                       "there: find out who and why; if it is right, say "
                       "--accept-ring=%s", now.id);
    if (status != ENVL_OK)
        return status;
    envl_keyring_mark(out->ring, &now);
    if (now.generation != out->state.mark.generation || !out->state.placed)
        remember(cli, out, &now);
    return ENVL_OK;
}

enum envl_status
ring_session_open(struct cli *cli, struct ring_session *out,
                  struct envl_error *err)
{
    const char *path = settings_get(&cli->settings, SETTING_KEYRING);
    struct secret_list list = { out->providers, RING_SESSION_PROVIDERS, 0,
                                0 };
    enum envl_status status = secrets_collect(cli, &list, err);

    out->provider_count = list.count;
    out->openers = list.openers;
    if (status == ENVL_OK)
        status = open_compared(cli, path, out, err);
    if (status != ENVL_OK)
        ring_session_free(out);
    return status;
}

void
ring_session_remember(struct cli *cli, struct ring_session *session)
{
    struct envl_ring_mark now;

    envl_keyring_mark(session->ring, &now);
    remember(cli, session, &now);
}

void
ring_session_free(struct ring_session *session)
{
    envl_keyring_free(session->ring);
    for (size_t i = 0; i < session->provider_count; i++)
        envl_provider_free(session->providers[i]);
    *session = (struct ring_session)RING_SESSION_INIT;
}
