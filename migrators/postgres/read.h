/*
 * read.h - pages of rows in key order.
 */
#ifndef POSTGRES_READ_H
#define POSTGRES_READ_H

#include "postgres/store.h"

/* envl_migrator.read_begin, read_end and page_free. */
enum envl_status read_begin(struct envl_target *target,
                            const struct envl_read *read,
                            struct envl_error *err);
enum envl_status read_end(struct envl_target *target, struct envl_page **page,
                          struct envl_error *err);
void read_page_free(struct envl_page *page);

/**
 * read_abandon(store):
 * Give up the read that is under way, if there is one.
 */
void read_abandon(struct envl_store *store);

#endif /* POSTGRES_READ_H */
