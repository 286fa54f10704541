/*
 * redact.h - mask secrets in logs, JSON bodies and support bundles.
 *
 * A filter over lines.  It masks what stands under a name that means a secret
 * (password, api_key, client_secret, ...) and what has a secret's form
 * wherever it stands (known tokens, private keys, JSON Web Tokens, passwords
 * in URLs, Authorization headers, base64 of those), and passes every other
 * byte on as it came.  Envelopes are passed: they are no secrets.
 *
 * It fails closed: what it cannot take apart is masked whole, and counted.
 * That is a line longer than ENVL_REDACT_LINE, a line that should be JSON and
 * is not, and everything behind the beginning of a private key that has no
 * end.  What has neither a name nor a known form is not found: a redactor
 * lowers a risk, it does not replace sealing what should be secret.
 */
#ifndef ENVELOPE_REDACT_H
#define ENVELOPE_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_REDACT_LINE 1048576u /* bytes of the longest line looked into */

enum envl_redact_input {
    ENVL_REDACT_TEXT, /* lines of any kind; one that is a JSON object or array
                         is read as JSON                                  */
    ENVL_REDACT_JSON  /* every line is one JSON value: anything else is
                         masked whole                                     */
};

/* Zero-initialise for the usual.  Strings are copied. */
struct envl_redact_rules {
    enum envl_redact_input input;
    const char *const *names; /* names that mean a secret too, whole, in any
                                 case                                     */
    size_t name_count;
    const char *const *keep;  /* names that do not, whatever we think     */
    size_t keep_count;
    bool random;      /* mask what looks random, too, under any name      */
    const char *mask; /* what stands there instead; NULL: "[redacted]".
                         Letters, digits and []()<>*._- only              */
};

/* Since the redactor was made. */
struct envl_redact_counts {
    uint64_t lines;
    uint64_t masked;  /* secrets                                          */
    uint64_t refused; /* lines masked whole because they could not be read */
};

struct envl_redactor;

/* Takes ${bytes}, borrowed for the call; another status ends the feeding. */
typedef enum envl_status envl_redact_fn(void *cookie, struct envl_bytes bytes,
                                        struct envl_error *err);

/**
 * envl_redactor_new(rules, out, err):
 * Make a redactor; ${rules} may be NULL.  Fails with ENVL_E_USAGE (a mask of
 * other characters) and ENVL_E_NOMEM.  Free with envl_redactor_free.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_redactor_new(const struct envl_redact_rules *rules,
                  struct envl_redactor **out, struct envl_error *err);

/**
 * envl_redactor_feed(redactor, piece, each, cookie, err):
 * Take the next ${piece} of the input, and give each line that is whole to
 * ${each}, masked, its LF included.  Not thread-safe; one redactor a stream.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_redactor_feed(struct envl_redactor *redactor, struct envl_bytes piece,
                   envl_redact_fn *each, void *cookie,
                   struct envl_error *err);

/**
 * envl_redactor_end(redactor, each, cookie, err):
 * The input has ended: give what is left, a last line without LF.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_redactor_end(struct envl_redactor *redactor, envl_redact_fn *each,
                  void *cookie, struct envl_error *err);

/**
 * envl_redactor_counts(redactor, out):
 * What was done so far.
 */
ENVL_API void envl_redactor_counts(const struct envl_redactor *redactor,
                                   struct envl_redact_counts *out);

/**
 * envl_redactor_free(redactor):
 * Wipe what is left of the input and release; NULL is ignored.
 */
ENVL_API void envl_redactor_free(struct envl_redactor *redactor);

/**
 * envl_redact(rules, text, out, counts, err):
 * The same for a text that is all here: append it, masked, to ${out}.  With
 * ENVL_REDACT_JSON the whole of ${text} is one JSON document, on as many lines
 * as it likes.  ${counts} may be NULL.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_redact(const struct envl_redact_rules *rules, struct envl_bytes text,
            struct envl_buf *out, struct envl_redact_counts *counts,
            struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_REDACT_H */
