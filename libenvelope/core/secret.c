#include <stdlib.h>

#include <sodium.h>

#include <envelope/secret.h>

struct envl_secret {
    size_t len;
    uint8_t *data; /* guarded and locked by libsodium */
};

enum envl_status
envl_secret_new(size_t len, struct envl_secret **out, struct envl_error *err)
{
    struct envl_secret *secret;

    if (len == 0)
        return envl_fail(err, ENVL_E_USAGE, "a secret cannot be empty");
    /* sodium_malloc needs it, and it is cheap once it has been done. */
    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");

    secret = malloc(sizeof(*secret));
    if (secret == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a secret");

    secret->len = len;
    secret->data = sodium_malloc(len);
    if (secret->data == NULL) {
        free(secret);
        return envl_fail(err, ENVL_E_NOMEM,
                         "out of guarded memory for a %zu-byte secret", len);
    }

    /* libsodium fills fresh memory with a marker; we promise zeros. */
    sodium_memzero(secret->data, len);
    *out = secret;
    return ENVL_OK;
}

struct envl_bytes
envl_secret_bytes(const struct envl_secret *secret)
{
    return (struct envl_bytes){ secret->data, secret->len };
}

struct envl_span
envl_secret_span(struct envl_secret *secret)
{
    return (struct envl_span){ secret->data, secret->len };
}

bool
envl_secret_equal(const struct envl_secret *a, const struct envl_secret *b)
{
    return a->len == b->len && sodium_memcmp(a->data, b->data, a->len) == 0;
}

void
envl_secret_free(struct envl_secret *secret)
{
    if (secret == NULL)
        return;
    sodium_free(secret->data); /* wipes before it unmaps */
    free(secret);
}
