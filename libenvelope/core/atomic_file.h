/*
 * atomic_file.h - write a file so that its name always means a whole file.
 *
 * The bytes go to a new file in the same folder, are synced, and the name is
 * moved over; then the folder is synced.  A crash at any point leaves the old
 * file or the new one.  What was begun ends with commit or abort.
 */
#ifndef CORE_ATOMIC_FILE_H
#define CORE_ATOMIC_FILE_H

#include "core/file.h"

enum atomic_file_how {
    ATOMIC_FILE_REPLACE,
    ATOMIC_FILE_CREATE /* ENVL_E_POLICY if the name is taken */
};

struct atomic_file {
    int dir;  /* the folder                                         */
    int fd;   /* the new file, for reading and writing              */
    bool renamed; /* the name means the new file, though perhaps not
                     after a power cut: see commit                  */
    const char *path;         /* borrowed, for messages             */
    char name[NAME_MAX + 1];
    char temp[NAME_MAX + 1];
};

/**
 * atomic_file_begin(file, place, path, err):
 * Make a new file of mode 0600 beside ${place}, which stays the caller's;
 * ${path} is borrowed.  Fails with ENVL_E_IO.
 */
enum envl_status atomic_file_begin(struct atomic_file *file,
                                   const struct file_place *place,
                                   const char *path, struct envl_error *err);

/**
 * atomic_file_begin_locked(file, place, path, err):
 * The same for a caller who holds the lock of ${place}: the new file has a
 * name of its own, and what a writer that died left there is removed.
 */
enum envl_status atomic_file_begin_locked(struct atomic_file *file,
                                          const struct file_place *place,
                                          const char *path,
                                          struct envl_error *err);

/**
 * atomic_file_keep(file, like, err):
 * Give the new file the owner, group and mode of ${like}.  Fails with
 * ENVL_E_IO where that is not allowed.  Other attributes are not kept.
 */
enum envl_status atomic_file_keep(struct atomic_file *file,
                                  const struct stat *like,
                                  struct envl_error *err);

/**
 * atomic_file_write(file, bytes, err):
 * Append ${bytes}.  Fails with ENVL_E_IO.
 */
enum envl_status atomic_file_write(struct atomic_file *file,
                                   struct envl_bytes bytes,
                                   struct envl_error *err);

/**
 * atomic_file_sync(file, err):
 * Sync what was written; commit does it too.
 */
enum envl_status atomic_file_sync(struct atomic_file *file,
                                  struct envl_error *err);

/**
 * atomic_file_commit(file, how, err):
 * Sync, name and close the file.  Fails with ENVL_E_IO or ENVL_E_POLICY,
 * nothing left behind, unless ${file}->renamed says that only the last step,
 * syncing the folder, failed.
 */
enum envl_status atomic_file_commit(struct atomic_file *file,
                                    enum atomic_file_how how,
                                    struct envl_error *err);

/**
 * atomic_file_abort(file):
 * Remove the new file; harmless after commit.
 */
void atomic_file_abort(struct atomic_file *file);

/**
 * atomic_file_create(path, rules, bytes, err):
 * All of it for a file that must not be there yet, in a folder held to
 * ${rules}.
 */
enum envl_status atomic_file_create(const char *path,
                                    const struct file_rules *rules,
                                    struct envl_bytes bytes,
                                    struct envl_error *err);

#endif /* CORE_ATOMIC_FILE_H */
