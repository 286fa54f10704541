/*
 * file.h - open a file that somebody else may have put there.
 *
 * Files that are obeyed (a ring, a key file, configuration) are reached one
 * folder at a time, and each step is checked on what was opened, not on a
 * name that can change in between (spec KEY-8).  The rules:
 *
 *   - the file is regular, belongs to the caller or root, and neither group
 *     nor others can write it; a private file they cannot read either;
 *   - its folder belongs to the caller or root, and nobody else can write it;
 *   - so do the folders above, where a sticky one (/tmp) is accepted too;
 *   - a symbolic link is followed only in a folder that root or the caller
 *     alone can write.
 *
 * Under a secret mount (/run/secrets, /var/run/secrets, the folder that
 * $CREDENTIALS_DIRECTORY names, and those the caller adds) a file of root may
 * be readable by all, a link of root is followed, and a folder of root that
 * is sticky or lies on a read-only mount is accepted: that is how Docker,
 * Kubernetes and systemd hand out secrets.  The path credential:NAME is the
 * first file NAME in those folders, in that order ($CREDENTIALS_DIRECTORY
 * first), held to the same rules.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <envelope/bytes.h>

/* Which rules a file is held to. */
enum file_kind {
    FILE_ANY,     /* none: a user's file, where it is          */
    FILE_TRUSTED, /* obeyed: a ring, configuration             */
    FILE_PRIVATE  /* holds a secret: a key file, an audit log  */
};

struct file_rules {
    enum file_kind kind;
    const char *what;          /* for messages: "key file"          */
    const char *const *mounts; /* more secret mounts, may be NULL   */
    size_t mount_count;
};

/* A file's folder and its name there, all links resolved. */
struct file_place {
    int dir;          /* O_PATH                              */
    bool in_mount;    /* under a secret mount                */
    bool exists;      /* something has that name             */
    char name[NAME_MAX + 1];
};

/* One state of a file: a rename or a write makes another. */
struct file_id {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed; /* inode  */
    struct timespec written; /* content */
};

/**
 * file_id_of(st), file_id_equal(a, b):
 * What tells one state of a file from another.
 */
struct file_id file_id_of(const struct stat *st);
bool file_id_equal(const struct file_id *a, const struct file_id *b);

/**
 * file_find(path, rules, out, err):
 * Walk to the folder of ${path}, which need not exist itself.  The caller
 * closes ${out} with file_place_close.  Fails with ENVL_E_NOTFOUND (no such
 * folder), ENVL_E_POLICY, ENVL_E_IO.
 */
enum envl_status file_find(const char *path, const struct file_rules *rules,
                           struct file_place *out, struct envl_error *err);

/**
 * file_place_close(place):
 * Close the folder; harmless twice.
 */
void file_place_close(struct file_place *place);

/**
 * file_open(path, rules, fd, st, err):
 * Open ${path} for reading, with its state as it was opened.  Fails as
 * file_find, with ENVL_E_NOTFOUND if there is no such file, and with
 * ENVL_E_POLICY if it is not a regular file or breaks a rule.
 */
enum envl_status file_open(const char *path, const struct file_rules *rules,
                           int *fd, struct stat *st, struct envl_error *err);

/**
 * file_open_at(place, path, rules, flags, st, err):
 * The same in a place that was found, with open flags of the caller's;
 * return the descriptor, or -1 with ${err} filled.
 */
int file_open_at(const struct file_place *place, const char *path,
                 const struct file_rules *rules, int flags, struct stat *st,
                 struct envl_error *err);

/**
 * file_check(st, in_mount, path, rules, err):
 * Hold an opened file to ${rules}: ENVL_OK or ENVL_E_POLICY.
 */
enum envl_status file_check(const struct stat *st, bool in_mount,
                            const char *path, const struct file_rules *rules,
                            struct envl_error *err);

/**
 * file_read(path, rules, limit, out, id, err):
 * Append the whole of ${path} to ${out}, and its state to ${id} (may be
 * NULL).  ENVL_E_LIMIT if it is longer than ${limit} bytes; otherwise fails
 * as file_open.
 */
enum envl_status file_read(const char *path, const struct file_rules *rules,
                           size_t limit, struct envl_buf *out,
                           struct file_id *id, struct envl_error *err);

/**
 * file_read_fd(fd, limit, out, err):
 * Append what is left to read of ${fd}; ENVL_E_LIMIT beyond ${limit} bytes,
 * ENVL_E_IO.
 */
enum envl_status file_read_fd(int fd, size_t limit, struct envl_buf *out,
                              struct envl_error *err);

/**
 * file_fail(err, doing, path):
 * Say that ${doing} ("open", "write") ${path} failed, from errno, and return
 * ENVL_E_NOTFOUND for a missing file, else ENVL_E_IO.
 */
enum envl_status file_fail(struct envl_error *err, const char *doing,
                           const char *path);

#endif /* CORE_FILE_H */
