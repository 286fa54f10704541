/*
 * lock.h - one process at a time changes a file.
 *
 * The lock is flock(2) on the file itself, so nothing is left beside it.
 * Since a writer puts a new file under the name, a lock counts only if the
 * name still means the file that was locked; otherwise the new one is locked.
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "core/file.h"

/**
 * lock_take(place, path, flags, wait_ms, fd, err):
 * Open the file at ${place} for reading and writing (${flags} may add
 * O_APPEND), lock it, and store the descriptor; closing it gives the lock
 * back.  Waits at most ${wait_ms}, then fails with ENVL_E_LOCKED, naming the
 * holder if it is known.
 */
enum envl_status lock_take(const struct file_place *place, const char *path,
                           int flags, unsigned wait_ms, int *fd,
                           struct envl_error *err);

#endif /* CORE_LOCK_H */
