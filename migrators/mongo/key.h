/*
 * key.h - the _id of a document: its opaque form, its name, its place among
 * the others.
 *
 * _id can be of any type, and of several in one collection.  All are ordered
 * by class first (numbers before strings before documents ...) and inside a
 * class by value, as the _id index is.  What a query says with $gt and $lt
 * stays inside a class.
 */
#ifndef MONGO_KEY_H
#define MONGO_KEY_H

#include <stdbool.h>

#include <bson/bson.h>

#include <envelope/migrator.h>

#include "common/arena.h"

/* The classes, in the order of the index. */
enum key_class {
    KEY_MIN,
    KEY_NULL,     /* undefined, too */
    KEY_NUMBER,
    KEY_TEXT,     /* string, symbol */
    KEY_DOCUMENT,
    KEY_ARRAY,
    KEY_BINARY,
    KEY_OID,
    KEY_BOOL,
    KEY_DATE,
    KEY_TIMESTAMP,
    KEY_REGEX,
    KEY_POINTER,
    KEY_CODE,
    KEY_SCOPED,
    KEY_MAX,
    KEY_CLASSES
};

/**
 * key_class(at):
 * The class of the value at ${at}.
 */
enum key_class key_class(const bson_iter_t *at);

/* One BSON type that an _id can have, as $type names it. */
struct key_type {
    enum key_class class;
    int32_t number;
};

#define KEY_TYPES 21u

/**
 * key_types():
 * All KEY_TYPES of them, in the order of their classes.
 */
const struct key_type *key_types(void);

/**
 * key_single(class):
 * Whether all values of the class are equal: MinKey, null, MaxKey.
 */
bool key_single(enum key_class class);

/**
 * key_is_nan(at):
 * Whether it is the number that no comparison finds.
 */
bool key_is_nan(const bson_iter_t *at);

/**
 * key_encode(id, arena, out):
 * The opaque key of the _id at ${id}: the BSON document {"_id": value}.
 * ENVL_OK, ENVL_E_LIMIT if it is too long, or ENVL_E_NOMEM.
 */
enum envl_status key_encode(const bson_iter_t *id, struct arena *arena,
                            struct envl_bytes *out);

/**
 * key_decode(key, id):
 * Set ${id} to the value in ${key}, which has to outlive it; false if it is
 * no such document.
 */
bool key_decode(struct envl_bytes key, bson_iter_t *id);

/* How two keys lie, as far as it can be told here. */
enum key_order {
    KEY_LESS,
    KEY_EQUAL,
    KEY_GREATER,
    KEY_UNKNOWN /* only the server can tell: documents, decimals, ... */
};

/**
 * key_compare(a, b, collated):
 * The order of two values; of two strings it is unknown if the collection is
 * ${collated}.
 */
enum key_order key_compare(const bson_iter_t *a, const bson_iter_t *b,
                           bool collated);

/**
 * key_name(id, arena, out):
 * For people: "_id=42", "_id=oid:65f0...", up to some 100 characters.
 * ENVL_OK or ENVL_E_NOMEM.
 */
enum envl_status key_name(const bson_iter_t *id, struct arena *arena,
                          struct envl_bytes *out);

#endif /* MONGO_KEY_H */
