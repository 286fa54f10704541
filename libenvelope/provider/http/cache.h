/*
 * cache.h - value keys that a provider has unwrapped, for a while.
 *
 * Off unless the configuration asks for it (spec KEY-70): while a key is
 * held here, the provider cannot take it back.  Bounded by seconds, uses and
 * memory; kept in guarded memory; looked up by the exact bytes of the blob,
 * in the cache of one provider object, which stands for one server, key and
 * ring.  Only what a provider has opened goes in, never a refusal.
 */
#ifndef HTTP_CACHE_H
#define HTTP_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/provider.h>

#include "provider/http/config.h"

struct cache_limits {
    int64_t seconds; /* 0: no cache               */
    int64_t uses;    /* of one key, before the provider is asked again */
    int64_t bytes;   /* of guarded memory         */
};

struct cache;

/**
 * cache_read(config, out):
 * The member "cache" of a provider's settings.
 */
void cache_read(struct config *config, struct cache_limits *out);

/**
 * cache_new(limits, out, err):
 * Store NULL where ${limits} ask for none.  Fails with ENVL_E_NOMEM.
 */
enum envl_status cache_new(const struct cache_limits *limits,
                           struct cache **out, struct envl_error *err);

/**
 * cache_get(cache, blob, key):
 * Copy the key of ${blob} into ${key}, unless it is not here, or its time or
 * uses are over.  ${cache} may be NULL.
 */
bool cache_get(struct cache *cache, struct envl_bytes blob,
               uint8_t key[ENVL_VALUE_KEY_LEN]);

/**
 * cache_put(cache, blob, key):
 * Keep it, in place of the oldest of its row.
 */
void cache_put(struct cache *cache, struct envl_bytes blob,
               const uint8_t key[ENVL_VALUE_KEY_LEN]);

/**
 * cache_free(cache):
 * Wipe and release; NULL is ignored.
 */
void cache_free(struct cache *cache);

#endif /* HTTP_CACHE_H */
