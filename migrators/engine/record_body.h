/*
 * record_body.h - the bodies of a job's records, to and from JSON.
 */
#ifndef ENGINE_RECORD_BODY_H
#define ENGINE_RECORD_BODY_H

#include <envelope/keyring.h>

#include "engine/census.h"
#include "engine/engine.h"
#include "engine/ledger.h"

#define RECORD_ID_SIZE 33 /* 32 hexadecimal digits and a NUL */
#define RECORD_CLOSINGS 2u /* closing passes at most              */
#define RECORD_PHASES   (1u + RECORD_CLOSINGS)

enum record_phase {
    RECORD_PREPARE, /* the job is taken, its ranges are not made yet    */
    RECORD_SWEEP,   /* the first reading of everything                  */
    RECORD_CLOSING, /* a reading that seals what came in behind         */
    RECORD_DONE
};

/* Record 0. */
struct record_job {
    enum engine_goal goal;
    char kid[ENVL_KID_MAX + 1];
    enum record_phase phase;
    uint32_t closing;     /* which closing pass; 0 in the sweep            */
    uint32_t pass;        /* 1, 2, ...: how often the job was run anew      */
    uint32_t ranges;      /* how many range records there are              */
    char phase_id[RECORD_ID_SIZE]; /* random; its ranges repeat it         */
    char digest[65];      /* of the job file                               */
    struct envl_ring_mark ring;
    struct ledger phases[RECORD_PHASES]; /* of this pass: the sweep, then
                             its closing passes, as far as they are over   */
    uint64_t phase_ms[RECORD_PHASES]; /* the time each of them took        */
    struct census census; /* of the latest of them                         */
    uint64_t rows;        /* in the targets, an estimate                   */
    uint64_t ms;          /* time spent on this pass                       */
    enum envl_status outcome; /* once it is done                           */
    /* For who looks from elsewhere; bodies of before have none of it. */
    char wait_reason[24], wait_text[200]; /* "": nothing is waited for     */
    uint64_t wait_ms;         /* for so long                               */
    uint64_t rate;            /* rows a second                             */
    uint32_t threads;         /* of who leads                              */
    uint32_t batch_rows, batch_ms;
};

/* Records 1 and up: the rows with ${after} < key <= ${until}. */
struct record_range {
    char phase_id[RECORD_ID_SIZE];
    uint32_t target;
    struct envl_buf after, until; /* exclusive, inclusive; empty: unbounded */
    struct envl_buf cursor;       /* the last key that is settled           */
    bool done;
    struct ledger ledger;
    struct census census;
};

/**
 * record_body_encode_job(job, out, err),
 * record_body_encode_range(range, out, err):
 * Replace the contents of ${out} by the body.  Fails with ENVL_E_NOMEM.
 */
enum envl_status record_body_encode_job(const struct record_job *job,
                                        struct envl_buf *out,
                                        struct envl_error *err);
enum envl_status record_body_encode_range(const struct record_range *range,
                                          struct envl_buf *out,
                                          struct envl_error *err);

/**
 * record_body_decode_job(body, out, err),
 * record_body_decode_range(body, out, err):
 * The reverse, into a zeroed or freed ${out}; free it afterwards.  Fails with
 * ENVL_E_INTEGRITY if the body is not one of ours.
 */
enum envl_status record_body_decode_job(struct envl_bytes body,
                                        struct record_job *out,
                                        struct envl_error *err);
enum envl_status record_body_decode_range(struct envl_bytes body,
                                          struct record_range *out,
                                          struct envl_error *err);

/**
 * record_body_free_job(job), record_body_free_range(range):
 * Release what they own; empty and reusable afterwards.
 */
void record_body_free_job(struct record_job *job);
void record_body_free_range(struct record_range *range);

/**
 * record_body_total(job, live, out):
 * The ledger of the whole pass: ${live} is that of the phase under way.  What
 * closing passes sealed is added to the sweep's; how many values are
 * quarantined or in conflict is what the latest whole reading says.
 */
void record_body_total(const struct record_job *job,
                       const struct ledger *live, struct ledger *out);

/**
 * record_body_phase(phase):
 * "prepare", "sweep", "closing" or "done".
 */
const char *record_body_phase(enum record_phase phase);

#endif /* ENGINE_RECORD_BODY_H */
