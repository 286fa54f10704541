/*
 * value.h - BSON values as a MongoDB server orders and compares them.
 */
#ifndef PEER_VALUE_H
#define PEER_VALUE_H

#include <bson/bson.h>

/* What a command answers when it cannot be carried out; code 0: it can. */
struct trouble {
    int code;
    const char *name;
    char text[200];
};

/**
 * value_trouble(trouble, code, name, ...):
 * Note the first trouble; later ones are dropped.  Returns false.
 */
bool value_trouble(struct trouble *trouble, int code, const char *name,
                   const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * value_compare(a, b):
 * The server's order over values of all types; numbers by what they count,
 * Decimal128 by its nearest long double.
 */
int value_compare(const bson_value_t *a, const bson_value_t *b);

/**
 * value_type_matches(value, spec):
 * As {$type: spec}: a name, a number, or an array of these.
 */
bool value_type_matches(const bson_value_t *value, const bson_value_t *spec);

/**
 * value_type_name(type):
 * The name that $type gives ("missing" for EOD).
 */
const char *value_type_name(bson_type_t type);

bool value_is_number(const bson_value_t *value);
int64_t value_int64(const bson_value_t *value); /* 0 if it is no number */
bool value_truth(const bson_value_t *value);

/**
 * value_of_doc(doc, out):
 * A document as a borrowed value.
 */
bson_value_t value_of_doc(const bson_t *doc);

/**
 * value_doc(value, doc):
 * A document or array as a borrowed bson_t; false for anything else.
 */
bool value_doc(const bson_value_t *value, bson_t *doc);

/**
 * value_hash(value):
 * What $toHashedIndexKey gives: 64 bits that depend on type class and value.
 */
int64_t value_hash(const bson_value_t *value);

#endif /* PEER_VALUE_H */
