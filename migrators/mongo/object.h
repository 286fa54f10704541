/*
 * object.h - what the engine puts into a document.
 *
 * The object form of an envelope (spec ENV-7.9) comes from the engine as the
 * document {"v": {"env": 1, ...}}, and goes back to it as any sub-document
 * does (leaf.h): which documents are envelopes the library knows, and no
 * plugin has to.
 */
#ifndef MONGO_OBJECT_H
#define MONGO_OBJECT_H

#include <stdbool.h>

#include <bson/bson.h>

#include <envelope/migrator.h>

/**
 * object_append(out, name, put):
 * Append ${put} as the member ${name} (any bytes but 0): TEXT as a string,
 * BYTES as BinData 0, NULL as null, BSON as the value of its "v", byte for
 * byte.  False if ${put} is of another kind or no such document, or if
 * ${out} would be too large.
 */
bool object_append(bson_t *out, struct envl_bytes name,
                   const struct envl_cell *put);

#endif /* MONGO_OBJECT_H */
