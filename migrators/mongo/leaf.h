/*
 * leaf.h - the values of a BSON document that a job's fields mean.
 *
 * One walk over the document's bytes for each field (core/bson_check.h, which
 * gives values as they lie there: libbson's own copies would sort a regular
 * expression's options).  Nothing is decoded and encoded again, so every type
 * comes back exactly.
 *
 * What a path means (spec: JOB-20): a name and `*` are members of documents
 * only, `[*]` elements of arrays only, and a `*` at the document's root is
 * never its _id, which cannot be changed.
 */
#ifndef MONGO_LEAF_H
#define MONGO_LEAF_H

#include <stdbool.h>

#include <bson/bson.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/**
 * leaf_collect(document, fields, count, arena, leaves, leaf_count, err):
 * Store in ${leaves} the leaves of all ${fields}, in their order, as spec
 * MIG-24 and MIG-26 say: concrete paths, and for a field that matches nothing
 * one leaf of kind ABSENT.  Kinds: a string is TEXT, BinData 0 BYTES, null
 * NULL, any other type BSON, {"v": value}, byte for byte.  OTHER, so that it
 * is listed and never written: a value that is `undefined` or a string that
 * is not UTF-8; one that a name leads to which stands twice in its document,
 * or an array whose keys are not 0, 1, 2, ...; a sibling that stands twice;
 * and, for every field, a document that is not valid BSON.
 *
 * Bytes are borrowed from ${document}, which has to outlive the leaves; what
 * is made lies in ${arena}.  Fails with ENVL_E_NOMEM, and with ENVL_E_LIMIT
 * where there are more leaves than can be counted.
 */
enum envl_status leaf_collect(const bson_t *document,
                              const struct envl_field_spec *fields,
                              uint32_t count, struct arena *arena,
                              struct envl_leaf **leaves, uint32_t *leaf_count,
                              struct envl_error *err);

/**
 * leaf_find(document, path, at):
 * Set ${at} to the value at a concrete ${path} (MEMBER and ELEMENT).  False
 * if there is none, or if a name on the way stands twice.
 */
bool leaf_find(const bson_t *document, const struct envl_path *path,
               bson_iter_t *at);

/**
 * leaf_extra(document, dotted, arena, out):
 * The text of the value at a dotted path of names ("tenant.id"), written as
 * a key is (ident.h), for contexts that need it (spec: JOB-36); ABSENT if it
 * is not there, OTHER if it has no such text or stands twice.  ENVL_OK or
 * ENVL_E_NOMEM.
 */
enum envl_status leaf_extra(const bson_t *document, const char *dotted,
                            struct arena *arena, struct envl_cell *out);

/**
 * leaf_addressable(path, into):
 * True if an update and a filter can name the place by its dotted path: no
 * name in it is empty, holds a dot, or begins with a dollar.  With ${into}
 * (may be NULL) that name is looked at, too.
 */
bool leaf_addressable(const struct envl_path *path, const char *into);

#endif /* MONGO_LEAF_H */
