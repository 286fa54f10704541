/*
 * context.h - where a value belongs.
 *
 * A context is a set of name/value pairs that is bound into the value's key
 * (spec: CTX).  It is not stored: whoever opens must say it again, exactly.
 */
#ifndef ENVELOPE_CONTEXT_H
#define ENVELOPE_CONTEXT_H

#include <envelope/bytes.h>
#include <envelope/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_CONTEXT_MAX_PAIRS 32u
#define ENVL_CONTEXT_MAX_BYTES 4096u /* names and values together */

/* One pair, borrowed.  UTF-8; the name not empty, without U+0000 and '='. */
struct envl_pair {
    struct envl_bytes name;
    struct envl_bytes value; /* may be empty, may hold U+0000 */
};

/* Borrowed pairs in any order; the encoding sorts them. */
struct envl_context {
    const struct envl_pair *pairs;
    size_t count; /* 0: bound to no place */
};

/**
 * envl_context_check(context, err):
 * Say whether ${context} keeps the rules of spec CTX (names unique, UTF-8,
 * at most 32 pairs and 4096 bytes).  Fails with ENVL_E_USAGE.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_context_check(const struct envl_context *context, struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_CONTEXT_H */
