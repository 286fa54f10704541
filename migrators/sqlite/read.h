/*
 * read.h - pages of rows, in the order of their keys.
 */
#ifndef SQLITE_READ_H
#define SQLITE_READ_H

#include "sqlite/target.h"

/**
 * read_begin, read_end, read_page_free, read_last_key, read_split:
 * struct envl_migrator's.  The work is done in read_begin, which the order of
 * calls puts outside a write transaction, so that reading holds no lock of a
 * writer.
 */
enum envl_status read_begin(struct envl_target *target,
                            const struct envl_read *read,
                            struct envl_error *err);
enum envl_status read_end(struct envl_target *target, struct envl_page **page,
                          struct envl_error *err);
void read_page_free(struct envl_page *page);
enum envl_status read_last_key(struct envl_target *target, envl_key_fn *each,
                               void *cookie, struct envl_error *err);
enum envl_status read_split(struct envl_target *target, uint32_t parts,
                            envl_key_fn *each, void *cookie,
                            struct envl_error *err);

#endif /* SQLITE_READ_H */
