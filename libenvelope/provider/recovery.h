/*
 * recovery.h - an entry that only an offline private key opens (spec KEY-17,
 * KEY-110 to KEY-113).
 *
 * Making one needs the public half alone, which the entry holds; opening one
 * needs the private half, 18 words on paper or in a file elsewhere (KEY-28).
 */
#ifndef PROVIDER_RECOVERY_H
#define PROVIDER_RECOVERY_H

#include <stdbool.h>

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

/**
 * recovery_only_seals(provider):
 * True for one that has the public half alone: what it makes cannot be proven
 * to open here.
 */
bool recovery_only_seals(const struct envl_provider *provider);

#endif /* PROVIDER_RECOVERY_H */
