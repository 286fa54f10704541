/*
 * key.h - a key that is ready for use, and the view of the ring it lies in.
 *
 * The format side (envelope/) sees the keyring only through this header.
 * A view is one state of the ring, never changed after it was published;
 * between keyring_enter and keyring_leave it is not freed, whatever reloads
 * happen.  Enter and leave take no lock and make no system call.
 */
#ifndef KEYRING_KEY_H
#define KEYRING_KEY_H

#include <envelope/keyring.h>

#include "crypto/hmac512.h"

/**
 * key_name_valid(name):
 * True if ${name} obeys the rule for kids, scopes and unlock names: 1 to 63
 * of a-z, 0-9, '.' and '-', the first a letter or digit (spec ENV-2.1).
 */
bool key_name_valid(struct envl_bytes name);

/**
 * key_use_read(text, use), key_state_read(text, state):
 * Read a word of the ring file; false if there is no such word.
 */
bool key_use_read(struct envl_bytes text, enum envl_key_use *use);
bool key_state_read(struct envl_bytes text, enum envl_key_state *state);

/* Lies in the view's guarded memory. */
struct key_secret {
    uint8_t bytes[32];
    struct hmac512_key prepared; /* of bytes */
};

struct key {
    struct envl_key_info info;
    const struct key_secret *secret; /* NULL: provider key, disabled or
                                        destroyed key                   */
    struct envl_provider *provider;  /* of a wrapping key that is elsewhere,
                                        NULL if not configured here      */
};

struct ring_view;

/* What keyring_leave needs back. */
struct keyring_hold {
    const struct ring_view *view;
    unsigned slot;
};

/**
 * keyring_enter(ring):
 * Hold the current view of ${ring}.
 */
struct keyring_hold keyring_enter(struct envl_keyring *ring);

/**
 * keyring_leave(ring, hold):
 * Give it back; pointers from it are no longer valid.
 */
void keyring_leave(struct envl_keyring *ring, struct keyring_hold hold);

/**
 * keyring_key(view, kid):
 * Find a key by ${kid} in any state; NULL if there is none.
 */
const struct key *keyring_key(const struct ring_view *view,
                              struct envl_bytes kid);

/**
 * keyring_active_key(view, use, scope):
 * The active key of a use and scope, or NULL.
 */
const struct key *keyring_active_key(const struct ring_view *view,
                                     enum envl_key_use use,
                                     const char *scope);

/**
 * keyring_look_again(ring):
 * An unknown kid was met: read the file again if it changed, at most once a
 * second over all threads.  Call outside enter and leave.  Return true if
 * there is a newer view.
 */
bool keyring_look_again(struct envl_keyring *ring);

/**
 * keyring_subkey(ring, label, out, err):
 * HKDF-Expand-SHA512(ring key, "libenvelope/v1/" label, 32) into a new
 * secret: labels "audit", "checkpoint" (spec KEY).
 */
enum envl_status keyring_subkey(struct envl_keyring *ring, const char *label,
                                struct envl_secret **out,
                                struct envl_error *err);

/* A key given from outside, for tests and benchmarks: no file behind it. */
struct keyring_given {
    struct envl_key_info info;
    uint8_t bytes[32];
};

/**
 * keyring_from_keys(keys, count, out, err):
 * A ring in memory of ${keys}, under a random ring key; never written.
 */
enum envl_status keyring_from_keys(const struct keyring_given *keys,
                                   size_t count, struct envl_keyring **out,
                                   struct envl_error *err);

#endif /* KEYRING_KEY_H */
