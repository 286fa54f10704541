/*
 * reload.h - take over a ring file that has changed.
 */
#ifndef KEYRING_RELOAD_H
#define KEYRING_RELOAD_H

#include "keyring/load.h"

/**
 * reload_if_changed(ring):
 * Look at the file and, if it is not the one in use, load it.  A file that
 * does not load changes nothing; it is tried again when it changes or after
 * 1, 2, 4 ... 64 seconds.  False, and nothing done, if somebody else is
 * replacing the view just now.
 */
bool reload_if_changed(struct envl_keyring *ring);

/**
 * reload_wait(ring):
 * Wait until nobody is replacing the view.
 */
void reload_wait(struct envl_keyring *ring);

/**
 * reload_request(ring, out):
 * What a load of ${ring}'s file may use: its providers, its ring key, and
 * the view in use as what must not be undercut.  Valid while ${ring}->lock is
 * held.
 */
void reload_request(struct envl_keyring *ring, struct load_request *out);

#endif /* KEYRING_RELOAD_H */
