#include "core/module_file.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/safe_path.h"

#define SUFFIX ".so"

bool
module_file_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= MODULE_FILE_NAME_MAX && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
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
find(const struct module_file_kind *kind, const char *name, const char *dir,
     char out[PATH_MAX], struct envl_error *err)
{
    struct folders look;
    char path[PATH_MAX];

    folders_find(&look, dir);
    for (size_t i = 0; look.in[i] != NULL; i++) {
        int n = snprintf(path, sizeof(path), "%s/%s%s" SUFFIX, look.in[i],
                         kind->prefix, name);

        if (n > 0 && (size_t)n < sizeof(path) && realpath(path, out) != NULL)
            return ENVL_OK;
    }
    envl_fail(err, ENVL_E_NOTFOUND, "there is no %s %s", kind->what, name);
    envl_hint(err, "looked for %s%s" SUFFIX " in %s%s%s", kind->prefix, name,
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
module_file_load(const struct module_file_kind *kind, const char *name,
                 const char *dir, struct module_file *out,
                 struct envl_error *err)
{
    enum envl_status status;

    *out = (struct module_file){ 0 };
    if (!module_file_name_ok(name))
        return envl_fail(err, ENVL_E_USAGE,
                         "the name of a %s is made of a-z, 0-9 and -",
                         kind->what);
    if ((status = find(kind, name, dir, out->path, err)) != ENVL_OK ||
        (status = safe_path_check(out->path, err)) != ENVL_OK ||
        (status = hash(out->path, out->sha256, err)) != ENVL_OK)
        return status;
    out->handle = dlopen(out->path, RTLD_NOW | RTLD_LOCAL);
    if (out->handle == NULL) {
        const char *why = dlerror();

        return envl_fail(err, ENVL_E_IO, "cannot load the %s %s: %s",
                         kind->what, name,
                         why == NULL ? "no reason given" : why);
    }
    return ENVL_OK;
}

/* The name in a file name, if it is named like a module of this kind. */
static bool
name_of(const struct module_file_kind *kind, const char *file,
        char out[MODULE_FILE_NAME_MAX + 1])
{
    size_t len = strlen(file), head = strlen(kind->prefix);
    size_t tail = strlen(SUFFIX);

    if (len <= head + tail || len - head - tail > MODULE_FILE_NAME_MAX ||
        strncmp(file, kind->prefix, head) != 0 ||
        strcmp(file + len - tail, SUFFIX) != 0)
        return false;
    memcpy(out, file + head, len - head - tail);
    out[len - head - tail] = '\0';
    return module_file_name_ok(out);
}

void
module_file_each(const struct module_file_kind *kind, const char *dir,
                 module_file_each_fn *each, void *cookie)
{
    char path[PATH_MAX], name[MODULE_FILE_NAME_MAX + 1];
    struct folders look;

    folders_find(&look, dir);
    for (size_t i = 0; look.in[i] != NULL; i++) {
        DIR *folder = opendir(look.in[i]);
        struct dirent *entry;

        while (folder != NULL && (entry = readdir(folder)) != NULL) {
            int n;

            if (!name_of(kind, entry->d_name, name))
                continue;
            n = snprintf(path, sizeof(path), "%s/%s", look.in[i],
                         entry->d_name);
            if (n > 0 && (size_t)n < sizeof(path))
                each(cookie, name, path);
        }
        if (folder != NULL)
            closedir(folder);
    }
}
