/*
 * pressure.h - what a sweep of a SQLite file yields to: a query of the job.
 */
#ifndef SQLITE_PRESSURE_H
#define SQLITE_PRESSURE_H

#include "sqlite/store.h"

/**
 * pressure_look(store, pressure, err):
 * struct envl_migrator's pressure.
 */
enum envl_status pressure_look(struct envl_store *store,
                               struct envl_pressure *pressure,
                               struct envl_error *err);

#endif /* SQLITE_PRESSURE_H */
