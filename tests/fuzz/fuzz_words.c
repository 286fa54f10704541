/*
 * Any bytes as the words of a recovery key, and as the signature of a manifest:
 * what is read is written again as the same words, and only the one signature
 * that the library makes verifies.  The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include <envelope.h>

#include "keyring/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of the specification's example: TEST DATA. */
static struct envl_keyring *
ring(void)
{
    static struct envl_keyring *made;
    struct keyring_given key = {
        .info = { .kid = "m1", .scope = "default", .use = ENVL_USE_MAC,
                  .state = ENVL_KEY_ACTIVE }
    };

    if (made != NULL)
        return made;
    for (uint8_t i = 0; i < 32; i++)
        key.bytes[i] = i;
    if (keyring_from_keys(&key, 1, &made, NULL) != ENVL_OK)
        abort();
    return made;
}

static void
read_words(struct envl_bytes text)
{
    struct envl_secret *key = NULL, *words = NULL, *again = NULL;
    struct envl_error err;

    if (envl_recovery_key_read(text, &key, &err) != ENVL_OK) {
        if (err.status != ENVL_E_FORMAT || key != NULL)
            abort();
        return;
    }
    if (envl_recovery_key_words(key, &words, NULL) != ENVL_OK ||
        envl_recovery_key_read(envl_secret_bytes(words), &again, NULL) !=
            ENVL_OK || !envl_secret_equal(key, again))
        abort();
    envl_secret_free(key);
    envl_secret_free(words);
    envl_secret_free(again);
}

static void
verify(struct envl_bytes signature)
{
    const struct envl_bytes content = envl_bytes_of("hello\n");
    struct envl_buf good = ENVL_BUF_INIT;
    char kid[ENVL_NAME_SIZE];
    enum envl_status status;
    size_t len = signature.len;

    if (envl_manifest_sign(ring(), NULL, content, &good, NULL) != ENVL_OK)
        abort();
    status = envl_manifest_verify(ring(), NULL, content, signature, kid,
                                  NULL);
    if (len > 0 && signature.ptr[len - 1] == '\n')
        len--;
    if ((status == ENVL_OK) !=
        (len + 1 == good.len && memcmp(signature.ptr, good.ptr, len) == 0))
        abort();
    envl_buf_free(&good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        read_words((struct envl_bytes){ data + 1, size - 1 });
    else
        verify((struct envl_bytes){ data + 1, size - 1 });
    return 0;
}
