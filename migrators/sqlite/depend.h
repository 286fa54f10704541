/*
 * depend.h - what in the schema depends on a column that is to be sealed.
 */
#ifndef SQLITE_DEPEND_H
#define SQLITE_DEPEND_H

#include "sqlite/target.h"

/**
 * depend_check(target, err):
 * Note indexes, triggers, CHECKs, generated columns, views and virtual tables
 * that depend on a field (spec MIG-13), and set target->triggers.  Fails with
 * ENVL_E_POLICY where a foreign key does: a sealed value joins nothing.
 */
enum envl_status depend_check(struct envl_target *target,
                              struct envl_error *err);

#endif /* SQLITE_DEPEND_H */
