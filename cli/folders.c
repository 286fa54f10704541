#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "folders.h"

/* Make every folder of ${path} that ends at a '/', and the whole. */
static int
make_each(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            *slash = '/';
            return -1;
        }
        *slash = '/';
    }
    return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

enum envl_status
folders_make(const char *path, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct stat here;
    char *copy;

    if (stat(path, &here) == 0 && S_ISDIR(here.st_mode))
        return ENVL_OK;
    if ((copy = strdup(path)) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if (make_each(copy) != 0)
        status = envl_fail(err, ENVL_E_IO, "cannot make the folder %s: %s",
                           path, strerror(errno));
    free(copy);
    return status;
}

enum envl_status
folders_make_for(const char *file, struct envl_error *err)
{
    const char *slash = strrchr(file, '/');
    enum envl_status status;
    char *folder;

    if (slash == NULL || slash == file)
        return ENVL_OK;
    if ((folder = strndup(file, (size_t)(slash - file))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    status = folders_make(folder, err);
    free(folder);
    return status;
}
