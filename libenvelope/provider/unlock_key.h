/*
 * unlock_key.h - wrap the ring key under 32 secret bytes (spec KEY-19): what
 * a key file, a passphrase, and every other provider that yields 32 bytes
 * have in common.
 */
#ifndef PROVIDER_UNLOCK_KEY_H
#define PROVIDER_UNLOCK_KEY_H

#include <envelope/provider.h>

/**
 * unlock_key_open(secret, entry, ring_id, out, err):
 * Unwrap the ring key with the 32 bytes ${secret} into a new secret.
 * ENVL_E_AUTH if they do not open ${entry}.
 */
enum envl_status unlock_key_open(const uint8_t secret[32],
                                 const struct envl_unlock_entry *entry,
                                 const char *ring_id,
                                 struct envl_secret **out,
                                 struct envl_error *err);

/**
 * unlock_key_wrap(secret, ring_id, ring_key, entry, err):
 * The opposite: replace ${entry}->wrapped.
 */
enum envl_status unlock_key_wrap(const uint8_t secret[32],
                                 const char *ring_id,
                                 const struct envl_secret *ring_key,
                                 struct envl_unlock_entry *entry,
                                 struct envl_error *err);

#endif /* PROVIDER_UNLOCK_KEY_H */
