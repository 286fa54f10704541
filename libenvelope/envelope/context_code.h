/*
 * context_code.h - a context as the bytes that go into the key derivation.
 */
#ifndef ENVELOPE_CONTEXT_CODE_H
#define ENVELOPE_CONTEXT_CODE_H

#include <envelope/context.h>
#include <envelope/envelope.h>

/* "libenvelope/v1" 00 mode count, two lengths a pair, names and values. */
#define CONTEXT_CODE_MAX \
    (20u + 8u * ENVL_CONTEXT_MAX_PAIRS + ENVL_CONTEXT_MAX_BYTES)

/* Lies on the caller's stack; not secret. */
struct context_code {
    size_t len;
    uint8_t bytes[CONTEXT_CODE_MAX];
};

/**
 * context_code_make(context, out, err):
 * Check ${context} (may be NULL: no pairs) and encode it for mode derived
 * (spec: CTX-11).  Fails with ENVL_E_USAGE.
 */
enum envl_status context_code_make(const struct envl_context *context,
                                   struct context_code *out,
                                   struct envl_error *err);

/**
 * context_code_set_mode(code, mode):
 * Put the mode in, which on opening is known only after the header.
 */
void context_code_set_mode(struct context_code *code, enum envl_mode mode);

/**
 * context_code_view(code):
 * Borrow the bytes.
 */
struct envl_bytes context_code_view(const struct context_code *code);

#endif /* ENVELOPE_CONTEXT_CODE_H */
