/*
 * cell.h - one value of a BSON document as the engine takes it (spec MIG-25).
 */
#ifndef MONGO_CELL_H
#define MONGO_CELL_H

#include <envelope/migrator.h>

#include "common/arena.h"
#include "core/bson_check.h"

/**
 * cell_take(element, arena, out):
 * A string in UTF-8 is TEXT, BinData 0 BYTES, both borrowed; null is NULL;
 * `undefined` and other strings are OTHER; any other type is BSON, the
 * document {"v": value} in ${arena}, byte for byte (spec ENV-6.11).  ENVL_OK
 * or ENVL_E_NOMEM.
 */
enum envl_status cell_take(const struct bson_element *element,
                           struct arena *arena, struct envl_cell *out);

/**
 * cell_text(element, arena, out):
 * The text that contexts write for it (ident.h).
 */
enum envl_status cell_text(const struct bson_element *element,
                           struct arena *arena, struct envl_cell *out);

#endif /* MONGO_CELL_H */
