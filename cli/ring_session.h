/*
 * ring_session.h - an open keyring and those who opened it.
 */
#ifndef CLI_RING_SESSION_H
#define CLI_RING_SESSION_H

#include <envelope/keyring.h>
#include <envelope/provider.h>

#include "command.h"
#include "ring_state.h"

#define RING_SESSION_PROVIDERS (4u + SETTINGS_PROVIDERS)

struct ring_session {
    struct envl_keyring *ring;
    struct envl_provider *providers[RING_SESSION_PROVIDERS];
    size_t provider_count;
    size_t openers; /* the first so many may open it (secrets.h) */
    struct ring_state state; /* what was remembered before this run     */
    bool watch;         /* in: notice changes while this run lasts */
    const char *state_folder; /* of the settings, borrowed */
};

#define RING_SESSION_INIT { .ring = NULL }

/**
 * ring_session_open(cli, out, err):
 * Open the keyring of the settings with what is at hand (see secrets.h),
 * refuse one that is older than what this machine remembers (exit 18, unless
 * --accept-ring names it, which is audited), and remember it.  Fails as
 * envl_keyring_open does.  On a read-only file system only a warning says
 * that it could not be remembered.
 */
enum envl_status ring_session_open(struct cli *cli, struct ring_session *out,
                                   struct envl_error *err);

/**
 * ring_session_open_ring(cli, path, session, err):
 * Open the keyring in ${path} with the providers that ${session} has by now;
 * it is not compared with what is remembered, nor remembered.
 */
enum envl_status ring_session_open_ring(struct cli *cli, const char *path,
                                        struct ring_session *session,
                                        struct envl_error *err);

/**
 * ring_session_open_new(cli, path, mark, session, err):
 * The same for a ring that was made a moment ago, and was ${mark} then.
 */
enum envl_status ring_session_open_new(struct cli *cli, const char *path,
                                       const struct envl_ring_mark *mark,
                                       struct ring_session *session,
                                       struct envl_error *err);

/**
 * ring_session_open_file(cli, path, out, err):
 * The same with what secrets.h finds.
 */
enum envl_status ring_session_open_file(struct cli *cli, const char *path,
                                        struct ring_session *out,
                                        struct envl_error *err);

/**
 * ring_session_remember(cli, session):
 * Remember the ring as it is now, after a change; a failure is a warning.
 */
void ring_session_remember(struct cli *cli, struct ring_session *session);

/**
 * ring_session_free(session):
 * Wipe and release.
 */
void ring_session_free(struct ring_session *session);

#endif /* CLI_RING_SESSION_H */
