/*
 * batch.h - one page on its way: read, decided, written, counted.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/session.h"

/* A page and what is to be done with it; zero: nothing there. */
struct batch {
    struct envl_page *page;
    struct page_work work;
    uint32_t rows_edited;
};

/* A row that somebody else was quicker with, or holds; how many of its values
   were counted as conflicts. */
typedef enum envl_status batch_lost_fn(void *cookie,
                                       const struct envl_row *row,
                                       uint32_t values,
                                       struct envl_error *err);

/* What counting a batch needs, and what it gives. */
struct batch_settling {
    const struct session *session;
    uint32_t target;
    struct record_range *range; /* its ledger and census are added to   */
    batch_lost_fn *lost;
    void *cookie;
    bool busy;                  /* of the row that is lost: it is locked */
    struct envl_quarantine *items; /* out: until batch_settling_clear   */
    uint32_t item_count, item_cap;
};

/**
 * batch_decide(session, target, batch, err):
 * Run the transform over a page that was read.
 */
enum envl_status batch_decide(const struct session *session, uint32_t target,
                              struct batch *batch, struct envl_error *err);

/**
 * batch_settle(settling, batch, outcomes, err):
 * Count every value once: in the census by its state, in the ledger by what
 * became of it; list what is quarantined; report rows that were lost.
 * ${outcomes}: one for each row of the page.
 */
enum envl_status batch_settle(struct batch_settling *settling,
                              const struct batch *batch,
                              const enum envl_outcome *outcomes,
                              struct envl_error *err);

/**
 * batch_settling_clear(settling):
 * Forget the quarantine items (their commit is over).
 */
void batch_settling_clear(struct batch_settling *settling);

/**
 * batch_free(session, batch):
 * Wipe and release; it may be used again.
 */
void batch_free(const struct session *session, struct batch *batch);

#endif /* ENGINE_BATCH_H */
