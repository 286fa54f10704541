/*
 * vector_fixture.h - vectors as JSON, a ring of their keys, and random bytes
 * that a test can choose (WRAP: random_fill).
 */
#ifndef UNIT_VECTOR_FIXTURE_H
#define UNIT_VECTOR_FIXTURE_H

#include <dirent.h>

#include <jansson.h>
#include <sodium.h>

#include <envelope.h>

#include "cmocka_all.h"
#include "core/random.h"
#include "keyring/key.h"

/* What the next draws of 24 and of 32 bytes give; NULL for real ones. */
static const uint8_t *next_salt, *next_value_key;

enum envl_status __real_random_fill(struct envl_span out,
                                    struct envl_error *err);
enum envl_status __wrap_random_fill(struct envl_span out,
                                    struct envl_error *err);

enum envl_status
__wrap_random_fill(struct envl_span out, struct envl_error *err)
{
    const uint8_t *chosen = out.len == 24 ? next_salt
                          : out.len == 32 ? next_value_key : NULL;

    if (chosen == NULL)
        return __real_random_fill(out, err);
    memcpy(out.ptr, chosen, out.len);
    return ENVL_OK;
}

static inline json_t *
load_vectors(const char *path)
{
    json_error_t where;
    json_t *doc = json_load_file(path, JSON_ALLOW_NUL, &where);

    if (doc == NULL)
        fail_msg("%s: no JSON at line %d", path, where.line);
    return doc;
}

static inline const char *
text_in(json_t *vector, const char *name)
{
    return json_string_value(json_object_get(vector, name));
}

/* Owned bytes of hexadecimal. */
static inline struct envl_bytes
bytes_of_hex(const char *hex)
{
    size_t len = strlen(hex) / 2, got = 0;
    uint8_t *bytes = malloc(len + 1);

    assert_non_null(bytes);
    assert_int_equal(sodium_hex2bin(bytes, len, hex, 2 * len, NULL, &got,
                                    NULL), 0);
    assert_int_equal(got, len);
    return (struct envl_bytes){ bytes, len };
}

/* Owned bytes of a JSON string. */
static inline struct envl_bytes
bytes_of_string(json_t *string)
{
    size_t len = json_string_length(string);
    uint8_t *bytes = malloc(len + 1);

    assert_non_null(bytes);
    assert_true(json_is_string(string));
    memcpy(bytes, json_string_value(string), len);
    return (struct envl_bytes){ bytes, len };
}

/* Member ${name}, or ${name}_hex. */
static inline struct envl_bytes
bytes_in(json_t *vector, const char *name)
{
    char hex[64];

    snprintf(hex, sizeof(hex), "%s_hex", name);
    if (json_object_get(vector, hex) != NULL)
        return bytes_of_hex(text_in(vector, hex));
    return bytes_of_string(json_object_get(vector, name));
}

static inline void
free_bytes(struct envl_bytes bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

/* A context of its own memory. */
struct owned_context {
    struct envl_context context;
    struct envl_pair pairs[64];
};

static inline void
put_pair(struct owned_context *out, struct envl_bytes name,
         struct envl_bytes value)
{
    assert_true(out->context.count < 64);
    out->pairs[out->context.count++] = (struct envl_pair){ name, value };
}

/* Member "context", a list or an object, or "context_hex". */
static inline void
context_in(json_t *vector, struct owned_context *out)
{
    json_t *hex = json_object_get(vector, "context_hex"), *pair, *value;
    json_t *list = hex != NULL ? hex : json_object_get(vector, "context");
    const char *name;
    size_t i;

    out->context = (struct envl_context){ out->pairs, 0 };
    if (json_is_object(list)) {
        json_object_foreach(list, name, value) {
            uint8_t *copy = (uint8_t *)strdup(name);

            assert_non_null(copy);
            put_pair(out, (struct envl_bytes){ copy, strlen(name) },
                     bytes_of_string(value));
        }
        return;
    }
    json_array_foreach(list, i, pair) {
        json_t *left = json_array_get(pair, 0), *right = json_array_get(pair,
                                                                        1);

        if (hex != NULL)
            put_pair(out, bytes_of_hex(json_string_value(left)),
                     bytes_of_hex(json_string_value(right)));
        else
            put_pair(out, bytes_of_string(left), bytes_of_string(right));
    }
}

static inline void
free_context(struct owned_context *context)
{
    for (size_t i = 0; i < context->context.count; i++) {
        free_bytes(context->pairs[i].name);
        free_bytes(context->pairs[i].value);
    }
}

static inline int
index_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    fail_msg("no such word: %s", word);
    return -1;
}

static inline enum envl_type
type_of(const char *word)
{
    static const char *const words[] = { "bytes", "text", "json", "bson" };

    return (enum envl_type)index_of(word, words, 4);
}

static inline enum envl_mode
mode_of(const char *word)
{
    static const char *const words[] = { "derived", "wrapped" };

    return (enum envl_mode)index_of(word, words, 2);
}

static inline enum envl_encoding
encoding_of(const char *word)
{
    static const char *const words[] = { "text", "object", "binary" };

    return (enum envl_encoding)index_of(word, words, 3);
}

static inline enum envl_status
status_of(const char *word)
{
    for (int i = 0; i <= ENVL_E_INTERRUPTED; i++) {
        if (strcmp(word, envl_status_name((enum envl_status)i)) == 0)
            return (enum envl_status)i;
    }
    fail_msg("no such status: %s", word);
    return ENVL_E_INTERNAL;
}

/* A ring in memory of a list of keys. */
static inline struct envl_keyring *
ring_of(json_t *list)
{
    struct keyring_given given[32];
    struct envl_keyring *ring = NULL;
    struct envl_error err;
    size_t i, count = 0;
    json_t *item;

    memset(given, 0, sizeof(given));
    json_array_foreach(list, i, item) {
        struct keyring_given *key = &given[count++];
        const char *scope = text_in(item, "scope");

        assert_true(count <= 32);
        snprintf(key->info.kid, sizeof(key->info.kid), "%s",
                 text_in(item, "kid"));
        snprintf(key->info.scope, sizeof(key->info.scope), "%s",
                 scope == NULL ? "default" : scope);
        assert_true(key_use_read(envl_bytes_of(text_in(item, "use")),
                                 &key->info.use));
        assert_true(key_state_read(envl_bytes_of(text_in(item, "state")),
                                   &key->info.state));
        if (text_in(item, "key") != NULL) {
            struct envl_bytes bytes = bytes_of_hex(text_in(item, "key"));

            assert_int_equal(bytes.len, 32);
            memcpy(key->bytes, bytes.ptr, 32);
            free_bytes(bytes);
        }
    }
    if (keyring_from_keys(given, count, &ring, &err) != ENVL_OK)
        fail_msg("%s", err.message);
    return ring;
}

/* The same bytes through the streaming opener, ${step} at a time. */
static inline enum envl_status
open_as_stream(struct envl_keyring *ring,
               const struct envl_open_options *options,
               const struct envl_context *context, struct envl_bytes envelope,
               size_t step, struct envl_plain *out)
{
    struct envl_opener *opener = NULL;
    enum envl_status status;

    envl_buf_clear(&out->value);
    status = envl_opener_new(ring, options, context, &opener, NULL);
    while (status == ENVL_OK && envelope.len > 0) {
        struct envl_bytes piece = { envelope.ptr, envelope.len < step
                                                      ? envelope.len : step };

        status = envl_opener_update(opener, piece, &out->value, NULL);
        envelope.ptr += piece.len;
        envelope.len -= piece.len;
    }
    if (status == ENVL_OK)
        status = envl_opener_finish(opener, &out->value, &out->type, NULL);
    envl_opener_free(opener);
    return status;
}

/* And the sealer. */
static inline enum envl_status
seal_as_stream(struct envl_keyring *ring,
               const struct envl_seal_options *options,
               const struct envl_context *context, struct envl_bytes value,
               size_t step, struct envl_buf *out)
{
    struct envl_sealer *sealer = NULL;
    enum envl_status status;

    status = envl_sealer_new(ring, options, context, &sealer, NULL);
    while (status == ENVL_OK && value.len > 0) {
        struct envl_bytes piece = { value.ptr, value.len < step ? value.len
                                                                : step };

        status = envl_sealer_update(sealer, piece, out, NULL);
        value.ptr += piece.len;
        value.len -= piece.len;
    }
    if (status == ENVL_OK)
        status = envl_sealer_finish(sealer, out, NULL);
    envl_sealer_free(sealer);
    return status;
}

#endif /* UNIT_VECTOR_FIXTURE_H */
