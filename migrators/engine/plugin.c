#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "engine/plugin.h"
#include "engine/safe_path.h"

#define PREFIX "envl-migrator-"
#define SUFFIX ".so"
#define NAME_MAX_LEN 32u

bool
plugin_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= NAME_MAX_LEN && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* What must be there, each with its name for the message. */
static const char *
missing(const struct envl_migrator *ops)
{
    const struct {
        const char *name;
        bool there;
    } all[] = {
        { "open", ops->open != NULL },
        { "close", ops->close != NULL },
        { "info", ops->info != NULL },
        { "bind", ops->bind != NULL },
        { "unbind", ops->unbind != NULL },
        { "target_info", ops->target_info != NULL },
        { "last_key", ops->last_key != NULL },
        { "split", ops->split != NULL },
        { "read_begin", ops->read_begin != NULL },
        { "read_end", ops->read_end != NULL },
        { "page_free", ops->page_free != NULL },
        { "write_begin", ops->write_begin != NULL },
        { "write_end", ops->write_end != NULL },
        { "commit_begin", ops->commit_begin != NULL },
        { "commit_end", ops->commit_end != NULL },
        { "rollback", ops->rollback != NULL },
        { "state_setup", ops->state_setup != NULL },
        { "state_read", ops->state_read != NULL },
        { "state_take", ops->state_take != NULL },
        { "state_release", ops->state_release != NULL },
        { "state_reset", ops->state_reset != NULL },
        { "quarantine_read", ops->quarantine_read != NULL },
        { "ddl", ops->ddl != NULL },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].there)
            return all[i].name;
    }
    return NULL;
}

enum envl_status
plugin_check(const struct envl_migrator *ops, const char *driver,
             struct envl_error *err)
{
    const char *lacks;

    /* A later minor only appends; the first one ended here.  spec: MIG-2 */
    if (ops->size < offsetof(struct envl_migrator, guard_set))
        return envl_fail(err, ENVL_E_IO, "plugin %s was built for an older "
                         "version of the interface", driver);
    if (ops->name == NULL || strcmp(ops->name, driver) != 0)
        return envl_fail(err, ENVL_E_IO, "plugin %s says that it is another",
                         driver);
    lacks = missing(ops);
    if (lacks != NULL)
        return envl_fail(err, ENVL_E_IO, "plugin %s has no function %s",
                         driver, lacks);
    return ENVL_OK;
}

/* The folder of the running command. */
static bool
own_folder(char out[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
    char *slash;

    if (len <= 0)
        return false;
    out[len] = '\0';
    slash = strrchr(out, '/');
    if (slash == NULL)
        return false;
    *(slash == out ? slash + 1 : slash) = '\0';
    return true;
}

/* Where to look, in order; the list ends with NULL. */
struct folders {
    const char *in[4];
    char own[PATH_MAX];       /* beside the command, as it is built       */
    char installed[PATH_MAX]; /* as `make install` lays it out, anywhere  */
};

static void
folders_find(struct folders *out, const char *dir)
{
    size_t n = 0;
    int len;

    if (dir != NULL) {
        out->in[n++] = dir;
    } else {
        if (own_folder(out->own)) {
            out->in[n++] = out->own;
            len = snprintf(out->installed, PATH_MAX, "%s/../lib/envelope",
                           out->own);
            if (len > 0 && len < PATH_MAX)
                out->in[n++] = out->installed;
        }
        out->in[n++] = PLUGDIR;
    }
    out->in[n] = NULL;
}

/* Path of an existing file, resolved, or ENVL_E_NOTFOUND. */
static enum envl_status
find(const char *driver, const char *dir, char out[PATH_MAX],
     struct envl_error *err)
{
    struct folders look;
    char path[PATH_MAX];

    folders_find(&look, dir);
    for (size_t i = 0; look.in[i] != NULL; i++) {
        int n = snprintf(path, sizeof(path), "%s/" PREFIX "%s" SUFFIX,
                         look.in[i], driver);

        if (n > 0 && (size_t)n < sizeof(path) && realpath(path, out) != NULL)
            return ENVL_OK;
    }
    envl_fail(err, ENVL_E_NOTFOUND, "there is no plugin for driver %s",
              driver);
    envl_hint(err, "looked for " PREFIX "%s" SUFFIX " in %s%s%s", driver,
              look.in[0], look.in[1] != NULL ? " and " : "",
              look.in[1] != NULL ? PLUGDIR : "");
    return ENVL_E_NOTFOUND;
}

static enum envl_status
hash(const char *path, char out[65], struct envl_error *err)
{
    crypto_hash_sha256_state state;
    uint8_t block[16384], sum[crypto_hash_sha256_BYTES];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return envl_fail(err, ENVL_E_IO, "cannot read plugin %s: %s", path,
                         strerror(errno));
    crypto_hash_sha256_init(&state);
    while ((n = read(fd, block, sizeof(block))) > 0)
        crypto_hash_sha256_update(&state, block, (unsigned long long)n);
    close(fd);
    if (n < 0)
        return envl_fail(err, ENVL_E_IO, "cannot read plugin %s", path);
    crypto_hash_sha256_final(&state, sum);
    sodium_bin2hex(out, 65, sum, sizeof(sum));
    return ENVL_OK;
}

enum envl_status
plugin_load(const char *driver, const char *dir, struct plugin *out,
            struct envl_error *err)
{
    struct plugin plugin = { 0 };
    enum envl_status status;
    void *handle;

    if (!plugin_name_ok(driver))
        return envl_fail(err, ENVL_E_USAGE,
                         "a driver's name is made of a-z, 0-9 and -");
    status = find(driver, dir, plugin.path, err);
    if (status == ENVL_OK)
        status = safe_path_check(plugin.path, err);
    if (status == ENVL_OK)
        status = hash(plugin.path, plugin.sha256, err);
    if (status != ENVL_OK)
        return status;

    handle = dlopen(plugin.path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *why = dlerror();

        return envl_fail(err, ENVL_E_IO, "cannot load plugin %s: %s", driver,
                         why == NULL ? "no reason given" : why);
    }
    plugin.ops = dlsym(handle, ENVL_MIGRATOR_SYMBOL);
    if (plugin.ops == NULL)
        return envl_fail(err, ENVL_E_IO, "%s is not a migrator plugin",
                         plugin.path);
    status = plugin_check(plugin.ops, driver, err);
    if (status == ENVL_OK)
        *out = plugin;
    /* Never unloaded: libraries below it may have left exit handlers. */
    return status;
}

/* The driver in a file name, if it is named like a plugin. */
static bool
driver_of(const char *file, char out[NAME_MAX_LEN + 1])
{
    size_t len = strlen(file), head = strlen(PREFIX), tail = strlen(SUFFIX);

    if (len <= head + tail || len - head - tail > NAME_MAX_LEN ||
        strncmp(file, PREFIX, head) != 0 ||
        strcmp(file + len - tail, SUFFIX) != 0)
        return false;
    memcpy(out, file + head, len - head - tail);
    out[len - head - tail] = '\0';
    return plugin_name_ok(out);
}

void
plugin_each(const char *dir, plugin_each_fn *each, void *cookie)
{
    char path[PATH_MAX], driver[NAME_MAX_LEN + 1];
    struct folders look;

    folders_find(&look, dir);
    for (size_t i = 0; look.in[i] != NULL; i++) {
        DIR *folder = opendir(look.in[i]);
        struct dirent *entry;

        while (folder != NULL && (entry = readdir(folder)) != NULL) {
            int n;

            if (!driver_of(entry->d_name, driver))
                continue;
            n = snprintf(path, sizeof(path), "%s/%s", look.in[i],
                         entry->d_name);
            if (n > 0 && (size_t)n < sizeof(path))
                each(cookie, driver, path);
        }
        if (folder != NULL)
            closedir(folder);
    }
}
