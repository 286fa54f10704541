#include "provider/unlock_key.h"

#include <string.h>

#include <sodium.h>

#include "crypto/hmac512.h"
#include "crypto/keywrap.h"

/* What the derivation needs; lies in guarded memory. */
struct work {
    struct hmac512_key prepared;
    uint8_t kek[KEYWRAP_KEY_LEN];
};

/* spec: KEY-19 */
static struct work *
derive(const uint8_t secret[32], const char *ring_id, struct envl_error *err)
{
    static const uint8_t zero = 0;
    struct work *work = sodium_malloc(sizeof(*work));
    struct envl_bytes info[] = { envl_bytes_of("libenvelope/v1/unlock"),
                                 { &zero, 1 },
                                 { (const uint8_t *)ring_id, 36 } };

    if (work == NULL) {
        envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
        return NULL;
    }
    hmac512_prepare(&work->prepared, (struct envl_bytes){ secret, 32 });
    hkdf512_expand(&work->prepared, info, 3,
                   (struct envl_span){ work->kek, sizeof(work->kek) });
    return work;
}

enum envl_status
unlock_key_open(const uint8_t secret[32],
                const struct envl_unlock_entry *entry, const char *ring_id,
                struct envl_secret **out, struct envl_error *err)
{
    struct envl_secret *key = NULL;
    struct work *work = NULL;
    enum envl_status status;

    if (entry->wrapped.len != KEYWRAP_LEN)
        return envl_fail(err, ENVL_E_INTEGRITY,
                         "unlock entry '%s' has a wrapped key of %zu bytes",
                         entry->name, entry->wrapped.len);
    if ((status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err)) != ENVL_OK)
        return status;
    if ((work = derive(secret, ring_id, err)) == NULL) {
        status = ENVL_E_NOMEM;
        goto out;
    }
    status = keywrap_unwrap(work->kek, entry->wrapped.ptr,
                            envl_secret_span(key).ptr, err);
    if (status == ENVL_OK) {
        *out = key;
        key = NULL;
    }

out:
    sodium_free(work);
    envl_secret_free(key);
    return status;
}

enum envl_status
unlock_key_wrap(const uint8_t secret[32], const char *ring_id,
                const struct envl_secret *ring_key,
                struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct work *work;
    enum envl_status status;
    struct envl_bytes key = envl_secret_bytes(ring_key);
    uint8_t wrapped[KEYWRAP_LEN];

    if (key.len != ENVL_RING_KEY_LEN)
        return envl_fail(err, ENVL_E_USAGE, "a ring key has 32 bytes");
    if ((work = derive(secret, ring_id, err)) == NULL)
        return ENVL_E_NOMEM;
    status = keywrap_wrap(work->kek, key.ptr, wrapped, err);
    sodium_free(work);
    if (status != ENVL_OK)
        return status;
    envl_buf_clear(&entry->wrapped);
    return envl_buf_append(&entry->wrapped,
                           (struct envl_bytes){ wrapped, sizeof(wrapped) },
                           err);
}
