/*
 * value_key.h - the key of one envelope in mode wrapped, and its wrapping by
 * a key of the ring or by a provider.
 */
#ifndef ENVELOPE_VALUE_KEY_H
#define ENVELOPE_VALUE_KEY_H

#include "crypto/keywrap.h"
#include "keyring/key.h"

/* Short-lived, on the stack, wiped.  spec: ENV-4.1 */
struct value_key {
    uint8_t bytes[ENVL_VALUE_KEY_LEN];
    struct hmac512_key prepared;
};

/**
 * value_key_prepare(value_key):
 * Make ${prepared} from ${bytes}.
 */
void value_key_prepare(struct value_key *value_key);

/**
 * value_key_wrap(kek, keys, count, blobs, lens, err):
 * Wrap ${count} keys of 32 bytes, laid end to end, under ${kek}: append the
 * blobs to ${blobs} and store their lengths (each 1..4096).  Fails with
 * ENVL_E_PROVIDER, ENVL_E_NOMEM, ENVL_E_INTERNAL.
 */
enum envl_status value_key_wrap(const struct key *kek, struct envl_bytes keys,
                                size_t count, struct envl_buf *blobs,
                                size_t *lens, struct envl_error *err);

/**
 * value_key_unwrap(kek, blobs, count, keys, statuses, err):
 * Undo it, each key into ${keys} and each ENVL_OK or ENVL_E_AUTH into
 * ${statuses}.  Fails with ENVL_E_PROVIDER, which says nothing of a blob.
 */
enum envl_status value_key_unwrap(const struct key *kek,
                                  const struct envl_bytes *blobs, size_t count,
                                  struct envl_span keys,
                                  enum envl_status *statuses,
                                  struct envl_error *err);

/**
 * value_key_open(kek, wrapped, out, err):
 * One of them, prepared.  Fails with ENVL_E_AUTH, ENVL_E_PROVIDER.
 */
enum envl_status value_key_open(const struct key *kek,
                                struct envl_bytes wrapped,
                                struct value_key *out,
                                struct envl_error *err);

#endif /* ENVELOPE_VALUE_KEY_H */
