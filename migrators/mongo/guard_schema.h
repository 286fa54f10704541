/*
 * guard_schema.h - a collection's validator, read and set.
 */
#ifndef MONGO_GUARD_SCHEMA_H
#define MONGO_GUARD_SCHEMA_H

#include "mongo/store.h"

/* A validator as the server has it, or should have it. */
struct guard_schema {
    bson_t validator; /* empty: none          */
    char level[12];   /* "strict" if not said */
    char action[12];  /* "error" if not said  */
};

/**
 * guard_schema_init(schema), guard_schema_free(schema):
 * No validator.
 */
void guard_schema_init(struct guard_schema *schema);
void guard_schema_free(struct guard_schema *schema);

/**
 * guard_schema_read(target, out, err):
 * What listCollections says; the caller frees ${out} whatever comes.
 */
enum envl_status guard_schema_read(const struct envl_target *target,
                                   struct guard_schema *out,
                                   struct envl_error *err);

/**
 * guard_schema_set(target, schema, err):
 * collMod, and read it back.  ENVL_E_POLICY: the server did not keep it.
 */
enum envl_status guard_schema_set(const struct envl_target *target,
                                  const struct guard_schema *schema,
                                  struct envl_error *err);

/**
 * guard_schema_list(validator, out):
 * The filters of one that is {$and: [...]} and nothing else.
 */
bool guard_schema_list(const bson_t *validator, bson_iter_t *out);

/**
 * guard_schema_strange(target, err):
 * Report an answer of another shape: nothing is concluded from one.
 */
enum envl_status guard_schema_strange(const struct envl_target *target,
                                      struct envl_error *err);

/**
 * guard_schema_has(schema, rule):
 * Whether ${rule} is one of those that all have to hold.
 */
bool guard_schema_has(const struct guard_schema *schema, const bson_t *rule);

#endif /* MONGO_GUARD_SCHEMA_H */
