/*
 * edit.h - the edits of one document as one update with compare-and-swap.
 *
 * What is compared: for each edited value its place has to hold what was
 * read, of the same type, and not as one element of an array there; so has
 * the place of its sibling.  What can be named by a dotted path is set by it
 * and nothing else is touched.  Where a name holds a dot, begins with a
 * dollar or is empty, the top-level member is put together anew, byte for
 * byte but for the edited values, and compared as a whole.
 */
#ifndef MONGO_EDIT_H
#define MONGO_EDIT_H

#include <stdbool.h>

#include "mongo/store.h"

/* The edits of one row; all is borrowed. */
struct edit_row {
    const struct envl_target *target;
    const struct envl_row *row;
    struct envl_bytes document; /* as it was read */
    const struct envl_edit *edits;
    uint32_t count;
};

/* Why a document cannot be written here. */
enum edit_result {
    EDIT_MADE,
    EDIT_NAMELESS, /* a top-level name that no update can name          */
    EDIT_EXPOSED,  /* its value would have to stand in a filter that is
                      logged                                            */
    EDIT_WRONG,    /* an edit that no leaf of the row can take          */
    EDIT_NOMEM
};

/**
 * edit_append(row, arena, op):
 * Append q, u and what belongs to them to the empty document ${op}, an
 * element of an update command.  ${arena} is for scratch.
 */
enum edit_result edit_append(const struct edit_row *row, struct arena *arena,
                             bson_t *op);

/**
 * edit_holds(row, arena, document):
 * Whether ${document}, as it is now, holds what the edits put, and no longer
 * what they remove.
 */
bool edit_holds(const struct edit_row *row, struct arena *arena,
                const bson_t *document);

#endif /* MONGO_EDIT_H */
