/*
 * guard_cells.h - is there plaintext at one field of a row, and is it new?
 */
#ifndef POSTGRES_GUARD_CELLS_H
#define POSTGRES_GUARD_CELLS_H

#include "postgres/store.h"

/* A field's two places in one version of its row, as SQL. */
struct guard_cells {
    char *value, *sibling; /* NULL: there is no sibling */
    enum column_class class, sibling_class;
};

/**
 * guard_cells_make(field, conn, row, out):
 * The places of ${field}, which has no wildcard, in the row whose columns are
 * found behind ${row}: "NEW.", "OLD." or nothing.  Free ${out} in any case.
 * False if memory is short.
 */
bool guard_cells_make(const struct pg_field *field, PGconn *conn,
                      const char *row, struct guard_cells *out);
void guard_cells_free(struct guard_cells *cells);

/**
 * guard_cells_put_row(sql, cells, keep, empty_ok):
 * Append a condition: the row holds plaintext here.  ${keep}: a source may
 * stand beside its envelope.  spec: MIG-60
 */
void guard_cells_put_row(struct sql *sql, const struct guard_cells *cells,
                         bool keep, bool empty_ok);

/**
 * guard_cells_put_update(sql, now, before, keep, empty_ok):
 * Append a condition: the update brings plaintext that did not stand there.
 * spec: MIG-62
 */
void guard_cells_put_update(struct sql *sql, const struct guard_cells *now,
                            const struct guard_cells *before, bool keep,
                            bool empty_ok);

#endif /* POSTGRES_GUARD_CELLS_H */
