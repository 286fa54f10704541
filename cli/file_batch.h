/*
 * file_batch.h - several envelopes in files, moved to another key.
 *
 * All of them are opened before the first is written.  A run that was stopped
 * is simply run again: what is under the key already is only checked.
 */
#ifndef CLI_FILE_BATCH_H
#define CLI_FILE_BATCH_H

#include "infile.h"

struct file_batch {
    struct pass_keys keys;
    struct envl_seal_options options; /* kid: the key to move to      */
    bool rewrap;                      /* replace the wrapped key only */
    struct infile *files;
    size_t count;
    uint64_t done, skipped, failed;
};

/**
 * file_batch_check(batch, paths, count, err):
 * Look at every file and open it, into memory that file_batch_free releases.
 * Every file that fails is reported; the status is that of the first.
 */
enum envl_status file_batch_check(struct file_batch *batch, char **paths,
                                  size_t count, struct envl_error *err);

/**
 * file_batch_write(batch, err):
 * Move every file that is not under batch->options.kid yet.  A failure is
 * reported and the others go on; ENVL_E_PARTIAL if some were moved or needed
 * nothing, else the first failure.
 */
enum envl_status file_batch_write(struct file_batch *batch,
                                  struct envl_error *err);

/**
 * file_batch_free(batch):
 * Release.
 */
void file_batch_free(struct file_batch *batch);

#endif /* CLI_FILE_BATCH_H */
