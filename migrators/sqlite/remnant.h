/*
 * remnant.h - do unused parts of pages still hold what once stood there?
 *
 * Without secure_delete SQLite leaves a deleted or moved row's bytes in the
 * gap of a page until something else comes to lie there.  Read-only.
 */
#ifndef SQLITE_REMNANT_H
#define SQLITE_REMNANT_H

#include "sqlite/store.h"

/**
 * remnant_count(store, pages, known, err):
 * Count the free pages, and pages of tables and indexes, whose unused bytes
 * hold text.
 * ${known} is false if that cannot be told: SQLite without dbstat, or a file
 * too large to be looked through within statement_ms.
 */
enum envl_status remnant_count(struct envl_store *store, uint64_t *pages,
                               bool *known, struct envl_error *err);

#endif /* SQLITE_REMNANT_H */
