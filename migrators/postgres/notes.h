/*
 * notes.h - what a sweep of a table sets off beside its updates.
 */
#ifndef POSTGRES_NOTES_H
#define POSTGRES_NOTES_H

#include "postgres/store.h"

/**
 * notes_say(target, err):
 * Note triggers, rules, indexes, constraints, generated columns, views,
 * publications and row security that the written columns touch, columns that
 * are narrow, and missing grants (MIG-13).
 */
enum envl_status notes_say(struct envl_target *target,
                           struct envl_error *err);

#endif /* POSTGRES_NOTES_H */
