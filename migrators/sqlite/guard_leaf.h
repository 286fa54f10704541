/*
 * guard_leaf.h - plaintext inside JSON, by SQLite's own json_each.
 */
#ifndef SQLITE_GUARD_LEAF_H
#define SQLITE_GUARD_LEAF_H

#include "sqlite/target.h"

/**
 * guard_leaf_add(sql, target, field, row, before, empty_ok):
 * Append a condition, 1 or 0: the document of the field in the row whose
 * columns are found behind ${row} ("NEW.", "OLD." or "") holds plaintext at
 * the field's places, which the row behind ${before} (NULL: none) does not
 * hold under the same names.  Text that is no JSON holds none.
 */
void guard_leaf_add(sqlite3_str *sql, const struct envl_target *target,
                    uint32_t field, const char *row, const char *before,
                    bool empty_ok);

#endif /* SQLITE_GUARD_LEAF_H */
