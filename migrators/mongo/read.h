/*
 * read.h - pages of documents.
 *
 * Every page is one find of its own, answered in one batch: no cursor is left
 * on the server.  A batch can be shorter than was asked for (16 MiB), so only
 * an empty one is the end (spec: MIG-22).
 */
#ifndef MONGO_READ_H
#define MONGO_READ_H

#include "mongo/store.h"

/* envl_migrator.read_begin, read_end and page_free. */
enum envl_status read_begin(struct envl_target *target,
                            const struct envl_read *read,
                            struct envl_error *err);
enum envl_status read_end(struct envl_target *target, struct envl_page **page,
                          struct envl_error *err);
void read_page_free(struct envl_page *page);

/**
 * read_documents(target, keys, count, each, cookie, err):
 * Give the documents of exactly these ${keys} that are there, in any order;
 * each is borrowed for the call.
 */
typedef enum envl_status read_document_fn(void *cookie, const bson_t *document,
                                          struct envl_error *err);
enum envl_status read_documents(struct envl_target *target,
                                const struct envl_bytes *keys, uint32_t count,
                                read_document_fn *each, void *cookie,
                                struct envl_error *err);

#endif /* MONGO_READ_H */
