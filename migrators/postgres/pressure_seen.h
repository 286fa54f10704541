/*
 * pressure_seen.h - what can be known of lag and age only by having looked
 * before.
 *
 * pg_stat_replication.replay_lag stands still while replay is paused, and is
 * null after a while; so where the primary's log was at which time is
 * remembered, and a replica is as far behind as the time since the primary
 * passed the place where the replica is.  The horizon of a replication slot
 * or of a standby's feedback has no time at all: it is as old as the time
 * since it was first seen where it still is.
 */
#ifndef POSTGRES_PRESSURE_SEEN_H
#define POSTGRES_PRESSURE_SEEN_H

#include <stdint.h>

#define PRESSURE_SAMPLES 64u

struct pressure_seen {
    struct {
        double at;    /* seconds of the monotonic clock */
        uint64_t lsn; /* of the primary then            */
    } samples[PRESSURE_SAMPLES]; /* ascending */
    uint32_t count;
    char horizon[32]; /* the oldest that has no time of its own; "": none */
    double since;     /* when it was first seen there                     */
};

/**
 * pressure_seen_log(seen, now, lsn, limit):
 * At ${now} the primary's log was at ${lsn}; lags up to some times ${limit}
 * seconds will be asked for.
 */
void pressure_seen_log(struct pressure_seen *seen, double now, uint64_t lsn,
                       double limit);

/**
 * pressure_seen_lag(seen, now, lsn):
 * How many seconds ago, at least, the primary's log passed ${lsn}.
 */
double pressure_seen_lag(const struct pressure_seen *seen, double now,
                         uint64_t lsn);

/**
 * pressure_seen_age(seen, now, horizon):
 * How long ${horizon} ("" or NULL: there is none) has been where it is.
 */
double pressure_seen_age(struct pressure_seen *seen, double now,
                         const char *horizon);

#endif /* POSTGRES_PRESSURE_SEEN_H */
