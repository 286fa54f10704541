/*
 * transit.h - keys wrapped by a Vault's transit engine.
 *
 * Always in the form of a batch, of one for the ring key: its answers tell a
 * ciphertext that is not ours from a key that is not there.  Never with
 * associated_data, which Vault's own rewrap cannot carry.
 */
#ifndef VAULT_TRANSIT_H
#define VAULT_TRANSIT_H

#include "provider/vault/session.h"

struct transit {
    struct session *session; /* borrowed                     */
    struct cache *cache;     /* of unwrapped keys; NULL: none */
};

/**
 * transit_wrap(transit, keys, count, blobs, lens, err):
 * As struct envl_provider_ops has it: each blob is Vault's own string.
 */
enum envl_status transit_wrap(const struct transit *transit,
                              struct envl_bytes keys, size_t count,
                              struct envl_buf *blobs, size_t *lens,
                              struct envl_error *err);

/**
 * transit_unwrap(transit, blobs, count, keys, statuses, err):
 * The opposite.  A blob that the key does not open, or whose version it no
 * longer opens (min_decryption_version), is ENVL_E_AUTH.
 */
enum envl_status transit_unwrap(const struct transit *transit,
                                const struct envl_bytes *blobs, size_t count,
                                struct envl_span keys,
                                enum envl_status *statuses,
                                struct envl_error *err);

#endif /* VAULT_TRANSIT_H */
