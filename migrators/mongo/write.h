/*
 * write.h - edits by compare-and-swap, in unordered bulks.
 *
 * One update a document: its filter is the _id and, for each value that is
 * edited, what was read.  A bulk's answer says how many documents matched,
 * not which: if some did not, all of the bulk are read again, and one that
 * holds what was sent was written.  Nothing is guessed (spec: MIG-52).
 */
#ifndef MONGO_WRITE_H
#define MONGO_WRITE_H

#include "mongo/store.h"

/* envl_migrator.write_begin and write_end. */
enum envl_status write_begin(struct envl_target *target,
                             const struct envl_page *page,
                             const struct envl_edit *edits, uint32_t count,
                             struct envl_error *err);
enum envl_status write_end(struct envl_target *target,
                           enum envl_outcome *outcomes,
                           struct envl_error *err);

/**
 * write_abandon(store), write_free(store):
 * Forget the outcomes that nobody asked for; or release also the memory.
 */
void write_abandon(struct envl_store *store);
void write_free(struct envl_store *store);

#endif /* MONGO_WRITE_H */
