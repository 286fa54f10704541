#include <sys/stat.h>

#include <sodium.h>

#include "core/file.h"
#include "core/random.h"
#include "key_material.h"
#include "report.h"

#define HEX_LEN 64u
#define KEY_LEN 32u

/* In time that does not depend on the digits. */
static enum envl_status
decode(const char *path, struct envl_bytes text, struct envl_span key,
       struct envl_error *err)
{
    size_t len = 0;

    if (text.len == HEX_LEN + 1 && text.ptr[HEX_LEN] == '\n')
        text.len--;
    if (text.len == KEY_LEN) {
        for (size_t i = 0; i < KEY_LEN; i++)
            key.ptr[i] = text.ptr[i];
        return ENVL_OK;
    }
    if (text.len == HEX_LEN &&
        sodium_hex2bin(key.ptr, KEY_LEN, (const char *)text.ptr, text.len,
                       NULL, &len, NULL) == 0 &&
        len == KEY_LEN)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_USAGE, "%s is neither 32 bytes nor 64 hex "
                     "digits", path);
}

enum envl_status
key_material_read(const char *path, struct envl_secret **out,
                  struct envl_error *err)
{
    static const struct file_rules rules = { FILE_ANY, "file of a key",
                                             NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    struct envl_secret *key = NULL;
    enum envl_status status;
    struct stat here;

    if (stat(path, &here) == 0 && (here.st_mode & 077) != 0)
        report_warning("%s can be read by others: what they have read is no "
                       "secret", path);
    status = file_read(path, &rules, HEX_LEN + 1, &text, NULL, err);
    if (status == ENVL_E_LIMIT)
        status = envl_fail(err, ENVL_E_USAGE, "%s is neither 32 bytes nor 64 "
                           "hex digits", path);
    if (status == ENVL_OK)
        status = envl_secret_new(KEY_LEN, &key, err);
    if (status == ENVL_OK)
        status = decode(path, envl_buf_view(&text), envl_secret_span(key),
                        err);
    if (status == ENVL_OK) {
        *out = key;
        key = NULL;
    }
    envl_secret_free(key);
    envl_buf_free(&text);
    return status;
}

enum envl_status
key_material_prove(struct envl_provider *provider, struct envl_error *err)
{
    struct envl_buf blob = ENVL_BUF_INIT;
    uint8_t key[KEY_LEN], back[KEY_LEN] = { 0 };
    enum envl_status status, answer = ENVL_E_AUTH;
    size_t len = 0;

    if (provider->ops->wrap == NULL || provider->ops->unwrap == NULL)
        return envl_fail(err, ENVL_E_USAGE, "provider '%s' is of type %s, "
                         "which does not wrap keys", provider->name,
                         provider->ops->type);
    status = random_fill((struct envl_span){ key, KEY_LEN }, err);
    if (status == ENVL_OK)
        status = provider->ops->wrap(provider,
                                     (struct envl_bytes){ key, KEY_LEN }, 1,
                                     &blob, &len, err);
    if (status == ENVL_OK) {
        struct envl_bytes one = envl_buf_view(&blob);

        status = provider->ops->unwrap(provider, &one, 1,
                                       (struct envl_span){ back, KEY_LEN },
                                       &answer, err);
    }
    if (status == ENVL_OK &&
        (answer != ENVL_OK || sodium_memcmp(key, back, KEY_LEN) != 0))
        status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s' does not "
                           "unwrap what it has wrapped", provider->name);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(back, sizeof(back));
    envl_buf_free(&blob);
    return status;
}
