#include "provider/aws/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "provider/aws/endpoint.h"
#include "provider/aws/ini.h"

#define FILE_LIMIT (1u << 20)
#define AHEAD      300 /* seconds before they expire */

static enum envl_status
copy(struct envl_bytes text, struct envl_secret **out, struct envl_error *err)
{
    enum envl_status status = envl_secret_new(text.len + 1, out, err);

    if (status == ENVL_OK)
        memcpy(envl_secret_span(*out).ptr, text.ptr, text.len);
    return status;
}

static enum envl_status
copy_secret(const struct envl_secret *from, struct envl_secret **out,
            struct envl_error *err)
{
    struct envl_bytes bytes;

    if (from == NULL)
        return ENVL_OK;
    bytes = envl_secret_bytes(from);
    bytes.len--; /* its NUL */
    return copy(bytes, out, err);
}

void
credentials_free(struct credentials_keys *keys)
{
    envl_secret_free(keys->access_key);
    envl_secret_free(keys->secret_key);
    envl_secret_free(keys->session_token);
    *keys = (struct credentials_keys){ .access_key = NULL };
}

/* All of a set, or nothing of it. */
static enum envl_status
make(struct envl_bytes access, struct envl_bytes secret,
     struct envl_bytes token, struct credentials_keys *out,
     struct envl_error *err)
{
    enum envl_status status;

    if ((status = copy(access, &out->access_key, err)) != ENVL_OK ||
        (status = copy(secret, &out->secret_key, err)) != ENVL_OK ||
        (token.len > 0 &&
         (status = copy(token, &out->session_token, err)) != ENVL_OK))
        credentials_free(out);
    return status;
}

/* ---- where they come from ------------------------------------------------ */

static enum envl_status
from_environment(const struct credentials_options *options,
                 struct credentials_keys *out, struct envl_error *err)
{
    const struct envl_bytes access =
        envl_bytes_of(getenv("AWS_ACCESS_KEY_ID"));
    const struct envl_bytes secret =
        envl_bytes_of(getenv("AWS_SECRET_ACCESS_KEY"));

    if (access.len == 0 || secret.len == 0)
        return envl_fail(err, ENVL_E_NOKEY, "provider '%s': AWS_ACCESS_KEY_ID "
                         "and AWS_SECRET_ACCESS_KEY are not set",
                         options->name);
    return make(access, secret, envl_bytes_of(getenv("AWS_SESSION_TOKEN")),
                out, err);
}

static char *
shared_file(const struct credentials_options *options)
{
    const char *named = options->file != NULL
                            ? options->file
                            : getenv("AWS_SHARED_CREDENTIALS_FILE");
    const char *home = getenv("HOME");
    char *path = NULL;

    if (named != NULL)
        return strdup(named);
    if (asprintf(&path, "%s/.aws/credentials", home != NULL ? home : "") < 0)
        return NULL;
    return path;
}

static enum envl_status
from_text(const struct credentials_options *options, struct envl_bytes text,
          const char *path, struct credentials_keys *out,
          struct envl_error *err)
{
    const char *profile = options->profile != NULL ? options->profile
                                                   : getenv("AWS_PROFILE");
    struct envl_bytes access, secret, token = { NULL, 0 };

    if (profile == NULL)
        profile = "default";
    if (!ini_find(text, profile, "aws_access_key_id", &access) ||
        !ini_find(text, profile, "aws_secret_access_key", &secret) ||
        access.len == 0 || secret.len == 0) {
        envl_fail(err, ENVL_E_NOKEY, "provider '%s': profile '%.64s' in '%s' "
                  "holds no keys", options->name, profile, path);
        envl_hint(err, "aws_access_key_id and aws_secret_access_key are "
                  "needed; roles, SSO and processes are not followed");
        return ENVL_E_NOKEY;
    }
    (void)ini_find(text, profile, "aws_session_token", &token);
    return make(access, secret, token, out, err);
}

static enum envl_status
from_file(const struct credentials_options *options,
          struct credentials_keys *out, struct envl_error *err)
{
    const struct file_rules rules = { FILE_PRIVATE, "credentials file",
                                      options->mounts,
                                      options->mount_count };
    struct envl_buf text = ENVL_BUF_INIT;
    char *path = shared_file(options);
    enum envl_status status;

    if (path == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    status = file_read(path, &rules, FILE_LIMIT, &text, NULL, err);
    if (status == ENVL_E_NOTFOUND)
        status = envl_fail(err, ENVL_E_NOKEY, "provider '%s': there is no "
                           "credentials file at '%s'", options->name, path);
    if (status == ENVL_OK)
        status = from_text(options, envl_buf_view(&text), path, out, err);
    envl_buf_free(&text);
    free(path);
    return status;
}

typedef enum envl_status source_fn(const struct credentials_options *options,
                                   struct credentials_keys *out,
                                   struct envl_error *err);

static source_fn *const sources[] = {
    [CREDENTIALS_ENVIRONMENT] = from_environment,
    [CREDENTIALS_FILE] = from_file,
    [CREDENTIALS_CONTAINER] = endpoint_container,
    [CREDENTIALS_INSTANCE] = endpoint_instance,
};

/* The first that has some; what is there and wrong is not passed over. */
static enum envl_status
fetch(const struct credentials_options *options, struct credentials_keys *out,
      struct envl_error *err)
{
    enum envl_status status = ENVL_E_NOKEY;

    if (options->source != CREDENTIALS_ANY)
        return sources[options->source](options, out, err);
    for (size_t i = CREDENTIALS_ENVIRONMENT;
         status == ENVL_E_NOKEY && i <= CREDENTIALS_INSTANCE; i++)
        status = sources[i](options, out, err);
    if (status == ENVL_OK || status == ENVL_E_POLICY ||
        status == ENVL_E_NOMEM)
        return status;
    /* Outside the cloud the last one only says that nobody answers. */
    envl_fail(err, ENVL_E_NOKEY, "provider '%s': no AWS credentials are found",
              options->name);
    envl_hint(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a "
              "shared credentials file, or give the container or instance a "
              "role");
    return ENVL_E_NOKEY;
}

/* ---- kept for a while ---------------------------------------------------- */

void
credentials_open(const struct credentials_options *options,
                 struct credentials *out)
{
    *out = (struct credentials){ .options = *options };
    pthread_mutex_init(&out->lock, NULL);
}

void
credentials_close(struct credentials *credentials)
{
    credentials_free(&credentials->keys);
    pthread_mutex_destroy(&credentials->lock);
}

static bool
is_fresh(const struct credentials *credentials, uint64_t stale)
{
    const struct credentials_keys *keys = &credentials->keys;

    return keys->access_key != NULL && credentials->number != stale &&
           (keys->expires == 0 || clock_now() < keys->expires - AHEAD);
}

static bool
still_valid(const struct credentials *credentials, uint64_t stale)
{
    return credentials->keys.access_key != NULL &&
           credentials->number != stale &&
           clock_now() < credentials->keys.expires;
}

enum envl_status
credentials_get(struct credentials *credentials, uint64_t stale,
                struct credentials_keys *out, uint64_t *number,
                struct envl_error *err)
{
    const struct credentials_keys *keys = &credentials->keys;
    struct credentials_keys fetched = { .access_key = NULL };
    enum envl_status status = ENVL_OK;

    *out = (struct credentials_keys){ .access_key = NULL };
    pthread_mutex_lock(&credentials->lock);
    if (!is_fresh(credentials, stale)) {
        status = fetch(&credentials->options, &fetched, err);
        if (status == ENVL_OK) {
            credentials_free(&credentials->keys);
            credentials->keys = fetched;
            credentials->number++;
        } else if (still_valid(credentials, stale)) {
            status = ENVL_OK; /* it was early; the next call tries again */
        }
    }
    if (status == ENVL_OK &&
        ((status = copy_secret(keys->access_key, &out->access_key, err)) !=
             ENVL_OK ||
         (status = copy_secret(keys->secret_key, &out->secret_key, err)) !=
             ENVL_OK ||
         (status = copy_secret(keys->session_token, &out->session_token,
                               err)) != ENVL_OK))
        credentials_free(out);
    *number = credentials->number;
    pthread_mutex_unlock(&credentials->lock);
    return status;
}
