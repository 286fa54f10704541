/*
 * change.h - what edits mean for the places of a document.
 */
#ifndef MONGO_CHANGE_H
#define MONGO_CHANGE_H

#include <stdbool.h>

#include <bson/bson.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/* One place and what comes there. */
struct change {
    struct envl_path path;       /* concrete                            */
    const struct envl_cell *put; /* NULL: the member is removed         */
    uint32_t edit;               /* which one asks for it               */
};

/**
 * change_sibling(path, into, arena, out):
 * The place beside ${path} that is named ${into}.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status change_sibling(const struct envl_path *path,
                                const char *into, struct arena *arena,
                                struct envl_path *out);

/**
 * change_dotted(path, arena, out):
 * The dotted text of a concrete path, ended by 0.  ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status change_dotted(const struct envl_path *path,
                               struct arena *arena, struct envl_bytes *out);

/**
 * change_splice(document, changes, count, depth, out):
 * Append to ${out} the document or array ${document} (its bytes) with the
 * changes made whose paths lead through it, from segment ${depth} on; all
 * other elements are copied byte for byte and keep their order, members that
 * are new come last.  False if memory is short, or a value cannot be put.
 */
bool change_splice(struct envl_bytes document, const struct change *changes,
                   uint32_t count, uint32_t depth, struct envl_buf *out);

/**
 * change_made(document, change):
 * Whether ${document} is as if ${change} had been made.
 */
bool change_made(const bson_t *document, const struct change *change);

#endif /* MONGO_CHANGE_H */
