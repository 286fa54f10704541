#include "audit/audit_key.h"

#include <sodium.h>
#include <string.h>

#include "keyring/key.h"

enum envl_status
audit_key_new(struct envl_keyring *ring, struct audit_key **out,
              struct envl_error *err)
{
    struct envl_ring_mark before, after;
    struct envl_secret *secret = NULL;
    struct audit_key *key;
    enum envl_status status;

    /* A reload may come between: mark and key must be of one ring key. */
    do {
        envl_secret_free(secret);
        secret = NULL;
        envl_keyring_mark(ring, &before);
        status = keyring_subkey(ring, "audit", &secret, err);
        if (status != ENVL_OK)
            return status;
        envl_keyring_mark(ring, &after);
    } while (sodium_memcmp(before.pin, after.pin, sizeof(after.pin)) != 0);

    key = sodium_malloc(sizeof(*key));
    if (key == NULL) {
        status = envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    } else {
        memcpy(key->ring, after.id, sizeof(key->ring));
        memcpy(key->pin, after.pin, sizeof(key->pin));
        hmac512_prepare(&key->mac, envl_secret_bytes(secret));
        *out = key;
    }
    envl_secret_free(secret);
    return status;
}

bool
audit_key_is_current(const struct audit_key *key, struct envl_keyring *ring)
{
    struct envl_ring_mark mark;

    envl_keyring_mark(ring, &mark);
    return strcmp(key->ring, mark.id) == 0 &&
           sodium_memcmp(key->pin, mark.pin, sizeof(key->pin)) == 0;
}

void
audit_key_free(struct audit_key *key)
{
    sodium_free(key);
}
