/*
 * begins.h - how SQL tells an envelope by its beginning (spec ENV-7, ENV-8.2).
 *
 * The one place that knows: the search for what is left (MIG-51) and the
 * guards (MIG-60) judge alike.
 */
#ifndef POSTGRES_BEGINS_H
#define POSTGRES_BEGINS_H

#include "postgres/store.h"

/**
 * begins_put(sql, class, cell, kid):
 * Append a condition that is true if ${cell}, SQL of a value of ${class}
 * (TEXT, BYTEA or JSONB) that is not null, begins like an envelope under
 * ${kid} ("": under any), else false.  A kid is of [a-z0-9.-] (spec ENV-3),
 * so it stands in a literal as it is.
 */
void begins_put(struct sql *sql, enum column_class class, const char *cell,
                const char *kid);

/**
 * begins_put_plain(sql, class, cell, empty_ok):
 * Append a condition that is true if ${cell} holds plaintext: not null, not
 * JSON null, not empty if ${empty_ok}, and no beginning; never null.
 * spec: MIG-60
 */
void begins_put_plain(struct sql *sql, enum column_class class,
                      const char *cell, bool empty_ok);

#endif /* POSTGRES_BEGINS_H */
