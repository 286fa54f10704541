/*
 * login.h - how a token is got from a Vault.
 */
#ifndef VAULT_LOGIN_H
#define VAULT_LOGIN_H

#include "provider/vault/session.h"

/* A token and how long it lives. */
struct login_token {
    struct envl_secret *token;
    int64_t lease_seconds; /* 0: not known, or for ever */
    bool renewable;
};

/**
 * login_get(session, out, err):
 * Read the token's file, or log in.  The caller holds the session's lock, and
 * frees the token.  Fails with ENVL_E_NOKEY (a credential is missing),
 * ENVL_E_PROVIDER (the login is refused, or there is no answer),
 * ENVL_E_POLICY, ENVL_E_NOMEM.
 */
enum envl_status login_get(struct session *session, struct login_token *out,
                           struct envl_error *err);

/**
 * login_read(session, answer, out, err):
 * Take a token out of the member "auth" of an answer.
 */
enum envl_status login_read(const struct session *session,
                            const struct http_answer *answer,
                            struct login_token *out, struct envl_error *err);

/**
 * login_header(name, secret, out, err):
 * Append "${name}: " and ${secret} and a NUL to ${out}.
 */
enum envl_status login_header(const char *name,
                              const struct envl_secret *secret,
                              struct envl_buf *out, struct envl_error *err);

#endif /* VAULT_LOGIN_H */
