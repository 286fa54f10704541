/*
 * select.h - the statements that find rows: pages, the last key, a sample.
 */
#ifndef POSTGRES_SELECT_H
#define POSTGRES_SELECT_H

#include "postgres/store.h"

/**
 * select_page(target, variant):
 * The statement for SELECT_* ${variant}, made once and borrowed from
 * ${target}; NULL if memory is short.  Its columns are ctid and xmin (not
 * with SELECT_VALUE), the keys, the cells and, if select_is_measured, two
 * float8: the size of the values up to and with the row, and of the row's.
 * With SELECT_UNSEALED the rows come in any order, unmeasured.
 * Parameters: with SELECT_KEYS the arrays of keys; else the bounds that the
 * variant names, the number of rows, and if measured the number of bytes.
 */
const char *select_page(struct envl_target *target, uint32_t variant);

/**
 * select_is_measured(target):
 * Whether a page is limited by bytes in the server: only where values are
 * stored out of line can one page be far heavier than those before.
 */
bool select_is_measured(const struct envl_target *target);

/**
 * select_can_find_unsealed(target):
 * Whether the server can tell for every field that it begins like an
 * envelope: not for wildcards and documents that are changed by bytes.
 */
bool select_can_find_unsealed(const struct envl_target *target);

/**
 * select_for_kid(target, kid):
 * Make SELECT_UNSEALED look for ${kid} ("": any) from now on.
 */
void select_for_kid(struct envl_target *target, const char *kid);

/**
 * select_measure(target):
 * Have the server measure pages from now on.
 */
void select_measure(struct envl_target *target);

/* envl_migrator.last_key and split. */
enum envl_status select_last_key(struct envl_target *target, envl_key_fn *each,
                                 void *cookie, struct envl_error *err);
enum envl_status select_split(struct envl_target *target, uint32_t parts,
                              envl_key_fn *each, void *cookie,
                              struct envl_error *err);

#endif /* POSTGRES_SELECT_H */
