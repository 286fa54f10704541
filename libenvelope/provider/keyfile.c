#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <envelope/provider.h>

#include "core/atomic_file.h"
#include "core/file.h"
#include "core/random.h"
#include "provider/unlock_key.h"

#define KEYFILE_LEN 32u
#define DIR_LIMIT   8u

struct keyfile {
    struct envl_provider base;
    char *path;
    char *dirs[DIR_LIMIT]; /* more secret mounts */
    size_t dir_count;
};

/*
 * Read straight into guarded memory, one byte more than there may be.  The
 * file is read at each unlock, so that its bytes are not kept meanwhile.
 */
static enum envl_status
read_secret(const struct keyfile *self, struct envl_secret **out,
            struct envl_error *err)
{
    const char *const *dirs = (const char *const *)self->dirs;
    struct file_rules rules = { FILE_PRIVATE, "key file", dirs,
                                self->dir_count };
    struct envl_secret *secret = NULL;
    enum envl_status status;
    struct envl_span room;
    struct stat st;
    size_t done = 0;
    ssize_t got;
    int fd;

    status = file_open(self->path, &rules, &fd, &st, err);
    if (status == ENVL_E_NOTFOUND && (err == NULL || err->hint[0] == '\0')) {
        envl_fail(err, status, "no key file at '%s'", self->path);
        envl_hint(err, "name it: --key-file, ENVELOPE_KEY_FILE; or restore "
                  "it from its backup");
    }
    if (status != ENVL_OK)
        return status;
    if ((status = envl_secret_new(KEYFILE_LEN + 1, &secret, err)) != ENVL_OK)
        goto out;
    room = envl_secret_span(secret);
    do {
        got = read(fd, room.ptr + done, room.len - done);
        if (got > 0)
            done += (size_t)got;
    } while (got > 0 && done < room.len);
    if (got < 0) {
        status = file_fail(err, "read", self->path);
    } else if (done != KEYFILE_LEN) {
        /* spec: KEY-20 */
        status = envl_fail(err, ENVL_E_FORMAT,
                           "key file '%s' has %lld bytes, not 32",
                           self->path, (long long)st.st_size);
        envl_hint(err, "a key file is 32 raw bytes, with no line feed: "
                  "restore it from its backup");
    } else {
        *out = secret;
        secret = NULL;
    }

out:
    close(fd);
    envl_secret_free(secret);
    return status;
}

static enum envl_status
keyfile_unlock(struct envl_provider *base,
               const struct envl_unlock_entry *entry, const char *ring_id,
               struct envl_secret **ring_key, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status;

    status = read_secret((const struct keyfile *)base, &secret, err);
    if (status != ENVL_OK)
        return status;
    status = unlock_key_open(envl_secret_bytes(secret).ptr, entry, ring_id,
                             ring_key, err);
    envl_secret_free(secret);
    if (status == ENVL_E_AUTH)
        envl_fail(err, status, "key file '%s' does not open unlock entry "
                  "'%s'", ((const struct keyfile *)base)->path, entry->name);
    return status;
}

static enum envl_status
keyfile_enroll(struct envl_provider *base, const char *ring_id,
               const struct envl_secret *ring_key,
               struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    enum envl_status status;

    status = read_secret((const struct keyfile *)base, &secret, err);
    if (status != ENVL_OK)
        return status;
    status = unlock_key_wrap(envl_secret_bytes(secret).ptr, ring_id, ring_key,
                             entry, err);
    envl_secret_free(secret);
    return status;
}

static void
keyfile_free(struct envl_provider *base)
{
    struct keyfile *self = (struct keyfile *)base;

    for (size_t i = 0; i < self->dir_count; i++)
        free(self->dirs[i]);
    free(self->path);
    free(self);
}

static const struct envl_provider_ops keyfile_ops = {
    .abi = ENVL_PROVIDER_ABI,
    .type = "keyfile",
    .unlock = keyfile_unlock,
    .enroll = keyfile_enroll,
    .free = keyfile_free,
};

enum envl_status
envl_keyfile_provider_new(const char *path, struct envl_provider **out,
                          struct envl_error *err)
{
    struct keyfile *self = calloc(1, sizeof(*self));

    if (self != NULL)
        self->path = strdup(path);
    if (self == NULL || self->path == NULL) {
        free(self);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    }
    self->base.ops = &keyfile_ops;
    *out = &self->base;
    return ENVL_OK;
}

enum envl_status
envl_keyfile_provider_allow(struct envl_provider *provider, const char *dir,
                            struct envl_error *err)
{
    struct keyfile *self = (struct keyfile *)provider;

    if (provider->ops != &keyfile_ops)
        return envl_fail(err, ENVL_E_USAGE,
                         "not a key file provider: '%s'",
                         provider->ops->type);
    if (dir[0] != '/')
        return envl_fail(err, ENVL_E_USAGE,
                         "key folder '%s' is not an absolute path", dir);
    if (self->dir_count == DIR_LIMIT)
        return envl_fail(err, ENVL_E_LIMIT, "more than %u key folders",
                         DIR_LIMIT);
    self->dirs[self->dir_count] = strdup(dir);
    if (self->dirs[self->dir_count] == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    self->dir_count++;
    return ENVL_OK;
}

enum envl_status
envl_keyfile_create(const char *path, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_PRIVATE, "key file", NULL,
                                             0 };
    struct envl_secret *secret = NULL;
    enum envl_status status;

    if ((status = envl_secret_new(KEYFILE_LEN, &secret, err)) != ENVL_OK)
        return status;
    status = random_fill(envl_secret_span(secret), err);
    if (status == ENVL_OK)
        status = atomic_file_create(path, &rules, envl_secret_bytes(secret),
                                    err);
    envl_secret_free(secret);
    return status;
}
