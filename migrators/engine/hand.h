/*
 * hand.h - a second thread of a worker, which decides about a page.
 *
 * A store that does the work of a write before write_begin returns leaves the
 * worker no time to seal the next page meanwhile; a hand does that.  It calls
 * no function of a plugin, so that a store still sees one thread.
 */
#ifndef ENGINE_HAND_H
#define ENGINE_HAND_H

#include "engine/batch.h"

struct hand;

/**
 * hand_new(out, err):
 * Start the thread.  Fails with ENVL_E_NOMEM.
 */
enum envl_status hand_new(struct hand **out, struct envl_error *err);

/**
 * hand_begin(hand, session, target, batch):
 * Begin batch_decide; ${batch} is the hand's until hand_end.
 */
void hand_begin(struct hand *hand, const struct session *session,
                uint32_t target, struct batch *batch);

/**
 * hand_end(hand, err):
 * Wait for it and return what it returned.
 */
enum envl_status hand_end(struct hand *hand, struct envl_error *err);

/**
 * hand_free(hand):
 * Stop the thread, which must be idle; NULL is ignored.
 */
void hand_free(struct hand *hand);

#endif /* ENGINE_HAND_H */
