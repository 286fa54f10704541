/*
 * search.h - is anything left after a reading of everything?
 */
#ifndef ENGINE_SEARCH_H
#define ENGINE_SEARCH_H

#include "engine/run.h"

/**
 * search_left(run, known, left, err):
 * Ask the store for rows that may hold something unsealed, and look at those.
 * ${left}: there is a value to be sealed, or more to be quarantined than the
 * ${known} ones, or a target whose store cannot search: then everything has
 * to be read again.  Writes nothing.  Fails with ENVL_E_DATABASE and
 * what concerns the key.
 */
enum envl_status search_left(struct run *run, uint64_t known, bool *left,
                             struct envl_error *err);

#endif /* ENGINE_SEARCH_H */
