#include "provider/provider.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/module.h"
#include "provider/types.h"

/* A provider of the configuration, made when it is first used. */
struct lazy {
    struct envl_provider base;
    struct envl_provider_ops ops; /* base.ops: of its own type            */
    struct envl_provider_request request; /* its strings are copies       */
    char type[64];
    char *settings, *folder;
    char **mounts;
    pthread_mutex_t lock;                 /* held while it is made        */
    struct envl_provider *_Atomic real;   /* NULL until then              */
    _Atomic bool told;                    /* real knows whose keys it wraps */
};

bool
provider_fits(const struct envl_provider *provider,
              const struct envl_unlock_entry *entry)
{
    return strcmp(provider->ops->type, entry->type) == 0 &&
           (provider->name[0] == '\0' ||
            strcmp(provider->name, entry->name) == 0);
}

static enum envl_status
make(struct lazy *self, struct envl_provider **out, struct envl_error *err)
{
    const struct envl_provider_module *module;
    enum envl_status status = module_for(self->type, self->folder, &module,
                                         err);

    if (status != ENVL_OK ||
        (status = module->create(&self->request, out, err)) != ENVL_OK)
        return status;
    snprintf((*out)->name, sizeof((*out)->name), "%s", self->base.name);
    return ENVL_OK;
}

/* What does the work, made now if it was not yet. */
static enum envl_status
wake(struct lazy *self, struct envl_provider **out, struct envl_error *err)
{
    struct envl_provider *real = atomic_load(&self->real);
    enum envl_status status = ENVL_OK;

    if (real == NULL) {
        pthread_mutex_lock(&self->lock);
        real = atomic_load(&self->real);
        if (real == NULL && (status = make(self, &real, err)) == ENVL_OK)
            atomic_store(&self->real, real);
        pthread_mutex_unlock(&self->lock);
    }
    if (status == ENVL_OK && self->base.ring_id[0] != '\0' &&
        !atomic_load(&self->told)) {
        pthread_mutex_lock(&self->lock);
        memcpy(real->ring_id, self->base.ring_id, sizeof(real->ring_id));
        atomic_store(&self->told, true);
        pthread_mutex_unlock(&self->lock);
    }
    *out = real;
    return status;
}

static enum envl_status
lazy_unlock(struct envl_provider *base, const struct envl_unlock_entry *entry,
            const char *ring_id, struct envl_secret **ring_key,
            struct envl_error *err)
{
    struct envl_provider *real;
    enum envl_status status = wake((struct lazy *)base, &real, err);

    if (status != ENVL_OK)
        return status;
    return real->ops->unlock(real, entry, ring_id, ring_key, err);
}

static enum envl_status
lazy_enroll(struct envl_provider *base, const char *ring_id,
            const struct envl_secret *ring_key,
            struct envl_unlock_entry *entry, struct envl_error *err)
{
    struct envl_provider *real;
    enum envl_status status = wake((struct lazy *)base, &real, err);

    if (status != ENVL_OK)
        return status;
    return real->ops->enroll(real, ring_id, ring_key, entry, err);
}

static enum envl_status
lazy_wrap(struct envl_provider *base, struct envl_bytes keys, size_t count,
          struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct envl_provider *real;
    enum envl_status status = wake((struct lazy *)base, &real, err);

    if (status != ENVL_OK)
        return status;
    return real->ops->wrap(real, keys, count, blobs, lens, err);
}

static enum envl_status
lazy_unwrap(struct envl_provider *base, const struct envl_bytes *blobs,
            size_t count, struct envl_span keys, enum envl_status *statuses,
            struct envl_error *err)
{
    struct envl_provider *real;
    enum envl_status status = wake((struct lazy *)base, &real, err);

    if (status != ENVL_OK)
        return status;
    return real->ops->unwrap(real, blobs, count, keys, statuses, err);
}

static void
lazy_free(struct envl_provider *base)
{
    struct lazy *self = (struct lazy *)base;

    envl_provider_free(atomic_load(&self->real));
    for (size_t i = 0; self->mounts != NULL && i < self->request.mount_count;
         i++)
        free(self->mounts[i]);
    free(self->mounts);
    free(self->settings);
    free(self->folder);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* spec: KEY-6 */
static bool
name_ok(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    return len >= 1 && len <= 63 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

static enum envl_status
check_request(const struct envl_provider_request *request,
              struct envl_error *err)
{
    if (request->size != sizeof(*request) || request->settings == NULL)
        return envl_fail(err, ENVL_E_USAGE, "a provider's request is not "
                         "valid");
    if (!name_ok(request->name))
        return envl_fail(err, ENVL_E_USAGE, "'%.80s' is no valid name of a "
                         "provider", request->name != NULL ? request->name
                                                           : "");
    if (request->type == NULL ||
        types_find(envl_bytes_of(request->type)) == NULL)
        return envl_fail(err, ENVL_E_USAGE, "provider '%s': there is no type "
                         "'%.40s'", request->name,
                         request->type != NULL ? request->type : "");
    return ENVL_OK;
}

/* Copy what the caller may take away. */
static bool
copy_request(struct lazy *self, const struct envl_provider_request *request)
{
    size_t count = request->mount_count;

    self->request = *request;
    self->request.mount_count = 0;
    self->settings = strdup(request->settings);
    self->mounts = calloc(count + 1, sizeof(*self->mounts));
    if (request->folder != NULL)
        self->folder = strdup(request->folder);
    if (self->settings == NULL || self->mounts == NULL ||
        (request->folder != NULL && self->folder == NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        if ((self->mounts[i] = strdup(request->mounts[i])) == NULL)
            return false;
        self->request.mount_count = i + 1;
    }
    self->request.name = self->base.name;
    self->request.type = self->type;
    self->request.settings = self->settings;
    self->request.folder = self->folder;
    self->request.mounts = (const char *const *)self->mounts;
    return true;
}

enum envl_status
envl_provider_new(const struct envl_provider_request *request,
                  struct envl_provider **out, struct envl_error *err)
{
    enum envl_status status = check_request(request, err);
    struct lazy *self;

    if (status != ENVL_OK)
        return status;
    if ((self = calloc(1, sizeof(*self))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    pthread_mutex_init(&self->lock, NULL);
    snprintf(self->base.name, sizeof(self->base.name), "%s", request->name);
    snprintf(self->type, sizeof(self->type), "%s", request->type);
    self->ops = (struct envl_provider_ops){
        .abi = ENVL_PROVIDER_ABI, .type = self->type,
        .unlock = lazy_unlock, .enroll = lazy_enroll, .free = lazy_free,
    };
    if (types_find(envl_bytes_of(self->type))->holds_key) {
        self->ops.wrap = lazy_wrap;
        self->ops.unwrap = lazy_unwrap;
    }
    self->base.ops = &self->ops;
    if (!copy_request(self, request)) {
        lazy_free(&self->base);
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    }
    *out = &self->base;
    return ENVL_OK;
}

enum envl_status
envl_provider_check(struct envl_provider *provider, struct envl_error *err)
{
    struct envl_provider *real;

    if (provider->ops->unlock != lazy_unlock)
        return ENVL_OK;
    return wake((struct lazy *)provider, &real, err);
}

void
envl_provider_free(struct envl_provider *provider)
{
    if (provider != NULL)
        provider->ops->free(provider);
}
