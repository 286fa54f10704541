/*
 * bson_check.h - is this a valid BSON document (bsonspec.org, version 1.1)?
 *
 * Walks bytes; builds nothing, has no limit on depth, and does not recurse.
 */
#ifndef CORE_BSON_CHECK_H
#define CORE_BSON_CHECK_H

#include <stdbool.h>

#include <envelope/bytes.h>

enum {
    BSON_DOUBLE = 0x01,
    BSON_STRING = 0x02,
    BSON_DOCUMENT = 0x03,
    BSON_ARRAY = 0x04,
    BSON_BINARY = 0x05,
    BSON_INT32 = 0x10,
    BSON_INT64 = 0x12,
    BSON_DECIMAL128 = 0x13
};

/* One element of a document. */
struct bson_element {
    uint8_t type;
    struct envl_bytes name;  /* without its NUL                              */
    struct envl_bytes value; /* the whole value, its length words included   */
    struct envl_bytes bytes; /* of a string or binary: its content; of an
                                old binary (subtype 2) the inner content     */
};

/**
 * bson_check_next(document, at, element):
 * Read the element at offset ${at} (4 for the first) of a document; return
 * the offset after it, 0 at the terminator, or SIZE_MAX if it is broken.
 * Nested documents are not looked into.
 */
size_t bson_check_next(struct envl_bytes document, size_t at,
                       struct bson_element *element);

/**
 * bson_check_document(document, err):
 * ENVL_E_USAGE unless ${document} is one valid document with nothing after
 * it: lengths, types, terminators, UTF-8.  May fail with ENVL_E_NOMEM.
 */
enum envl_status bson_check_document(struct envl_bytes document,
                                     struct envl_error *err);

/**
 * bson_check_next_shape(document, at, element),
 * bson_check_shape(document, err):
 * The same, but for UTF-8: servers accept names and strings that are not, and
 * one of those somewhere in a document says nothing of its other members.
 */
size_t bson_check_next_shape(struct envl_bytes document, size_t at,
                             struct bson_element *element);
enum envl_status bson_check_shape(struct envl_bytes document,
                                  struct envl_error *err);

#endif /* CORE_BSON_CHECK_H */
