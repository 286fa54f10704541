/*
 * cost.h - what writing many rows of a table costs.
 */
#ifndef SQLITE_COST_H
#define SQLITE_COST_H

#include "sqlite/target.h"

/**
 * cost_estimate(target, cost, err):
 * struct envl_migrator's cost: of the whole file, since a table's own part of
 * it is not known without reading all of it.
 */
enum envl_status cost_estimate(struct envl_target *target,
                               struct envl_cost *cost,
                               struct envl_error *err);

#endif /* SQLITE_COST_H */
