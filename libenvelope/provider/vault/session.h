/*
 * session.h - requests to a Vault with a token that is got, renewed and got
 * again as needed.
 *
 * A token of a login is renewed when two thirds of its time are over, and
 * replaced by a new login when that fails or the Vault no longer knows it; a
 * token of a file is read again then, since whoever keeps the file (a Vault
 * agent) may have replaced it.
 */
#ifndef VAULT_SESSION_H
#define VAULT_SESSION_H

#include <pthread.h>

#include <envelope/secret.h>

#include "provider/http/answer.h"
#include "provider/vault/settings.h"

struct session {
    const struct settings *settings; /* borrowed                          */
    struct http_client *http;
    pthread_mutex_t lock;            /* of what follows                    */
    struct envl_secret *token;       /* NULL: none yet                     */
    uint64_t token_number;           /* which one it is                    */
    int64_t renew_at_ms;             /* 0: never                           */
    struct envl_secret *secret_id;   /* that was unwrapped; used only once */
};

/* One request; the path is that behind /v1/, escaped. */
struct session_request {
    const char *method, *path;
    struct envl_bytes body;
    size_t limit;
};

/**
 * session_open(settings, out, err):
 * Reaches nothing.  Fails as http_client_new.
 */
enum envl_status session_open(const struct settings *settings,
                              struct session *out, struct envl_error *err);

/**
 * session_send(session, request, answer, err):
 * Send it with a token.  A 403 is tried once more with a new token, and is
 * ENVL_E_PROVIDER then.  Otherwise fails as http_client_send, and with
 * ENVL_E_NOKEY where a credential is missing.
 */
enum envl_status session_send(struct session *session,
                              const struct session_request *request,
                              struct http_answer *answer,
                              struct envl_error *err);

/**
 * session_refused(session, answer, what, err):
 * ENVL_E_PROVIDER for an answer of 4xx, or one that is not understood, to the
 * request for ${what}.  The server's words are not repeated.
 */
enum envl_status session_refused(const struct session *session,
                                 const struct http_answer *answer,
                                 const char *what, struct envl_error *err);

/**
 * session_close(session):
 * Wipe and release.
 */
void session_close(struct session *session);

#endif /* VAULT_SESSION_H */
