#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/random.h"
#include "io.h"
#include "outfile.h"
#include "ring_mac.h"
#include "signed.h"

#define LABEL     "libenvelope/v1/signed"
#define MOST      (64u * 1024u * 1024u)
#define SEED_LEN  crypto_sign_SEEDBYTES
#define BASE64    sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SIGN_TEXT 87u /* of a signature, with its NUL */

/* ---- keys --------------------------------------------------------------- */

/* Both halves, in guarded memory. */
struct pair {
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t private[crypto_sign_SECRETKEYBYTES];
};

static enum envl_status
pair_of(struct envl_bytes seed, struct pair **out, struct envl_error *err)
{
    struct pair *pair;

    if (seed.len != SEED_LEN)
        return envl_fail(err, ENVL_E_FORMAT, "a signing key has %u bytes, "
                         "this file %zu", SEED_LEN, seed.len);
    pair = sodium_malloc(sizeof(*pair));
    if (pair == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    crypto_sign_seed_keypair(pair->public, pair->private, seed.ptr);
    *out = pair;
    return ENVL_OK;
}

static void
public_text(const struct pair *pair, char out[SIGNED_PUBLIC_SIZE])
{
    sodium_bin2base64(out, SIGNED_PUBLIC_SIZE, pair->public,
                      sizeof(pair->public), BASE64);
}

enum envl_status
signed_key_create(const char *path, char public[SIGNED_PUBLIC_SIZE],
                  struct envl_error *err)
{
    static const struct file_rules private_rules = {
        FILE_PRIVATE, "signing key", NULL, 0
    };
    static const struct file_rules public_rules = { FILE_ANY, "public key",
                                                    NULL, 0 };
    char text[SIGNED_PUBLIC_SIZE + 1], *beside = NULL;
    struct envl_secret *seed = NULL;
    struct pair *pair = NULL;
    enum envl_status status = envl_secret_new(SEED_LEN, &seed, err);

    if (status == ENVL_OK)
        status = random_fill(envl_secret_span(seed), err);
    if (status == ENVL_OK)
        status = pair_of(envl_secret_bytes(seed), &pair, err);
    if (status == ENVL_OK && asprintf(&beside, "%s.pub", path) < 0) {
        beside = NULL;
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    if (status == ENVL_OK) {
        public_text(pair, public);
        snprintf(text, sizeof(text), "%s\n", public);
        status = atomic_file_create(path, &private_rules,
                                    envl_secret_bytes(seed), err);
    }
    if (status == ENVL_OK)
        status = atomic_file_create(beside, &public_rules,
                                    envl_bytes_of(text), err);
    free(beside);
    sodium_free(pair);
    envl_secret_free(seed);
    return status;
}

static enum envl_status
load_pair(const struct signed_spec *spec, struct pair **out,
          struct envl_error *err)
{
    const char *folders[SETTINGS_KEY_DIRS];
    struct io_mounts mounts = { folders, spec->settings->key_dir_count };
    struct envl_secret *seed = NULL;
    enum envl_status status;

    for (size_t i = 0; i < mounts.count; i++)
        folders[i] = spec->settings->key_dirs[i];
    status = io_private_from_file(spec->key, "signing key", mounts, &seed,
                                  err);
    if (status == ENVL_E_NOTFOUND)
        envl_hint(err, "`envelope audit key %.200s` makes one", spec->key);
    if (status == ENVL_OK)
        status = pair_of(envl_secret_bytes(seed), out, err);
    envl_secret_free(seed);
    return status;
}

/* ---- writing ------------------------------------------------------------ */

static void
sign(const struct pair *pair, const char *text, char out[SIGN_TEXT])
{
    crypto_sign_state state;
    uint8_t signature[crypto_sign_BYTES];

    crypto_sign_init(&state);
    crypto_sign_update(&state, (const uint8_t *)LABEL, sizeof(LABEL));
    crypto_sign_update(&state, (const uint8_t *)text, strlen(text));
    crypto_sign_final_create(&state, signature, NULL, pair->private);
    sodium_bin2base64(out, SIGN_TEXT, signature, sizeof(signature), BASE64);
}

/* All but the last members, without the brace that would close it. */
static char *
open_text(const struct signed_spec *spec, const struct pair *pair)
{
    char date[CLOCK_DATE_SIZE], pin[33], public[SIGNED_PUBLIC_SIZE];
    struct envl_ring_mark mark;
    json_t *root;
    char *text;

    clock_print(clock_now(), date);
    envl_keyring_mark(spec->ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    if (pair != NULL)
        public_text(pair, public);
    root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:O, s:s?}", "signed", 1,
                     "kind", spec->kind, "at", date, "keyring", mark.id,
                     "pin", pin, "body", spec->body, "public",
                     pair == NULL ? NULL : public);
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text != NULL)
        text[strlen(text) - 1] = '\0';
    return text;
}

/* The MAC covers what is before it, the signature the MAC too. */
static enum envl_status
make_line(const struct signed_spec *spec, const struct pair *pair, char **out,
          struct envl_error *err)
{
    char mac[RING_MAC_TEXT], signature[SIGN_TEXT];
    char *text = open_text(spec, pair), *maced = NULL, *whole = NULL;
    enum envl_status status;

    if (text == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a document");
    status = ring_mac_make(spec->ring, LABEL, envl_bytes_of(text), mac, err);
    if (status == ENVL_OK && asprintf(&maced, "%s,\"mac\":\"%s\"", text,
                                      mac) < 0) {
        maced = NULL;
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    if (status == ENVL_OK && pair != NULL)
        sign(pair, maced, signature);
    if (status == ENVL_OK &&
        (pair != NULL
             ? asprintf(&whole, "%s,\"signature\":\"%s\"}\n", maced,
                        signature)
             : asprintf(&whole, "%s,\"signature\":null}\n", maced)) < 0) {
        whole = NULL;
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    free(text);
    free(maced);
    *out = whole;
    return status;
}

enum envl_status
signed_write(const struct signed_spec *spec, struct envl_error *err)
{
    struct outfile file = OUTFILE_INIT;
    struct pair *pair = NULL;
    enum envl_status status = ENVL_OK;
    char *line = NULL;

    if (spec->key != NULL)
        status = load_pair(spec, &pair, err);
    if (status == ENVL_OK &&
        (status = make_line(spec, pair, &line, err)) == ENVL_OK &&
        (status = outfile_open(spec->path, &file, err)) == ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of(line), err)) == ENVL_OK)
        status = outfile_commit(&file, err);
    outfile_free(&file);
    sodium_free(pair);
    free(line);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

static enum envl_status
refuse(const char *path, const char *why, struct envl_error *err)
{
    return envl_fail(err, ENVL_E_INTEGRITY, "%s %s", path, why);
}

static bool
decode(const char *text, uint8_t *out, size_t len)
{
    size_t got;

    return text != NULL &&
           sodium_base642bin(out, len, text, strlen(text), NULL, &got, NULL,
                             BASE64) == 0 &&
           got == len;
}

/* Where the last ${name} begins: no string of JSON can hold it, and what
   stands behind it is ours. */
static char *
last(char *text, const char *name)
{
    char *found = NULL, *at = text;

    while ((at = strstr(at, name)) != NULL)
        found = at++;
    return found;
}

static enum envl_status
check_signature(const char *path, const json_t *root, const char *covered,
                const char *wanted, struct signed_found *out,
                struct envl_error *err)
{
    const char *public = json_string_value(json_object_get(root, "public"));
    const char *text = json_string_value(json_object_get(root, "signature"));
    uint8_t key[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];
    crypto_sign_state state;

    if (public == NULL && text == NULL && wanted == NULL)
        return ENVL_OK;
    if (public == NULL || text == NULL)
        return refuse(path, "is not signed", err);
    if (!decode(public, key, sizeof(key)) ||
        !decode(text, signature, sizeof(signature)))
        return refuse(path, "has a signature that is none", err);
    crypto_sign_init(&state);
    crypto_sign_update(&state, (const uint8_t *)LABEL, sizeof(LABEL));
    crypto_sign_update(&state, (const uint8_t *)covered, strlen(covered));
    if (crypto_sign_final_verify(&state, signature, key) != 0)
        return refuse(path, "was changed after it was signed", err);
    if (wanted != NULL && strcmp(wanted, public) != 0)
        return refuse(path, "was signed by another key", err);
    out->by_key = true;
    out->pinned = wanted != NULL;
    return ENVL_OK;
}

static enum envl_status
check_mac(const char *path, const json_t *root, const char *covered,
          struct envl_keyring *ring, struct signed_found *out,
          struct envl_error *err)
{
    const char *mac = json_string_value(json_object_get(root, "mac"));
    const char *id = json_string_value(json_object_get(root, "keyring"));
    const char *pin = json_string_value(json_object_get(root, "pin"));
    struct envl_ring_mark mark;
    char here[33];

    if (mac == NULL || id == NULL || pin == NULL)
        return refuse(path, "is no document of this kind", err);
    if (ring == NULL)
        return ENVL_OK;
    envl_keyring_mark(ring, &mark);
    sodium_bin2hex(here, sizeof(here), mark.pin, sizeof(mark.pin));
    if (strcmp(id, mark.id) != 0 || strcmp(pin, here) != 0)
        return ENVL_OK; /* of another ring key: says nothing here */
    if (!ring_mac_holds(ring, LABEL, envl_bytes_of(covered), mac))
        return refuse(path, "was changed, or not written under this keyring",
                      err);
    out->by_ring = true;
    return ENVL_OK;
}

static enum envl_status
read_public(const char *path, char out[SIGNED_PUBLIC_SIZE],
            struct envl_error *err)
{
    static const struct file_rules rules = { FILE_ANY, "public key", NULL,
                                             0 };
    struct envl_buf text = ENVL_BUF_INIT;
    enum envl_status status = file_read(path, &rules, 256, &text, NULL, err);
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    size_t len = text.len;

    while (len > 0 && (text.ptr[len - 1] == '\n' || text.ptr[len - 1] == ' '))
        len--;
    if (status == ENVL_OK) {
        snprintf(out, SIGNED_PUBLIC_SIZE, "%.*s", (int)len,
                 (const char *)text.ptr);
        if (len != SIGNED_PUBLIC_SIZE - 1 || !decode(out, key, sizeof(key)))
            status = envl_fail(err, ENVL_E_FORMAT, "%s holds no public key",
                               path);
    }
    envl_buf_free(&text);
    return status;
}

/* Nothing but ${name} and its value stands between ${at} and ${end}: what is
   behind the covered bytes is covered by nothing. */
static bool
begins_as(const char *at, const char *name, const json_t *value,
          const char *end)
{
    const char *text = json_string_value(value);
    char want[160];

    snprintf(want, sizeof(want), text != NULL ? "%s\"%.100s\"" : "%snull",
             name, text != NULL ? text : "");
    return (size_t)(end - at) == strlen(want) &&
           memcmp(at, want, strlen(want)) == 0;
}

static bool
ends_as(const char *at, const char *name, const json_t *value,
        const char *closing)
{
    const char *end = at + strlen(at);

    while (end > at && (end[-1] == '\n' || end[-1] == closing[0])) {
        end--;
        if (*end == closing[0])
            break;
    }
    return begins_as(at, name, value, end);
}

/* Cuts ${text} apart. */
static enum envl_status
check(const char *path, char *text, struct envl_keyring *ring,
      const char *wanted, struct signed_found *out, struct envl_error *err)
{
    char *signature = last(text, ",\"signature\":");
    char *mac = last(text, ",\"mac\":");
    enum envl_status status;

    out->root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (out->root == NULL || signature == NULL || mac == NULL ||
        mac > signature ||
        json_integer_value(json_object_get(out->root, "signed")) != 1 ||
        !json_is_object(json_object_get(out->root, "body")))
        return refuse(path, "is no signed document", err);
    if (!ends_as(signature, ",\"signature\":", json_object_get(out->root,
                                                             "signature"),
                 "}") ||
        !begins_as(mac, ",\"mac\":", json_object_get(out->root, "mac"),
                   signature))
        return refuse(path, "is no signed document", err);
    *signature = '\0';
    status = check_signature(path, out->root, text, wanted, out, err);
    *mac = '\0';
    if (status == ENVL_OK)
        status = check_mac(path, out->root, text, ring, out, err);
    if (status == ENVL_OK && !out->by_key && !out->by_ring) {
        status = refuse(path, "cannot be checked here: it is not signed, and "
                        "of another keyring or ring key", err);
        envl_hint(err, "open the keyring it was written under, or ask for "
                       "one that is signed");
    }
    return status;
}

enum envl_status
signed_read(const char *path, struct envl_keyring *ring, const char *public,
            struct signed_found *out, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_ANY, "signed document",
                                             NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    char wanted[SIGNED_PUBLIC_SIZE];
    enum envl_status status = ENVL_OK;

    *out = (struct signed_found){ .root = NULL };
    if (public != NULL)
        status = read_public(public, wanted, err);
    if (status == ENVL_OK)
        status = file_read(path, &rules, MOST, &text, NULL, err);
    if (status == ENVL_OK)
        status = envl_buf_append(&text, (struct envl_bytes){
                                     (const uint8_t *)"", 1 }, err);
    if (status == ENVL_OK)
        status = check(path, (char *)text.ptr, ring,
                       public != NULL ? wanted : NULL, out, err);
    envl_buf_free(&text);
    return status;
}
