/*
 * hash.h - the server's $toHashedIndexKey, computed here.
 */
#ifndef MONGO_HASH_H
#define MONGO_HASH_H

#include <stdbool.h>

#include <bson/bson.h>

/**
 * hash_value(at, out):
 * What MongoDB's hashed indexes hold for the string or BinData at ${at}: the
 * first 8 bytes, little endian, of the MD5 over a seed of 0, the type's place
 * in the order of types, and the value as BSON has it.  It detects a change;
 * it keeps no secret.  False for other types: it rounds numbers.
 */
bool hash_value(const bson_iter_t *at, int64_t *out);

#endif /* MONGO_HASH_H */
