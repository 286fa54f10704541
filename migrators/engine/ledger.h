/*
 * ledger.h - what became of the values a sweep has read.
 *
 * Every value is in exactly one of sealed, rotated, skipped, quarantined and
 * conflicts, so that their sum is the number of values read (I6).
 */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include <stdint.h>

#include <jansson.h>

#include <envelope/error.h>

struct ledger {
    uint64_t rows;        /* rows read                                   */
    uint64_t sealed;      /* plaintext (or a legacy value) made envelopes */
    uint64_t rotated;     /* sealed again under the job's key            */
    uint64_t skipped;     /* nothing to do                               */
    uint64_t quarantined; /* left alone, listed with a reason            */
    uint64_t conflicts;   /* somebody else was writing it; left to a
                             closing pass                                */
    uint64_t retried;     /* rows read again after a lost race: no class
                             of its own, not part of the sum             */
};

/**
 * ledger_add(into, from), ledger_subtract(into, from):
 * Every count.
 */
void ledger_add(struct ledger *into, const struct ledger *from);
void ledger_subtract(struct ledger *into, const struct ledger *from);

/**
 * ledger_values(ledger):
 * The number of values accounted for.
 */
uint64_t ledger_values(const struct ledger *ledger);

/**
 * ledger_encode(ledger):
 * As a JSON object; NULL if memory is short.
 */
json_t *ledger_encode(const struct ledger *ledger);

/**
 * ledger_decode(object, out, err):
 * The reverse; every member must be there.  Fails with ENVL_E_INTEGRITY.
 */
enum envl_status ledger_decode(const json_t *object, struct ledger *out,
                               struct envl_error *err);

#endif /* ENGINE_LEDGER_H */
