/*
 * session.h - an open keyring and those who opened it.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <envelope/keyring.h>
#include <envelope/provider.h>

#include "command.h"
#include "state.h"

#define SESSION_PROVIDERS 4u

struct session {
    struct envl_keyring *ring;
    struct envl_provider *providers[SESSION_PROVIDERS];
    size_t provider_count;
    struct state state; /* what was remembered before this run     */
    bool watch;         /* in: notice changes while this run lasts */
};

#define SESSION_INIT                                                          \
    { NULL, { NULL }, 0,                                                  \
      { { { 0 }, 0, { 0 }, { 0 } }, 0, { 0 }, false, { 0 } }, false }

/**
 * session_open(cli, out, err):
 * Open the keyring of the settings with what is at hand (see secrets.h),
 * refuse one that is older than what this machine remembers (exit 18, unless
 * --accept-ring names it, which is audited), and remember it.  Fails as
 * envl_keyring_open does.  On a read-only file system only a warning says
 * that it could not be remembered.
 */
enum envl_status session_open(struct cli *cli, struct session *out,
                              struct envl_error *err);

/**
 * session_open_ring(cli, path, session, err):
 * Open the keyring in ${path} with the providers that ${session} has by now;
 * it is not compared with what is remembered, nor remembered.
 */
enum envl_status session_open_ring(struct cli *cli, const char *path,
                                   struct session *session,
                                   struct envl_error *err);

/**
 * session_open_file(cli, path, out, err):
 * The same with what secrets.h finds.
 */
enum envl_status session_open_file(struct cli *cli, const char *path,
                                   struct session *out,
                                   struct envl_error *err);

/**
 * session_remember(cli, session):
 * Remember the ring as it is now, after a change; a failure is a warning.
 */
void session_remember(struct cli *cli, struct session *session);

/**
 * session_free(session):
 * Wipe and release.
 */
void session_free(struct session *session);

#endif /* CLI_SESSION_H */
