#include "provider/recovery.h"

#include <sodium.h>

_Static_assert(crypto_box_PUBLICKEYBYTES == 32, "X25519");

enum envl_status
recovery_wrap(const struct envl_secret *ring_key,
              struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct envl_bytes key = envl_secret_bytes(ring_key);
    uint8_t box[ENVL_RING_KEY_LEN + crypto_box_SEALBYTES];

    if (key.len != ENVL_RING_KEY_LEN)
        return envl_fail(err, ENVL_E_USAGE, "a ring key has 32 bytes");
    if (crypto_box_seal(box, key.ptr, key.len, entry->public_key) != 0)
        return envl_fail(err, ENVL_E_POLICY,
                         "unlock entry '%s' has no usable public key",
                         entry->name);
    envl_buf_clear(&entry->wrapped);
    return envl_buf_append(&entry->wrapped,
                           (struct envl_bytes){ box, sizeof(box) }, err);
}
