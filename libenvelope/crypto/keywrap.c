/*
 * The low-level calls are deprecated in OpenSSL 3, and need nothing of it to
 * be set up: opening a ring unwraps a key for each entry, and would otherwise
 * cost every start of the command 2 ms.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/aes.h>
#include <sodium.h>

#include "crypto/keywrap.h"

enum envl_status
keywrap_wrap(const uint8_t kek[KEYWRAP_KEY_LEN],
             const uint8_t key[KEYWRAP_KEY_LEN], uint8_t out[KEYWRAP_LEN],
             struct envl_error *err)
{
    AES_KEY schedule;
    int len = 0;

    if (AES_set_encrypt_key(kek, 256, &schedule) == 0)
        len = AES_wrap_key(&schedule, NULL, out, key, KEYWRAP_KEY_LEN);
    sodium_memzero(&schedule, sizeof(schedule));
    if (len != (int)KEYWRAP_LEN)
        return envl_fail(err, ENVL_E_INTERNAL, "AES key wrap failed");
    return ENVL_OK;
}

enum envl_status
keywrap_unwrap(const uint8_t kek[KEYWRAP_KEY_LEN],
               const uint8_t wrapped[KEYWRAP_LEN],
               uint8_t key[KEYWRAP_KEY_LEN], struct envl_error *err)
{
    uint8_t plain[KEYWRAP_KEY_LEN + 8]; /* it writes before it has checked */
    AES_KEY schedule;
    int len = 0;

    if (AES_set_decrypt_key(kek, 256, &schedule) == 0)
        len = AES_unwrap_key(&schedule, NULL, plain, wrapped, KEYWRAP_LEN);
    sodium_memzero(&schedule, sizeof(schedule));
    if (len != (int)KEYWRAP_KEY_LEN) {
        sodium_memzero(plain, sizeof(plain));
        sodium_memzero(key, KEYWRAP_KEY_LEN);
        return envl_fail(err, ENVL_E_AUTH,
                         "the key was wrapped by another key, or changed");
    }
    for (size_t i = 0; i < KEYWRAP_KEY_LEN; i++)
        key[i] = plain[i];
    sodium_memzero(plain, sizeof(plain));
    return ENVL_OK;
}
