#include <string.h>

#include <sodium.h>

#include "crypto/hmac512.h"
#include "keyring/key.h"
#include "ring_mac.h"

enum envl_status
ring_mac_make(struct envl_keyring *ring, const char *label,
              struct envl_bytes bytes, char out[RING_MAC_TEXT],
              struct envl_error *err)
{
    struct hmac512_key *prepared = sodium_malloc(sizeof(*prepared));
    struct envl_bytes parts[2] = {
        { (const uint8_t *)label, strlen(label) + 1 }, bytes
    };
    struct envl_secret *key = NULL;
    uint8_t mac[HMAC512_LEN];
    enum envl_status status;

    if (prepared == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    status = keyring_subkey(ring, "checkpoint", &key, err);
    if (status == ENVL_OK) {
        hmac512_prepare(prepared, envl_secret_bytes(key));
        hmac512(prepared, parts, 2, mac);
        sodium_bin2base64(out, RING_MAC_TEXT, mac, RING_MAC_LEN,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    }
    envl_secret_free(key);
    sodium_free(prepared);
    return status;
}

bool
ring_mac_holds(struct envl_keyring *ring, const char *label,
               struct envl_bytes bytes, const char *text)
{
    char want[RING_MAC_TEXT];

    return ring_mac_make(ring, label, bytes, want, NULL) == ENVL_OK &&
           strlen(text) == strlen(want) &&
           sodium_memcmp(want, text, strlen(want)) == 0;
}
