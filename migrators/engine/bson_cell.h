/*
 * bson_cell.h - cells of kind BSON, {"v": value}, that hold an envelope.
 */
#ifndef ENGINE_BSON_CELL_H
#define ENGINE_BSON_CELL_H

#include <stdbool.h>

#include <envelope/bson.h>
#include <envelope/migrator.h>

/**
 * bson_cell_document(cell, out):
 * True if ${cell} holds a document as its value; ${out} borrows its bytes.
 */
bool bson_cell_document(struct envl_bytes cell, struct envl_bytes *out);

/**
 * bson_cell_begins(cell):
 * True if the value is a document with the beginning of an envelope (spec
 * ENV-8.20).
 */
bool bson_cell_begins(struct envl_bytes cell);

/**
 * bson_cell_make(envelope, out, err):
 * Append {"v": the object form of ${envelope}} to ${out}.  Fails as
 * envl_bson_encode does.
 */
enum envl_status bson_cell_make(struct envl_bytes envelope,
                                struct envl_buf *out, struct envl_error *err);

#endif /* ENGINE_BSON_CELL_H */
