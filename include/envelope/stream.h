/*
 * stream.h - values of any size in bounded memory.
 *
 * Text and binary encodings.  Bytes go in by any pieces; what is ready comes
 * out at the end of a buffer that the caller drains and clears.  A sealed
 * stream has no padding.  An opened chunk is released only after its tag was
 * checked; that the stream is whole is known only when finish says ENVL_OK.
 */
#ifndef ENVELOPE_STREAM_H
#define ENVELOPE_STREAM_H

#include <envelope/envelope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct envl_sealer;
struct envl_opener;

/**
 * envl_sealer_new(ring, options, context, out, err):
 * Begin to seal.  The pad must be ENVL_PAD_NONE or the default (which is
 * none here), the encoding text or binary, the type bytes, text or JSON; else
 * ENVL_E_USAGE.  Nesting is tested on the first 16 KiB, before anything is
 * given out.  Fails as envl_seal does.  The ring may be freed before the
 * sealer.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_sealer_new(struct envl_keyring *ring,
                const struct envl_seal_options *options,
                const struct envl_context *context, struct envl_sealer **out,
                struct envl_error *err);

/**
 * envl_sealer_update(sealer, piece, out, err):
 * Seal ${piece} and append what is ready to ${out} (at most 4/3 of the piece
 * and 32 KiB).  Text and JSON are checked as they pass.  After a failure the
 * sealer can only be freed, and what it gave must be thrown away.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_sealer_update(struct envl_sealer *sealer, struct envl_bytes piece,
                   struct envl_buf *out, struct envl_error *err);

/**
 * envl_sealer_finish(sealer, out, err):
 * Append the last chunk.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_sealer_finish(struct envl_sealer *sealer, struct envl_buf *out,
                   struct envl_error *err);

/**
 * envl_sealer_free(sealer):
 * Wipe and release; NULL is ignored.
 */
ENVL_API void envl_sealer_free(struct envl_sealer *sealer);

/**
 * envl_opener_new(ring, options, context, out, err):
 * Begin to open.  The encoding is recognised from the first bytes; an
 * envelope in object encoding is ENVL_E_USAGE here: use envl_open.  ${context}
 * and ${options} are copied; ${ring} must outlive the opener.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_opener_new(struct envl_keyring *ring,
                const struct envl_open_options *options,
                const struct envl_context *context, struct envl_opener **out,
                struct envl_error *err);

/**
 * envl_opener_update(opener, piece, out, err):
 * Take ${piece} and append the plaintext that is authenticated by now (less
 * a run that may be padding).  Fails as envl_open does; what was already
 * given out is authentic, but not the whole, and the opener can only be
 * freed.  Rules about the payload's end (its length, its padding) are judged
 * by finish.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_opener_update(struct envl_opener *opener, struct envl_bytes piece,
                   struct envl_buf *out, struct envl_error *err);

/**
 * envl_opener_finish(opener, out, type, err):
 * Say that nothing more comes: check the last chunk, append the rest, and
 * store the type in ${type} (may be NULL).  Only ENVL_OK means whole.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_opener_finish(struct envl_opener *opener, struct envl_buf *out,
                   enum envl_type *type, struct envl_error *err);

/**
 * envl_opener_free(opener):
 * Wipe and release; NULL is ignored.
 */
ENVL_API void envl_opener_free(struct envl_opener *opener);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_STREAM_H */
