/*
 * login.h - the PIN: read once, tried once.
 */
#ifndef PROVIDER_PKCS11_LOGIN_H
#define PROVIDER_PKCS11_LOGIN_H

#include "provider/pkcs11/token.h"

struct login {
    struct envl_secret *pin; /* NULL: not read yet                    */
    size_t len;
    bool refused;            /* the token has said no: never again    */
};

/**
 * login_do(login, settings, session, slot, err):
 * Log the application in, unless it is.  The PIN comes from
 * ${settings}->pin_file or from a person; one final LF is not part of it.
 * Fails with ENVL_E_PROVIDER, or as reading the PIN fails.
 */
enum envl_status login_do(struct login *login,
                          const struct token_settings *settings,
                          const struct token_session *session,
                          CK_SLOT_ID slot, struct envl_error *err);

/**
 * login_free(login):
 * Wipe the PIN.
 */
void login_free(struct login *login);

#endif /* PROVIDER_PKCS11_LOGIN_H */
