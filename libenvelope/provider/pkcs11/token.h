/*
 * token.h - one AES key on one PKCS#11 token, and logged-in sessions to it.
 *
 * A session serves one thread at a time; as many are opened as threads ask at
 * once.  The PIN is read when somebody first logs in, and a PIN that the token
 * refused is never tried again by this process, nor one that the token says
 * would be its last try: a wrong file must not lock an HSM (spec KEY-122).
 */
#ifndef PROVIDER_PKCS11_TOKEN_H
#define PROVIDER_PKCS11_TOKEN_H

#include <stdbool.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <envelope/provider_module.h>

struct token;

/* What it is to be found by; strings and functions are copied or borrowed for
   the token's life. */
struct token_settings {
    const char *name;     /* the provider's, for messages            */
    const char *module;   /* NULL, or the path of the PKCS#11 module */
    P11KitUri *uri;       /* taken over                              */
    const char *pin_file; /* NULL: the PIN is asked for              */
    bool login;           /* false: the key is public to all users   */
    const char *const *mounts; /* secret mounts beside the usual ones */
    size_t mount_count;
    envl_ask_fn *ask;
    void *cookie;
};

/* A session that is held, and the key's handle in it. */
struct token_session {
    CK_FUNCTION_LIST *calls;
    CK_SESSION_HANDLE handle;
    CK_OBJECT_HANDLE key;
    struct token_session *next; /* while nobody holds it */
};

/**
 * token_new(settings, out, err):
 * Nothing is loaded or reached yet.  Fails with ENVL_E_NOMEM.
 */
enum envl_status token_new(const struct token_settings *settings,
                           struct token **out, struct envl_error *err);

/**
 * token_enter(token, out, err):
 * Take a session, opened and logged in if none is free.  Fails with
 * ENVL_E_PROVIDER: no module, token or key, or more than one that fits, or a
 * PIN that is wrong, locked or must not be tried; ENVL_E_POLICY: a module that
 * others could have written, a key that is not AES-256 or could leave the
 * token; or as reading the PIN fails.
 */
enum envl_status token_enter(struct token *token,
                             struct token_session **out,
                             struct envl_error *err);

/**
 * token_leave(token, session, lost):
 * Give it back.  ${lost}: it is of no use any more, nor are those that wait;
 * the next token_enter begins anew.
 */
void token_leave(struct token *token, struct token_session *session,
                 bool lost);

/**
 * token_is_lost(rv):
 * True for an answer that means that the session or the token has gone, and
 * that a new session may do.
 */
bool token_is_lost(CK_RV rv);

/**
 * token_free(token):
 * Log out and release.
 */
void token_free(struct token *token);

#endif /* PROVIDER_PKCS11_TOKEN_H */
