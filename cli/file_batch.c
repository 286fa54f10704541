#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "file_batch.h"
#include "report.h"

/* The first failure is returned, the others are told at once. */
static void
note_failure(struct envl_error *first, size_t failures,
             const struct envl_error *now)
{
    if (failures == 0)
        *first = *now;
    else
        report_warning("%s", now->message);
}

static enum envl_status
check_one(struct file_batch *batch, struct infile *file, const char *path,
          struct envl_error *err)
{
    enum envl_status status;

    if ((status = infile_look(path, file, err)) == ENVL_OK)
        status = infile_check(file, &batch->keys, err);
    if (status == ENVL_OK && batch->rewrap &&
        file->info.mode != ENVL_MODE_WRAPPED) {
        /* spec: ENV-9.9 */
        status = envl_fail(err, ENVL_E_POLICY, "it is sealed under a data "
                           "key, which rewrap does not replace");
        envl_hint(err, "`envelope rotate --kid KID` with a key of use seal "
                       "does");
    }
    explain_open(err);
    if (status != ENVL_OK && strstr(err->message, path) == NULL)
        explain_name(err, path);
    return status;
}

/* The second writing would find a file that changed meanwhile. */
static enum envl_status
check_once(const struct file_batch *batch, size_t at, struct envl_error *err)
{
    const struct stat *it = &batch->files[at].was;

    for (size_t i = 0; i < at; i++)
        if (batch->files[i].was.st_ino == it->st_ino &&
            batch->files[i].was.st_dev == it->st_dev)
            return envl_fail(err, ENVL_E_USAGE, "%s is named twice",
                             batch->files[at].path);
    return ENVL_OK;
}

enum envl_status
file_batch_check(struct file_batch *batch, char **paths, size_t count,
                 struct envl_error *err)
{
    struct envl_error first = { .status = ENVL_OK };
    size_t failures = 0;

    batch->files = calloc(count > 0 ? count : 1, sizeof(*batch->files));
    if (batch->files == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        struct envl_error now = { .status = ENVL_OK };

        if (check_one(batch, &batch->files[i], paths[i], &now) != ENVL_OK ||
            check_once(batch, i, &now) != ENVL_OK)
            note_failure(&first, failures++, &now);
    }
    if (failures > 0)
        *err = first;
    return first.status;
}

static enum envl_status
write_one(struct file_batch *batch, const struct infile *file,
          struct envl_error *err)
{
    enum envl_status status;

    status = batch->rewrap
                 ? infile_rewrap(file, &batch->keys, &batch->options, err)
                 : infile_reseal(file, &batch->keys, &batch->options, err);
    if (status != ENVL_OK && strstr(err->message, file->path) == NULL)
        explain_name(err, file->path);
    return status;
}

enum envl_status
file_batch_write(struct file_batch *batch, struct envl_error *err)
{
    struct envl_error first = { .status = ENVL_OK };

    for (size_t i = 0; i < batch->count; i++) {
        struct envl_error now = { .status = ENVL_OK };

        if (strcmp(batch->files[i].info.kid, batch->options.kid) == 0)
            batch->skipped++;
        else if (write_one(batch, &batch->files[i], &now) == ENVL_OK)
            batch->done++;
        else
            note_failure(&first, batch->failed++, &now);
    }
    if (batch->failed == 0)
        return ENVL_OK;
    *err = first;
    if (batch->done + batch->skipped == 0)
        return first.status;
    report_warning("%s", first.message);
    (void)envl_fail(err, ENVL_E_PARTIAL, "%llu of %zu files failed",
                    (unsigned long long)batch->failed, batch->count);
    envl_hint(err, "the others are done: run the same command again when the "
                   "cause is gone");
    return ENVL_E_PARTIAL;
}

void
file_batch_free(struct file_batch *batch)
{
    free(batch->files);
    batch->files = NULL;
    batch->count = 0;
}
