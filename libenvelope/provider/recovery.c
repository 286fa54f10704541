#include "provider/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/proquint.h"
#include "core/random.h"

_Static_assert(crypto_box_PUBLICKEYBYTES == 32, "X25519");
_Static_assert(crypto_box_SECRETKEYBYTES == 32, "X25519");

#define HALF_LEN  32u
#define SUM_LEN   4u
#define CODE_LEN  (HALF_LEN + SUM_LEN)
#define WORDS     (CODE_LEN / 2u) /* 18 */
#define EACH_LINE 6u

static const char public_mark[] = "erp1";
static const char public_label[] = "libenvelope/v1/recovery-public";
static const char private_label[] = "libenvelope/v1/recovery-private";

struct recovery {
    struct envl_provider base;
    struct envl_secret *private_key; /* NULL: it only seals */
    uint8_t public_key[HALF_LEN];
};

/*
 * A checksum against slips of pen and keyboard; it differs for the two
 * halves, so that none is taken for the other.  spec: KEY-111
 */
static void
checksum(const char *label, const uint8_t half[HALF_LEN],
         uint8_t out[SUM_LEN])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)label,
                              strlen(label) + 1);
    crypto_hash_sha256_update(&state, half, HALF_LEN);
    crypto_hash_sha256_final(&state, hash);
    memcpy(out, hash, SUM_LEN);
    sodium_memzero(hash, sizeof(hash));
    sodium_memzero(&state, sizeof(state));
}

static void
print_public(const uint8_t half[HALF_LEN],
             char out[ENVL_RECOVERY_PUBLIC_SIZE])
{
    uint8_t code[CODE_LEN];

    memcpy(code, half, HALF_LEN);
    checksum(public_label, half, code + HALF_LEN);
    memcpy(out, public_mark, sizeof(public_mark) - 1);
    sodium_bin2base64(out + sizeof(public_mark) - 1,
                      ENVL_RECOVERY_PUBLIC_SIZE - (sizeof(public_mark) - 1),
                      code, sizeof(code),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static enum envl_status
read_public(const char *text, uint8_t half[HALF_LEN], struct envl_error *err)
{
    const size_t mark = sizeof(public_mark) - 1;
    uint8_t code[CODE_LEN], sum[SUM_LEN];
    enum envl_status status;
    size_t len = 0;

    if (strncmp(text, public_mark, mark) == 0 &&
        sodium_base642bin(code, sizeof(code), text + mark,
                          strlen(text + mark), NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
        len == sizeof(code) &&
        strlen(text) == ENVL_RECOVERY_PUBLIC_SIZE - 1) {
        checksum(public_label, code, sum);
        if (sodium_memcmp(sum, code + HALF_LEN, SUM_LEN) == 0) {
            memcpy(half, code, HALF_LEN);
            return ENVL_OK;
        }
    }
    /* It is not repeated: it may be the private half. */
    status = envl_fail(err, ENVL_E_USAGE, "that is not the public half of a "
                       "recovery key");
    envl_hint(err, "it begins with erp1 and has 52 characters; the words are "
              "the private half, and never belong on a command line");
    return status;
}

/* ---- the two halves ----------------------------------------------------- */

enum envl_status
envl_recovery_key_new(struct envl_secret **private_key,
                      char public_text[ENVL_RECOVERY_PUBLIC_SIZE],
                      struct envl_error *err)
{
    struct envl_secret *key = NULL;
    enum envl_status status;

    if ((status = envl_secret_new(HALF_LEN, &key, err)) != ENVL_OK)
        return status;
    status = random_fill(envl_secret_span(key), err);
    if (status == ENVL_OK)
        status = envl_recovery_key_public(key, public_text, err);
    if (status != ENVL_OK) {
        envl_secret_free(key);
        return status;
    }
    *private_key = key;
    return ENVL_OK;
}

enum envl_status
envl_recovery_key_public(const struct envl_secret *private_key,
                         char public_text[ENVL_RECOVERY_PUBLIC_SIZE],
                         struct envl_error *err)
{
    struct envl_bytes key = envl_secret_bytes(private_key);
    uint8_t half[HALF_LEN];

    if (key.len != HALF_LEN || crypto_scalarmult_base(half, key.ptr) != 0)
        return envl_fail(err, ENVL_E_USAGE, "not the private half of a "
                         "recovery key");
    print_public(half, public_text);
    return ENVL_OK;
}

enum envl_status
envl_recovery_key_words(const struct envl_secret *private_key,
                        struct envl_secret **words, struct envl_error *err)
{
    struct envl_bytes key = envl_secret_bytes(private_key);
    struct envl_secret *code = NULL, *text = NULL;
    enum envl_status status;
    uint8_t *bytes;

    if (key.len != HALF_LEN)
        return envl_fail(err, ENVL_E_USAGE, "not the private half of a "
                         "recovery key");
    if ((status = envl_secret_new(CODE_LEN, &code, err)) == ENVL_OK &&
        (status = envl_secret_new(PROQUINT_LEN(CODE_LEN), &text, err)) ==
            ENVL_OK) {
        bytes = envl_secret_span(code).ptr;
        memcpy(bytes, key.ptr, HALF_LEN);
        checksum(private_label, bytes, bytes + HALF_LEN);
        proquint_encode(envl_secret_bytes(code), EACH_LINE,
                        (char *)envl_secret_span(text).ptr);
        *words = text;
    }
    envl_secret_free(code);
    return status;
}

static enum envl_status
refuse_words(size_t bad, struct envl_error *err)
{
    if (bad > 0)
        envl_fail(err, ENVL_E_FORMAT, "word %zu of the recovery key is none",
                  bad);
    else
        envl_fail(err, ENVL_E_FORMAT, "a recovery key is %u words", WORDS);
    envl_hint(err, "each has five letters: consonants of bdfghjklmnprstvz "
              "and vowels of aiou, in turn");
    return ENVL_E_FORMAT;
}

enum envl_status
envl_recovery_key_read(struct envl_bytes text,
                       struct envl_secret **private_key,
                       struct envl_error *err)
{
    struct envl_secret *code = NULL, *key = NULL;
    uint8_t sum[SUM_LEN], *bytes;
    enum envl_status status;
    size_t bad;

    if ((status = envl_secret_new(CODE_LEN, &code, err)) != ENVL_OK ||
        (status = envl_secret_new(HALF_LEN, &key, err)) != ENVL_OK)
        goto out;
    bytes = envl_secret_span(code).ptr;
    if (proquint_decode(text, envl_secret_span(code), &bad) != ENVL_OK) {
        status = refuse_words(bad, err);
        goto out;
    }
    checksum(private_label, bytes, sum);
    if (sodium_memcmp(sum, bytes + HALF_LEN, SUM_LEN) != 0) {
        status = envl_fail(err, ENVL_E_FORMAT, "the words of the recovery "
                           "key do not fit each other");
        envl_hint(err, "one is mistyped, or two have changed places: compare "
                  "with the paper");
        goto out;
    }
    memcpy(envl_secret_span(key).ptr, bytes, HALF_LEN);
    *private_key = key;
    key = NULL;

out:
    envl_secret_free(code);
    envl_secret_free(key);
    return status;
}

/* ---- the provider ------------------------------------------------------- */

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

static enum envl_status
recovery_unlock(struct envl_provider *base,
                const struct envl_unlock_entry *entry, const char *ring_id,
                struct envl_secret **ring_key, struct envl_error *err)
{
    const struct recovery *self = (const struct recovery *)base;
    struct envl_secret *key = NULL;
    enum envl_status status;

    (void)ring_id; /* the box is bound to the key alone: spec KEY-26 */
    if (self->private_key == NULL)
        return envl_fail(err, ENVL_E_AUTH, "the public half of a recovery "
                         "key opens nothing");
    if ((status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err)) != ENVL_OK)
        return status;
    if (entry->wrapped.len != ENVL_RING_KEY_LEN + crypto_box_SEALBYTES ||
        crypto_box_seal_open(envl_secret_span(key).ptr, entry->wrapped.ptr,
                             entry->wrapped.len, self->public_key,
                             envl_secret_bytes(self->private_key).ptr) != 0) {
        envl_secret_free(key);
        return envl_fail(err, ENVL_E_AUTH, "the recovery key does not open "
                         "unlock entry '%s'", entry->name);
    }
    *ring_key = key;
    return ENVL_OK;
}

static enum envl_status
recovery_enroll(struct envl_provider *base, const char *ring_id,
                const struct envl_secret *ring_key,
                struct envl_unlock_entry *entry, struct envl_error *err)
{
    const struct recovery *self = (const struct recovery *)base;

    (void)ring_id;
    memcpy(entry->public_key, self->public_key, sizeof(entry->public_key));
    return recovery_wrap(ring_key, entry, err);
}

static void
recovery_free(struct envl_provider *base)
{
    struct recovery *self = (struct recovery *)base;

    envl_secret_free(self->private_key);
    free(self);
}

static const struct envl_provider_ops recovery_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "recovery",
    .unlock = recovery_unlock,
    .enroll = recovery_enroll,
    .free = recovery_free,
};

bool
recovery_only_seals(const struct envl_provider *provider)
{
    return provider->ops == &recovery_ops &&
           ((const struct recovery *)provider)->private_key == NULL;
}

static struct recovery *
make(struct envl_error *err)
{
    struct recovery *self = calloc(1, sizeof(*self));

    if (self == NULL)
        envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    else
        self->base.ops = &recovery_ops;
    return self;
}

enum envl_status
envl_recovery_provider_new(const struct envl_secret *private_key,
                           struct envl_provider **out, struct envl_error *err)
{
    struct envl_bytes key = envl_secret_bytes(private_key);
    struct recovery *self;
    enum envl_status status;

    if (key.len != HALF_LEN)
        return envl_fail(err, ENVL_E_USAGE, "not the private half of a "
                         "recovery key");
    if ((self = make(err)) == NULL)
        return ENVL_E_NOMEM;
    status = envl_secret_new(HALF_LEN, &self->private_key, err);
    if (status == ENVL_OK) {
        memcpy(envl_secret_span(self->private_key).ptr, key.ptr, HALF_LEN);
        if (crypto_scalarmult_base(self->public_key, key.ptr) != 0)
            status = envl_fail(err, ENVL_E_INTERNAL, "no public half can be "
                               "computed");
    }
    if (status == ENVL_OK)
        *out = &self->base;
    else
        recovery_free(&self->base);
    return status;
}

enum envl_status
envl_recovery_public_provider_new(const char *public_text,
                                  struct envl_provider **out,
                                  struct envl_error *err)
{
    struct recovery *self = make(err);
    enum envl_status status;

    if (self == NULL)
        return ENVL_E_NOMEM;
    status = read_public(public_text, self->public_key, err);
    if (status == ENVL_OK)
        *out = &self->base;
    else
        recovery_free(&self->base);
    return status;
}
