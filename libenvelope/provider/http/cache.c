#include "provider/http/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/clock.h"

#define WAYS 4u

struct held {
    uint8_t digest[32]; /* of the blob */
    uint8_t key[ENVL_VALUE_KEY_LEN];
    int64_t until_ms; /* 0: empty */
    int64_t uses;     /* left     */
};

struct cache {
    struct cache_limits limits;
    pthread_mutex_t lock;
    size_t rows;
    struct held *held; /* rows * WAYS, guarded */
};

void
cache_read(struct config *config, struct cache_limits *out)
{
    struct config c;

    config_inner(config, "cache", "cache.", &c);
    config_number(&c, &(struct config_number){ "seconds", 0, 86400, 0 },
                  &out->seconds);
    config_number(&c, &(struct config_number){ "uses", 1, 1000000, 1000 },
                  &out->uses);
    config_number(&c, &(struct config_number){ "bytes", 4096, 16 << 20,
                                               65536 },
                  &out->bytes);
    config_done(&c, config);
}

enum envl_status
cache_new(const struct cache_limits *limits, struct cache **out,
          struct envl_error *err)
{
    size_t rows = (size_t)limits->bytes / (WAYS * sizeof(struct held));
    struct cache *cache;

    *out = NULL;
    if (limits->seconds == 0 || limits->uses == 0 || rows == 0)
        return ENVL_OK;
    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");
    if ((cache = calloc(1, sizeof(*cache))) == NULL ||
        (cache->held = sodium_allocarray(rows * WAYS,
                                         sizeof(struct held))) == NULL) {
        free(cache);
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory for a "
                         "cache");
    }
    memset(cache->held, 0, rows * WAYS * sizeof(struct held));
    cache->rows = rows;
    cache->limits = *limits;
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return ENVL_OK;
}

static struct held *
row_of(struct cache *cache, struct envl_bytes blob, uint8_t digest[32])
{
    uint64_t at;

    crypto_hash_sha256(digest, blob.ptr, blob.len);
    memcpy(&at, digest, sizeof(at));
    return cache->held + WAYS * (at % cache->rows);
}

static struct held *
find(struct held *row, const uint8_t digest[32])
{
    for (size_t i = 0; i < WAYS; i++)
        if (row[i].until_ms != 0 &&
            sodium_memcmp(row[i].digest, digest, 32) == 0)
            return &row[i];
    return NULL;
}

bool
cache_get(struct cache *cache, struct envl_bytes blob,
          uint8_t key[ENVL_VALUE_KEY_LEN])
{
    uint8_t digest[32];
    struct held *row, *held;
    bool fresh = false;

    if (cache == NULL)
        return false;
    row = row_of(cache, blob, digest);
    pthread_mutex_lock(&cache->lock);
    if ((held = find(row, digest)) != NULL) {
        fresh = held->uses > 0 && clock_monotonic_ms() < held->until_ms;
        if (fresh) {
            held->uses--;
            memcpy(key, held->key, sizeof(held->key));
        } else {
            sodium_memzero(held, sizeof(*held));
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return fresh;
}

void
cache_put(struct cache *cache, struct envl_bytes blob,
          const uint8_t key[ENVL_VALUE_KEY_LEN])
{
    uint8_t digest[32];
    struct held *row, *held;

    if (cache == NULL)
        return;
    row = row_of(cache, blob, digest);
    pthread_mutex_lock(&cache->lock);
    if ((held = find(row, digest)) == NULL) {
        held = row;
        for (size_t i = 1; i < WAYS; i++)
            if (row[i].until_ms < held->until_ms)
                held = &row[i];
    }
    memcpy(held->digest, digest, sizeof(held->digest));
    memcpy(held->key, key, sizeof(held->key));
    held->until_ms = clock_monotonic_ms() + cache->limits.seconds * 1000;
    held->uses = cache->limits.uses;
    pthread_mutex_unlock(&cache->lock);
}

void
cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    sodium_free(cache->held);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}
