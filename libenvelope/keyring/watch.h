/*
 * watch.h - notice within a second that the ring's file has changed.
 *
 * A thread of its own looks at the file four times a second.  Where there is
 * none (the process forked, or threads are not to be had) readers look, at
 * most four times a second over all of them.  A file that does not load
 * leaves the ring as it was, and is tried again when it changes, or after a
 * while, later each time.
 */
#ifndef KEYRING_WATCH_H
#define KEYRING_WATCH_H

#include "keyring/ring.h"

/**
 * watch_start(ring):
 * Begin to look after ${ring}, which has a view and a path; of a fixed ring
 * only its state across fork.
 */
void watch_start(struct envl_keyring *ring);

/**
 * watch_stop(ring):
 * End that; does nothing if it was not started.
 */
void watch_stop(struct envl_keyring *ring);

/**
 * watch_by_reader(ring):
 * What keyring_enter does where there is no thread.
 */
void watch_by_reader(struct envl_keyring *ring);

#endif /* KEYRING_WATCH_H */
