/*
 * ident.h - a value as the text that names a document (spec JOB-35).
 */
#ifndef MONGO_IDENT_H
#define MONGO_IDENT_H

#include <bson/bson.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/**
 * ident_text(at, arena, out):
 * Store in ${out} the text of the value at ${at} as contexts write a key,
 * typed: "int:42" for a whole number of whatever number type, "str:...",
 * "oid:" 24 digits, "uuid:" (BinData 4 of 16 bytes), "bin:" subtype ":" hex;
 * hexadecimal in lower case.  Kind TEXT, or OTHER where its type or its value
 * gives no such text (a fraction, text that is not UTF-8, a document, more
 * than a context holds).  The text lies in ${arena}.  ENVL_OK or
 * ENVL_E_NOMEM.
 */
enum envl_status ident_text(const bson_iter_t *at, struct arena *arena,
                            struct envl_cell *out);

#endif /* MONGO_IDENT_H */
