/*
 * bson.h - the object form of an envelope as a BSON document (spec ENV-7.9).
 *
 * A MongoDB driver gives a sub-document as its bytes; these say whether it is
 * an envelope and give it in a form that envl_open takes, and the reverse.
 * No BSON library is needed.
 */
#ifndef ENVELOPE_BSON_H
#define ENVELOPE_BSON_H

#include <envelope/envelope.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * envl_bson_begins(document):
 * ENVL_OK if ${document} has the beginning of an envelope of any version
 * (spec ENV-8.20: a number `env` and a `payload`), ENVL_E_NOTENV if not.  A
 * nesting test, not a parse.
 */
ENVL_API enum envl_status envl_bson_begins(struct envl_bytes document);

/**
 * envl_bson_decode(document, encoding, out, err):
 * Append the envelope that ${document} is, in ${encoding}, to ${out}; needs
 * no key.  Fails, ${out} unchanged, with ENVL_E_NOTENV, ENVL_E_VERSION,
 * ENVL_E_FORMAT as opening does, and with ENVL_E_USAGE (no such encoding).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_bson_decode(struct envl_bytes document, enum envl_encoding encoding,
                 struct envl_buf *out, struct envl_error *err);

/**
 * envl_bson_encode(envelope, out, err):
 * Append the BSON document of an ${envelope} in any of the three encodings
 * to ${out}: env, kid, mode, payload, wrapped, in that order.  Fails as
 * envl_inspect does, and with ENVL_E_LIMIT beyond what BSON's 32-bit lengths
 * can say.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_bson_encode(struct envl_bytes envelope, struct envl_buf *out,
                 struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_BSON_H */
