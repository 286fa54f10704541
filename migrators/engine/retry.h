/*
 * retry.h - rows of a range that somebody else was quicker with, or holds.
 *
 * They are counted as conflicts in the range's record when their batch is
 * committed, and no longer when a later commit settles them; so the ledger is
 * right whenever the process dies.  A row is read again a few times, then by
 * value (other columns of it are hot), then left to a closing pass.
 */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include <envelope/migrator.h>

#define RETRY_BY_VALUE 3u  /* losses after which values are compared */
#define RETRY_MOST     6u  /* losses after which a row is left alone */
#define RETRY_BATCH    200u

enum retry_state {
    RETRY_NEW,    /* lost in a batch that is not committed yet */
    RETRY_STANDS, /* counted as a conflict in the record       */
    RETRY_PICKED  /* being tried again                         */
};

struct retry_row {
    enum retry_state state;
    uint8_t *key;
    size_t key_len;
    uint32_t losses;
    uint32_t values; /* of it that are counted as conflicts */
    uint64_t due;    /* ms: not before                      */
};

struct retry {
    struct retry_row *rows;
    uint32_t count, cap;
    bool patient; /* what is lost next is tried again however often it was */
};

/* The rows picked for one round; zero-initialise. */
struct retry_round {
    struct envl_bytes keys[RETRY_BATCH];
    uint32_t count;
    bool by_value;
    uint64_t values; /* counted as conflicts so far */
};

/**
 * retry_lost(retry, row, values, err):
 * ${row}, of so many values, was not written.  Its losses go on from a picked
 * row of its key.
 */
enum envl_status retry_lost(struct retry *retry, const struct envl_row *row,
                            uint32_t values, struct envl_error *err);

/**
 * retry_pick(retry, now, round):
 * Mark rows that are due, all of one kind, at most RETRY_BATCH.
 */
void retry_pick(struct retry *retry, uint64_t now, struct retry_round *round);

/**
 * retry_ready(retry, now):
 * True if a round is worth its interruption.
 */
bool retry_ready(const struct retry *retry, uint64_t now);

/**
 * retry_wait(retry, now):
 * Milliseconds until the first row is due; 0 if one is, or none is left.
 */
uint32_t retry_wait(const struct retry *retry, uint64_t now);

/**
 * retry_committed(retry), retry_undone(retry):
 * What was done since stands (picked rows are over), or was rolled back (new
 * ones were never lost, picked ones wait again).
 */
void retry_committed(struct retry *retry);
void retry_undone(struct retry *retry);

void retry_free(struct retry *retry);

#endif /* ENGINE_RETRY_H */
