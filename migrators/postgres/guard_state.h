/*
 * guard_state.h - what the catalogs say of a guard.
 */
#ifndef POSTGRES_GUARD_STATE_H
#define POSTGRES_GUARD_STATE_H

#include "postgres/guard_sql.h"

/* Triggers run in the order of their names: ours behind the application's. */
#define GUARD_STATE_TRIGGER "zz_envelope_"
#define GUARD_STATE_CHECK   "envelope_"

struct guard_state {
    bool schema;      /* the schema envelope is there                       */
    bool function;    /* the trigger function                               */
    bool triggers;    /* any of the two                                     */
    bool constraint;  /* the CHECK, valid or not                            */
    bool current;     /* what was set is what would be set now              */
    enum envl_guard_stage asked, stage;
    uint64_t writes;
    int64_t since_ms, now_ms;
    bool owner;       /* of the table: this role may set a guard            */
    bool may_create;  /* in the schema envelope, or the schema itself       */
    bool may_hush;    /* may keep a refused statement out of the log        */
    bool hushed;      /* the function does                                  */
    char *owner_name; /* of the table                                       */
    char *old_parts;  /* DROP FUNCTION ...; for our helpers, or NULL        */
    char *later;      /* triggers that run after ours, or NULL              */
    char *bare;       /* partitions whose triggers are not on, or NULL      */
};

/**
 * guard_state_read(target, guard, out, err):
 * Fill in the zeroed ${out}; free it with guard_state_free in any case.
 */
enum envl_status guard_state_read(const struct envl_target *target,
                                  const struct guard_sql *guard,
                                  struct guard_state *out,
                                  struct envl_error *err);
void guard_state_free(struct guard_state *state);

/**
 * guard_state_body(guard, target, stage, sql):
 * Append the body of the trigger function of OBSERVE or MODERATE: what says
 * which of them is in force.
 */
void guard_state_body(const struct guard_sql *guard,
                      const struct envl_target *target,
                      enum envl_guard_stage stage, struct sql *sql);

/**
 * guard_state_note(state, guard, sql):
 * Append what is kept as the function's comment: ${state}'s asked and
 * since_ms, and the digest of ${guard}.
 */
void guard_state_note(const struct guard_state *state,
                      const struct guard_sql *guard, struct sql *sql);

#endif /* POSTGRES_GUARD_STATE_H */
