/*
 * state.h - the state of a value: total, disjoint, from one pure function.
 */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include <stdbool.h>

#include <envelope/envelope.h>
#include <envelope/migrator.h>

/* product.md section 4, "Row states"; the names are the lower-case words. */
enum row_state {
    ROW_ABSENT,
    ROW_NULL,
    ROW_EMPTY,
    ROW_PLAINTEXT,
    ROW_SEALED_CURRENT,
    ROW_SEALED_OLD_KID,
    ROW_SEALED_UNKNOWN_KID,
    ROW_SEALED_WRONG_CONTEXT,
    ROW_SEALED_CORRUPT,
    ROW_SEALED_NEWER,
    ROW_PREFIX_COLLISION,
    ROW_BOTH_PRESENT,
    ROW_LEGACY_CIPHER,
    ROW_BAD_CODEC,
    ROW_BAD_CONTEXT,
    ROW_WRONG_TYPE,
    ROW_TOO_LARGE,
    ROW_STATE_COUNT
};

/* What is known of one of the two places a value can stand in. */
struct row_place {
    enum envl_kind kind;
    bool empty;                /* TEXT or BYTES of length 0               */
    bool sealed;               /* it begins like an envelope              */
    enum envl_status verdict;  /* of envl_classify, if sealed             */
    bool current;              /* under the job's kid, if verdict is OK   */
    bool corrupt;              /* a full open failed after the commitment */
};

/* Only what the state asks for needs to be known; the rest may be anything. */
struct row_facts {
    struct row_place source;   /* the value itself                        */
    struct row_place sibling;  /* ABSENT where there is no `into`         */
    bool has_into;
    bool keep_source;          /* sibling mode: both present is normal    */
    bool seal_empty;           /* empty: seal                             */
    bool same;                 /* both present: the sibling, fully opened,
                                  holds the source's value                */
    bool legacy;               /* the source has the shape of a known scheme */
    bool codec_ok;             /* the source decodes                      */
    bool context_ok;           /* a valid context can be made             */
    bool type_ok;              /* the job's type accepts it               */
    bool fits;                 /* the envelope fits where it goes         */
};

/**
 * row_state_of(facts):
 * The one state of a value.  Pure: no I/O, no allocation, any input.  With
 * `into`: an envelope at the sibling speaks for the value once the source is
 * gone; a plaintext beside an envelope of the same value is plaintext (sealed
 * again and removed), in sibling mode it has the envelope's state; a sibling
 * that holds anything but an envelope is both_present, never overwritten; an
 * envelope at the source is in the wrong place, whatever it says.
 */
enum row_state row_state_of(const struct row_facts *facts);

/**
 * row_state_sealed(state):
 * True for the states whose value names a kid.
 */
bool row_state_sealed(enum row_state state);

/**
 * row_state_name(state):
 * Its word, such as "sealed_old_kid".
 */
const char *row_state_name(enum row_state state);

/**
 * row_state_parse(word, out):
 * The reverse; false if ${word} names no state.
 */
bool row_state_parse(const char *word, enum row_state *out);

#endif /* ENGINE_STATE_H */
