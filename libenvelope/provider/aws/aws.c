/*
 * The module envl-provider-aws.so: AWS KMS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envelope/provider_module.h>
#include <envelope/version.h>

#include "provider/aws/kms.h"
#include "provider/http/config.h"

struct aws {
    struct envl_provider base;
    struct config config; /* holds the strings of what follows */
    char *name;
    char **mounts;
    size_t mount_count;
    char signing[64], address[160];
    struct http_options http;
    struct credentials credentials;
    struct cache_limits limits;
    struct kms kms;
};

/* ---- what it does -------------------------------------------------------- */

static enum envl_status
aws_unlock(struct envl_provider *base, const struct envl_unlock_entry *entry,
           const char *ring_id, struct envl_secret **ring_key,
           struct envl_error *err)
{
    struct aws *self = (struct aws *)base;
    struct kms uncached = self->kms;
    struct envl_secret *key = NULL;
    enum envl_status status;

    uncached.cache = NULL;
    if ((status = envl_secret_new(ENVL_RING_KEY_LEN, &key, err)) != ENVL_OK)
        return status;
    status = kms_unwrap(&uncached, ring_id, envl_buf_view(&entry->wrapped),
                        envl_secret_span(key).ptr, err);
    if (status == ENVL_OK) {
        *ring_key = key;
        return ENVL_OK;
    }
    envl_secret_free(key);
    if (status == ENVL_E_AUTH) {
        envl_fail(err, status, "the key of provider '%s' does not open "
                  "unlock entry '%s'", self->name, entry->name);
        envl_hint(err, "was it made with another key, or for another ring?");
    }
    return status;
}

static enum envl_status
aws_enroll(struct envl_provider *base, const char *ring_id,
           const struct envl_secret *ring_key,
           struct envl_unlock_entry *entry, struct envl_error *err)
{
    envl_buf_clear(&entry->wrapped);
    return kms_wrap(&((struct aws *)base)->kms, ring_id,
                    envl_secret_bytes(ring_key), &entry->wrapped, err);
}

/* KMS has no call for several keys: one for each. */
static enum envl_status
aws_wrap(struct envl_provider *base, struct envl_bytes keys, size_t count,
         struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    size_t start = blobs->len;

    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        size_t before = blobs->len;

        status = kms_wrap(&((struct aws *)base)->kms, base->ring_id,
                          (struct envl_bytes){
                              keys.ptr + i * ENVL_VALUE_KEY_LEN,
                              ENVL_VALUE_KEY_LEN }, blobs, err);
        lens[i] = blobs->len - before;
    }
    if (status != ENVL_OK)
        blobs->len = start;
    return status;
}

static enum envl_status
aws_unwrap(struct envl_provider *base, const struct envl_bytes *blobs,
           size_t count, struct envl_span keys, enum envl_status *statuses,
           struct envl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        statuses[i] = kms_unwrap(&((struct aws *)base)->kms, base->ring_id,
                                 blobs[i],
                                 keys.ptr + i * ENVL_VALUE_KEY_LEN, err);
        if (statuses[i] != ENVL_OK && statuses[i] != ENVL_E_AUTH)
            return statuses[i];
    }
    return ENVL_OK;
}

static void
aws_free(struct envl_provider *base)
{
    struct aws *self = (struct aws *)base;

    cache_free(self->kms.cache);
    http_client_free(self->kms.http);
    credentials_close(&self->credentials);
    (void)config_close(&self->config);
    for (size_t i = 0; i < self->mount_count; i++)
        free(self->mounts[i]);
    free(self->mounts);
    free(self->name);
    free(self);
}

static const struct envl_provider_ops aws_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "aws-kms",
    .unlock = aws_unlock,
    .enroll = aws_enroll,
    .wrap = aws_wrap,
    .unwrap = aws_unwrap,
    .free = aws_free,
};

/* ---- its settings -------------------------------------------------------- */

static void
read_credentials(struct config *outer, struct credentials_options *out)
{
    static const char *const names[] = { "any", "environment", "file",
                                         "container", "instance" };
    const char *source = NULL;
    struct config c;
    size_t i = 0;

    config_inner(outer, "credentials", "credentials.", &c);
    config_text(&c, "source", &source);
    while (source != NULL && i < 5 && strcmp(names[i], source) != 0)
        i++;
    if (i == 5)
        config_refuse(&c, "source", "is none of any, environment, file, "
                                    "container and instance");
    out->source = (enum credentials_source)i;
    config_path(&c, "file", &out->file);
    config_text(&c, "profile", &out->profile);
    config_done(&c, outer);
}

/* It becomes part of a host name and of what is signed. */
static bool
region_ok(const char *region)
{
    size_t len = strlen(region);

    return len <= 32 && strspn(region, "abcdefghijklmnopqrstuvwxyz"
                                       "0123456789-") == len;
}

static void
read_place(struct aws *self)
{
    struct config *c = &self->config;
    const char *region = NULL, *endpoint = NULL;

    config_need_text(c, "region", &region);
    config_text(c, "endpoint", &endpoint);
    if (region != NULL && !region_ok(region)) {
        config_refuse(c, "region", "is no name of a region");
        return;
    }
    if (region == NULL)
        return;
    snprintf(self->signing, sizeof(self->signing), "aws:amz:%s:kms", region);
    snprintf(self->address, sizeof(self->address),
             "https://kms.%s.amazonaws.com%s", region,
             strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    self->http.address = endpoint != NULL ? endpoint : self->address;
}

static bool
copy_strings(struct aws *self, const struct envl_provider_request *request)
{
    self->name = strdup(request->name);
    self->mounts = calloc(request->mount_count + 1, sizeof(*self->mounts));
    if (self->name == NULL || self->mounts == NULL)
        return false;
    for (size_t i = 0; i < request->mount_count; i++) {
        if ((self->mounts[i] = strdup(request->mounts[i])) == NULL)
            return false;
        self->mount_count = i + 1;
    }
    return true;
}

static enum envl_status
read_settings(struct aws *self, const struct envl_provider_request *request,
              struct envl_error *err)
{
    struct credentials_options where = { .name = self->name };
    struct config *c = &self->config;
    int64_t seconds;

    config_open(request->settings, self->name, c, err);
    read_place(self);
    config_need_text(c, "key", &self->kms.key);
    config_path(c, "ca_file", &self->http.ca_file);
    config_number(c, &(struct config_number){ "timeout_seconds", 1, 120,
                                              10 }, &seconds);
    read_credentials(c, &where);
    cache_read(c, &self->limits);
    config_done(c, NULL);
    self->http.name = self->name;
    self->http.timeout_ms = (unsigned)seconds * 1000u;
    self->http.mounts = where.mounts = (const char *const *)self->mounts;
    self->http.mount_count = where.mount_count = self->mount_count;
    credentials_close(&self->credentials);
    credentials_open(&where, &self->credentials);
    return c->status;
}

static enum envl_status
create(const struct envl_provider_request *request,
       struct envl_provider **out, struct envl_error *err)
{
    struct aws *self = calloc(1, sizeof(*self));
    enum envl_status status;

    if (self == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    self->base.ops = &aws_ops;
    credentials_open(&(struct credentials_options){ .name = "" },
                     &self->credentials);
    if (!copy_strings(self, request))
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    else
        status = read_settings(self, request, err);
    if (status == ENVL_OK)
        status = http_client_new(&self->http, &self->kms.http, err);
    if (status == ENVL_OK)
        status = cache_new(&self->limits, &self->kms.cache, err);
    if (status != ENVL_OK) {
        aws_free(&self->base);
        return status;
    }
    self->kms.name = self->name;
    self->kms.signing = self->signing;
    self->kms.credentials = &self->credentials;
    *out = &self->base;
    return ENVL_OK;
}

static const char *const types[] = { "aws-kms", NULL };

ENVL_API extern const struct envl_provider_module envl_provider_module_v1;
const struct envl_provider_module envl_provider_module_v1 = {
    .abi = ENVL_PROVIDER_ABI,
    .name = "aws",
    .version = ENVL_VERSION,
    .types = types,
    .create = create,
};
