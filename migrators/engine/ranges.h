/*
 * ranges.h - the ranges that a job's targets are cut into.
 */
#ifndef ENGINE_RANGES_H
#define ENGINE_RANGES_H

#include "engine/workers.h"

/**
 * ranges_make(session, threads, workers, err):
 * Cut every target of ${session} into ranges, up to the largest key there is
 * now, as new slots of ${workers}, free and numbered from 1.  A target
 * without rows has none.  With ${threads} above 1, or a store that many
 * processes may work on, there are more ranges than threads, so that they end
 * together.
 */
enum envl_status ranges_make(struct session *session, uint32_t threads,
                             struct workers *workers, struct envl_error *err);

/**
 * ranges_rows(session):
 * How many rows the targets hold together, an estimate.
 */
uint64_t ranges_rows(const struct session *session);

#endif /* ENGINE_RANGES_H */
