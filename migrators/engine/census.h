/*
 * census.h - how many values are in which state, under which key.
 */
#ifndef ENGINE_CENSUS_H
#define ENGINE_CENSUS_H

#include <jansson.h>

#include "engine/state.h"

struct census_entry {
    uint32_t target, field; /* indexes in the job                        */
    enum row_state state;
    char kid[ENVL_KID_MAX + 1]; /* "" unless a sealed state                 */
    uint64_t count;
};

/*
 * Small: at most fields x states x kids of the ring.  Whoever writes rows can
 * make kids up: those that are unknown are counted under kid "" once there are
 * CENSUS_MAX_ENTRIES.  Zero-initialise.
 */
#define CENSUS_MAX_ENTRIES 256u

struct census {
    struct census_entry *entries;
    size_t count, cap, last; /* last: where the last value was counted */
};

/**
 * census_add(census, entry, err):
 * Add ${entry}->count to the matching entry, made if new.
 */
enum envl_status census_add(struct census *census,
                            const struct census_entry *entry,
                            struct envl_error *err);

/**
 * census_merge(into, from, err):
 * Add all of ${from}.
 */
enum envl_status census_merge(struct census *into, const struct census *from,
                              struct envl_error *err);

/**
 * census_total(census, state):
 * The count of one state over all fields and keys.
 */
uint64_t census_total(const struct census *census, enum row_state state);

/**
 * census_encode(census), census_decode(array, out, err):
 * To and from a JSON array of compact entries [target, field, state, kid,
 * count], for records in the store.  encode returns NULL if memory is short.
 * decode fills an empty ${out}, and fails with ENVL_E_INTEGRITY, ${out} empty,
 * for anything that encode does not give.
 */
json_t *census_encode(const struct census *census);
enum envl_status census_decode(const json_t *array, struct census *out,
                               struct envl_error *err);

/**
 * census_free(census):
 * Release; it is empty afterwards.
 */
void census_free(struct census *census);

#endif /* ENGINE_CENSUS_H */
