#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "folders.h"
#include "outfile.h"
#include "ring_jobs.h"

#define PATH_MAX_LEN 4096u

/* ${folder}/jobs/RING-HASH, the hash of the job file's resolved path. */
static char *
note_path(const char *folder, struct envl_keyring *ring, const char *place)
{
    unsigned char hash[16];
    char hex[2 * sizeof(hash) + 1], *path = NULL;
    struct envl_ring_mark mark;

    envl_keyring_mark(ring, &mark);
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)place,
                       strlen(place), NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    return asprintf(&path, "%s/jobs/%s-%s", folder, mark.id, hex) < 0 ? NULL
                                                                      : path;
}

enum envl_status
ring_jobs_begin(const char *folder, struct envl_keyring *ring,
                const char *job, struct envl_error *err)
{
    struct outfile file = OUTFILE_INIT;
    char *place = realpath(job, NULL);
    char *path = place != NULL ? note_path(folder, ring, place) : NULL;
    enum envl_status status;

    if (path == NULL)
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    else if ((status = folders_make_for(path, err)) == ENVL_OK &&
             (status = outfile_open(path, &file, err)) == ENVL_OK &&
             (status = outfile_write(&file, envl_bytes_of(place), err)) ==
                 ENVL_OK)
        status = outfile_commit(&file, err);
    outfile_free(&file);
    free(path);
    free(place);
    return status;
}

void
ring_jobs_end(const char *folder, struct envl_keyring *ring, const char *job)
{
    char *place = realpath(job, NULL);
    char *path = place != NULL ? note_path(folder, ring, place) : NULL;

    if (path != NULL)
        unlink(path);
    free(path);
    free(place);
}

static enum envl_status
refuse(const char *path, struct envl_error *err)
{
    char job[PATH_MAX_LEN] = "a job";
    FILE *file = fopen(path, "re");
    enum envl_status status;
    size_t len = 0;

    if (file != NULL) {
        len = fread(job, 1, sizeof(job) - 1, file);
        fclose(file);
        job[len] = '\0';
    }
    status = envl_fail(err, ENVL_E_POLICY, "a sweep of %.180s is unfinished",
                       job);
    envl_hint(err, "finish it first: a new ring key would make its records "
                   "unreadable; if it is gone for good, remove %s", path);
    return status;
}

enum envl_status
ring_jobs_none(const char *folder, struct envl_keyring *ring,
               struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct envl_ring_mark mark;
    char path[PATH_MAX_LEN];
    struct dirent *entry;
    DIR *dir;

    envl_keyring_mark(ring, &mark);
    snprintf(path, sizeof(path), "%s/jobs", folder);
    if ((dir = opendir(path)) == NULL)
        return errno == ENOENT
                   ? ENVL_OK
                   : envl_fail(err, ENVL_E_IO, "cannot read %s: %s", path,
                               strerror(errno));
    while (status == ENVL_OK && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, mark.id, strlen(mark.id)) == 0) {
            snprintf(path, sizeof(path), "%s/jobs/%s", folder,
                     entry->d_name);
            status = refuse(path, err);
        }
    closedir(dir);
    return status;
}
