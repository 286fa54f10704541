/*
 * ring_state.h - what this machine remembers of each keyring (spec KEY-50,
 * KEY-51).
 *
 * Small files under the state folder: for each ring id the highest generation
 * seen, its MAC, the pin, and when a backup was taken; for each place which
 * ring lay there.  It is how a ring that was put back to an earlier state, or
 * exchanged for another, is noticed.
 */
#ifndef CLI_RING_STATE_H
#define CLI_RING_STATE_H

#include <stdbool.h>

#include <envelope/keyring.h>

struct ring_state {
    struct envl_ring_mark mark;  /* generation 0: never seen            */
    struct envl_ring_mark next;  /* what a change of the ring key was about
                                    to write; generation 0: none         */
    uint64_t backup_generation;  /* 0: no backup is recorded            */
    char backup_date[ENVL_DATE_SIZE];
    bool placed;                 /* this ring was seen in this place    */
    char other[ENVL_UUID_SIZE];  /* another ring was seen there, or ""  */
};

/**
 * ring_state_load(folder, ring, id, out, err):
 * Read what is remembered of ring ${id}, and of the place ${ring} (a path);
 * nothing is not an error.  Fails with ENVL_E_INTEGRITY if a file is damaged,
 * ENVL_E_POLICY if others could have written it, ENVL_E_IO.
 */
enum envl_status ring_state_load(const char *folder, const char *ring,
                                 const char *id, struct ring_state *out,
                                 struct envl_error *err);

/* How to deal with a later generation that is remembered. */
enum ring_state_how {
    RING_STATE_LATER, /* keep it                            */
    RING_STATE_FORCE  /* forget it: the user accepted this  */
};

/**
 * ring_state_save(folder, ring, state, how, err):
 * Remember ${state}, and that it lies at ${ring} (NULL: nowhere new).  Fails
 * with ENVL_E_IO.
 */
enum envl_status ring_state_save(const char *folder, const char *ring,
                                 const struct ring_state *state,
                                 enum ring_state_how how,
                                 struct envl_error *err);

#endif /* CLI_RING_STATE_H */
