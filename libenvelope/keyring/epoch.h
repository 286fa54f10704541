/*
 * epoch.h - readers that never wait, and a writer that waits for them.
 *
 * The scheme of sleepable RCU (P. McKenney, "Sleepable RCU", 2006): each
 * reader counts itself in a slot on a cache line of its own under the current
 * parity.  A writer publishes the new object, waits until nobody is left
 * under the other parity, turns the parity, and waits for those under the
 * former one: whoever could have seen the old object has left by then.
 * Entering costs one atomic add, leaving another; no lock, no system call.
 */
#ifndef KEYRING_EPOCH_H
#define KEYRING_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>

#define EPOCH_SLOTS 32u

struct epoch_slot {
    _Alignas(64) atomic_long readers[2];
};

struct epoch {
    atomic_uint parity;
    struct epoch_slot slots[EPOCH_SLOTS];
};

/**
 * epoch_init(epoch):
 * Nobody reads.  Also what a child does after fork: the other threads' counts
 * would never be taken back.
 */
void epoch_init(struct epoch *epoch);

/**
 * epoch_enter(epoch):
 * Begin to read; load the shared pointer (sequentially consistent) after
 * this, never before.  Return the ticket for epoch_leave.
 */
unsigned epoch_enter(struct epoch *epoch);

/**
 * epoch_leave(epoch, ticket):
 * End what epoch_enter began, in any thread.
 */
void epoch_leave(struct epoch *epoch, unsigned ticket);

/**
 * epoch_wait(epoch, limit_ms):
 * Wait until everybody has left who entered before this call.  One caller at
 * a time, after the new pointer was stored.  False if that took longer than
 * ${limit_ms}: then nothing may be freed yet.
 */
bool epoch_wait(struct epoch *epoch, unsigned limit_ms);

#endif /* KEYRING_EPOCH_H */
