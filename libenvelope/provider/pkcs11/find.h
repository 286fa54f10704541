/*
 * find.h - the token and the key that an RFC 7512 URI names.
 */
#ifndef PROVIDER_PKCS11_FIND_H
#define PROVIDER_PKCS11_FIND_H

#include "provider/pkcs11/token.h"

/**
 * find_token(modules, uri, name, calls, slot, err):
 * The one token that ${uri} fits; ${name} is the provider's.  Fails with
 * ENVL_E_PROVIDER if there is none, or more than one.
 */
enum envl_status find_token(CK_FUNCTION_LIST **modules, P11KitUri *uri,
                            const char *name, CK_FUNCTION_LIST **calls,
                            CK_SLOT_ID *slot, struct envl_error *err);

/**
 * find_key(session, uri, name, err):
 * Set ${session}->key to the one secret key that ${uri} fits, and hold it to
 * the rules (spec KEY-121): AES-256, sensitive, not extractable, wraps and
 * unwraps.  Fails with ENVL_E_PROVIDER, ENVL_E_POLICY.
 */
enum envl_status find_key(struct token_session *session, P11KitUri *uri,
                          const char *name, struct envl_error *err);

#endif /* PROVIDER_PKCS11_FIND_H */
