/*
 * change.h - what the edits of one row make of its columns.
 */
#ifndef SQLITE_CHANGE_H
#define SQLITE_CHANGE_H

#include "sqlite/target.h"

/**
 * change_make(target, page, edits, count, out, err):
 * Combine the ${count} edits of one row of ${page}; documents are spliced,
 * each once.  The new values borrow from the edits and from target->batch.
 * Fails with ENVL_E_POLICY if an edit is not possible where it points (the
 * row is then ENVL_REFUSED), ENVL_E_USAGE if it makes no sense, and
 * ENVL_E_NOMEM.
 */
enum envl_status change_make(struct envl_target *target,
                             const struct page *page,
                             const struct envl_edit *edits, uint32_t count,
                             struct entry *out, struct envl_error *err);

#endif /* SQLITE_CHANGE_H */
