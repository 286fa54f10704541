/*
 * recovery.h - an entry that only an offline private key opens (spec KEY-17).
 *
 * Making one needs the public half alone, which the entry holds; opening one
 * is done elsewhere, with the private half (KEY-28).
 */
#ifndef PROVIDER_RECOVERY_H
#define PROVIDER_RECOVERY_H

#include <envelope/provider.h>

/**
 * recovery_wrap(ring_key, entry, err):
 * Replace ${entry}->wrapped by a libsodium sealed box of ${ring_key} to
 * ${entry}->public_key.  Fails with ENVL_E_POLICY for a public key that is
 * none, ENVL_E_NOMEM.
 */
enum envl_status recovery_wrap(const struct envl_secret *ring_key,
                               struct envl_unlock_entry *entry,
                               struct envl_error *err);

#endif /* PROVIDER_RECOVERY_H */
