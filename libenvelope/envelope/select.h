/*
 * select.h - the caller's options made whole, and the key that they and an
 * envelope's header name.
 */
#ifndef ENVELOPE_SELECT_H
#define ENVELOPE_SELECT_H

#include <envelope/envelope.h>

#include "envelope/parse.h"
#include "keyring/key.h"

/* A key, and the hold on the view it lies in. */
struct selection {
    struct keyring_hold hold;
    const struct key *key;
};

/**
 * select_seal_options(given, out, err):
 * Copy ${given} (may be NULL, may be of an older version of the struct) and
 * check it.  Fails with ENVL_E_USAGE.
 */
enum envl_status select_seal_options(const struct envl_seal_options *given,
                                     struct envl_seal_options *out,
                                     struct envl_error *err);

/**
 * select_open_options(given, out, err):
 * The same for opening.
 */
enum envl_status select_open_options(const struct envl_open_options *given,
                                     struct envl_open_options *out,
                                     struct envl_error *err);

/**
 * select_sealing_key(ring, options, out, err):
 * The key that seals (spec: ENV-9.1).  Fails with ENVL_E_NOKEY,
 * ENVL_E_POLICY; then nothing is held.
 */
enum envl_status select_sealing_key(struct envl_keyring *ring,
                                    const struct envl_seal_options *options,
                                    struct selection *out,
                                    struct envl_error *err);

/**
 * select_opening_key(ring, options, envelope, out, err):
 * The key that opens ${envelope} (spec: ENV-8.9 to ENV-8.12).  Fails with
 * ENVL_E_NOKEY, ENVL_E_FORMAT, ENVL_E_POLICY; then nothing is held.
 */
enum envl_status select_opening_key(struct envl_keyring *ring,
                                    const struct envl_open_options *options,
                                    const struct parsed *envelope,
                                    struct selection *out,
                                    struct envl_error *err);

/**
 * select_named_key(ring, kid, out):
 * Hold the view and find ${kid} in any state; the ring is read again once if
 * it is not there.  Return false, nothing held, if it is not there then.
 */
bool select_named_key(struct envl_keyring *ring, struct envl_bytes kid,
                      struct selection *out);

/**
 * select_opens(key):
 * True if a key in this state opens.
 */
bool select_opens(const struct key *key);

/**
 * select_mode(key):
 * The mode that follows from a key's use.
 */
enum envl_mode select_mode(const struct key *key);

/**
 * select_kid(key):
 * Borrow its id.
 */
struct envl_bytes select_kid(const struct key *key);

/**
 * select_release(ring, selection):
 * Give the hold back; the key is no longer valid.
 */
void select_release(struct envl_keyring *ring, struct selection *selection);

#endif /* ENVELOPE_SELECT_H */
