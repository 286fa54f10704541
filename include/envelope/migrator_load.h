/*
 * migrator_load.h - what a sweep yields to and what it costs, for plugins of
 * migrator.h (spec MIG-80 to MIG-82).
 */
#ifndef ENVELOPE_MIGRATOR_LOAD_H
#define ENVELOPE_MIGRATOR_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct envl_target; /* migrator.h */

/* ---- what a sweep yields to ---------------------------------------------- */

/* One member of the job's yield_to, by its name there. */
struct envl_limit {
    const char *name; /* "replica_lag_s", "query", ...                  */
    double number;    /* of a number; 1 for true                        */
    const char *text; /* of a text, else NULL                           */
    bool by_default;  /* the job does not say it: where the store has no
                         notion of it, it is ignored                    */
};

struct envl_pressure {
    const struct envl_limit *limits;
    uint32_t limit_count;
    struct envl_target *const *targets; /* all of the sweep, bound here  */
    uint32_t target_count;
    bool check;        /* before a sweep: is everything that was asked for
                          possible, for this role?                       */
    uint32_t limit;    /* out: index of the first that says wait, or
                          limit_count: go on                             */
    char why[200];     /* out: in words, for people; no stored value     */
};

/* ---- what a sweep would cost --------------------------------------------- */

struct envl_cost {
    uint64_t rows;         /* in: to be written                           */
    uint64_t bytes_before; /* in: of their swept values now               */
    uint64_t bytes_after;  /*     and of the envelopes that replace them  */
    uint64_t table_now;    /* out: bytes of the table, without indexes    */
    uint64_t table_growth; /* out: at most, until freed room is used again */
    uint64_t index_growth; /* out: the same of its indexes                */
    uint64_t log_bytes;    /* out: that go to replicas and archives       */
    const char *log;       /* out: what people call it: "WAL", "oplog"    */
};

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_MIGRATOR_LOAD_H */
