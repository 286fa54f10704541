/*
 * cost.h - what writing many rows of a table costs: room, and WAL.
 */
#ifndef POSTGRES_COST_H
#define POSTGRES_COST_H

#include "postgres/store.h"

/**
 * cost_estimate(target, cost, err):
 * struct envl_migrator's cost.
 */
enum envl_status cost_estimate(struct envl_target *target,
                               struct envl_cost *cost,
                               struct envl_error *err);

#endif /* POSTGRES_COST_H */
