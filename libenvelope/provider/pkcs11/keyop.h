/*
 * keyop.h - 32 bytes under a key of the token: AES key wrap (RFC 3394), done
 * by the token.
 *
 * C_WrapKey wraps objects, so the bytes become a session object first, which
 * lives no longer than the call.  A token that takes no keys from outside is
 * asked to C_Encrypt with the same mechanism.
 */
#ifndef PROVIDER_PKCS11_KEYOP_H
#define PROVIDER_PKCS11_KEYOP_H

#include "provider/pkcs11/token.h"

#define KEYOP_KEY_LEN     32u
#define KEYOP_WRAPPED_LEN 40u

/**
 * keyop_wrap(session, key, out):
 * Wrap the 32 bytes ${key} into 40 bytes.  Returns what the token says.
 */
CK_RV keyop_wrap(const struct token_session *session, const uint8_t *key,
                 uint8_t out[KEYOP_WRAPPED_LEN]);

/**
 * keyop_unwrap(session, wrapped, out):
 * The opposite.  CKR_WRAPPED_KEY_INVALID: not wrapped under this key, or
 * changed; tokens have many answers for that, which a round trip tells from
 * a token in trouble.
 */
CK_RV keyop_unwrap(const struct token_session *session,
                   const uint8_t wrapped[KEYOP_WRAPPED_LEN], uint8_t *out);

#endif /* PROVIDER_PKCS11_KEYOP_H */
