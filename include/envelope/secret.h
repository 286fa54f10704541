/*
 * secret.h - memory that holds key material.
 *
 * A secret lives between guard pages, is locked out of swap and core dumps
 * where the system allows it, and is wiped when freed (libsodium's guarded
 * heap).  One costs four memory mappings and 30 microseconds: hold keys in
 * it, not rows.
 */
#ifndef ENVELOPE_SECRET_H
#define ENVELOPE_SECRET_H

#include <stdbool.h>

#include <envelope/bytes.h>
#include <envelope/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct envl_secret;

/**
 * envl_secret_new(len, out, err):
 * Create a zero-filled secret of ${len} bytes (at least 1).  The caller
 * frees it with envl_secret_free.  Fails with ENVL_E_USAGE, ENVL_E_NOMEM.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_secret_new(size_t len, struct envl_secret **out, struct envl_error *err);

/**
 * envl_secret_bytes(secret):
 * Borrow the contents for reading.
 */
ENVL_API struct envl_bytes envl_secret_bytes(const struct envl_secret *secret);

/**
 * envl_secret_span(secret):
 * The storage, so that a producer can fill it.
 */
ENVL_API struct envl_span envl_secret_span(struct envl_secret *secret);

/**
 * envl_secret_equal(a, b):
 * Compare contents in time that depends only on the lengths.
 */
ENVL_API bool envl_secret_equal(const struct envl_secret *a,
                                const struct envl_secret *b);

/**
 * envl_secret_free(secret):
 * Wipe and release.  NULL is ignored.
 */
ENVL_API void envl_secret_free(struct envl_secret *secret);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_SECRET_H */
