/*
 * trail.h - a verb that changes something says so before it does it.
 */
#ifndef CLI_TRAIL_H
#define CLI_TRAIL_H

#include <envelope/audit.h>

#include "command.h"

struct trail {
    struct envl_audit *log;
    const char *path;
    const char *verb;
    const char *object;
};

#define TRAIL_INIT { NULL, NULL, NULL, NULL }

/* Named numbers of an end record. */
struct trail_counts {
    const char *const *names;
    const uint64_t *values;
    uint32_t len;
};

/**
 * trail_begin(cli, ring, object, trail, err):
 * Record that the verb of ${cli} begins on ${object} (a kid, a file; both are
 * borrowed).  ${ring} may be NULL.  Fails with ENVL_E_AUDIT: then nothing may
 * be done.
 */
enum envl_status trail_begin(struct cli *cli, struct envl_keyring *ring,
                             const char *object, struct trail *trail,
                             struct envl_error *err);

/**
 * trail_begin_as(cli, ring, verb, object, trail, err):
 * The same under another name than that of the verb.
 */
enum envl_status trail_begin_as(struct cli *cli, struct envl_keyring *ring,
                                const char *verb, const char *object,
                                struct trail *trail, struct envl_error *err);

/**
 * trail_rekeyed(trail, ring, err):
 * The ring has been made meanwhile: go on under its ring key.  After a change
 * of the ring key this is not needed: the log notices it (spec AUD-20).
 */
enum envl_status trail_rekeyed(struct trail *trail, struct envl_keyring *ring,
                               struct envl_error *err);

/**
 * trail_end(trail, outcome, counts, err):
 * Record how it ended (${counts} may be NULL), close the log, and return
 * ${outcome}.  Where the end cannot be recorded after a success, that is
 * ENVL_E_IO: done, but not recorded.  A trail that never began is ignored.
 */
enum envl_status trail_end(struct trail *trail, enum envl_status outcome,
                           const struct trail_counts *counts,
                           struct envl_error *err);

#endif /* CLI_TRAIL_H */
