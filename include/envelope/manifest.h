/*
 * manifest.h - sign and verify a file of any kind under a key of use mac.
 *
 * A signature is one line of text beside the file (spec MAN): it names its key
 * and holds HMAC-SHA-512 over the exact bytes of the file.  Whoever holds the
 * ring can make one: it says that the bytes are as some holder left them, and
 * proves nothing to outsiders.
 */
#ifndef ENVELOPE_MANIFEST_H
#define ENVELOPE_MANIFEST_H

#include <envelope/bytes.h>
#include <envelope/keyring.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise, set size. */
struct envl_manifest_options {
    size_t size;       /* sizeof(struct envl_manifest_options)        */
    const char *kid;   /* NULL: the active key of use mac; verifying:
                          any that the signature names                */
    const char *scope; /* NULL: "default"; verifying: "*" for any     */
};

/**
 * envl_manifest_sign(ring, options, content, out, err):
 * Append the signature of ${content} to ${out}: envmac1:KID:BASE64URL and an
 * LF.  ${options} may be NULL.  Fails with ENVL_E_NOKEY, ENVL_E_POLICY (the key
 * is not active), ENVL_E_NOMEM.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_manifest_sign(struct envl_keyring *ring,
                   const struct envl_manifest_options *options,
                   struct envl_bytes content, struct envl_buf *out,
                   struct envl_error *err);

/**
 * envl_manifest_verify(ring, options, content, signature, kid, err):
 * ENVL_OK if ${signature} is that of ${content}; ${kid} then names its key.
 * One LF may end the signature.  Fails with ENVL_E_NOTENV (no signature),
 * ENVL_E_VERSION, ENVL_E_FORMAT, ENVL_E_NOKEY, and with ENVL_E_AUTH for a
 * changed file, a changed signature or another key, never saying which.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_manifest_verify(struct envl_keyring *ring,
                     const struct envl_manifest_options *options,
                     struct envl_bytes content, struct envl_bytes signature,
                     char kid[ENVL_NAME_SIZE], struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_MANIFEST_H */
