/*
 * pressure.h - what a sweep yields to: replicas, vacuums, the archive, old
 * transactions, busy sessions, and what a query of the job says.
 */
#ifndef POSTGRES_PRESSURE_H
#define POSTGRES_PRESSURE_H

#include "postgres/store.h"

/**
 * pressure_look(store, pressure, err):
 * struct envl_migrator's pressure.
 */
enum envl_status pressure_look(struct envl_store *store,
                               struct envl_pressure *pressure,
                               struct envl_error *err);

#endif /* POSTGRES_PRESSURE_H */
