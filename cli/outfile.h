/*
 * outfile.h - a file that appears whole or not at all.
 *
 * Where the file system can, the new file has no name until it is complete,
 * so that even kill -9 leaves nothing behind; elsewhere it has a temporary
 * name, which a signal removes.
 */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include <jansson.h>

#include <envelope/bytes.h>
#include <envelope/error.h>

struct outfile {
    int fd;
    const char *path; /* for messages; "standard output" if there is none */
    char *folder;     /* where it lies; NULL: written in place            */
    char *temp;       /* its temporary name, or NULL                      */
};

#define OUTFILE_INIT { -1, NULL, NULL, NULL }

/**
 * outfile_open(path, out, err):
 * Begin to write ${path} (borrowed), mode 0600.  NULL or "-" is standard
 * output; a device or pipe is written in place; a symbolic link is refused
 * (ENVL_E_POLICY).  Fails with ENVL_E_IO, ENVL_E_NOTFOUND (no such folder).
 */
enum envl_status outfile_open(const char *path, struct outfile *out,
                              struct envl_error *err);

/**
 * outfile_is_terminal(file):
 * True if a person would see what is written.
 */
bool outfile_is_terminal(const struct outfile *file);

/**
 * outfile_write(file, bytes, err):
 * Write all of ${bytes}.  Fails with ENVL_E_IO.
 */
enum envl_status outfile_write(struct outfile *file, struct envl_bytes bytes,
                               struct envl_error *err);

/**
 * outfile_keep(file, like, err):
 * Give the new file the owner and mode of ${like}.  Fails with ENVL_E_IO.
 */
enum envl_status outfile_keep(struct outfile *file, const struct stat *like,
                              struct envl_error *err);

/**
 * outfile_commit(file, err):
 * Sync it and let it appear under its name, in place of what was there.
 * Fails with ENVL_E_IO, and then nothing has appeared.
 */
enum envl_status outfile_commit(struct outfile *file, struct envl_error *err);

/**
 * outfile_free(file):
 * Close; what was not committed is gone.
 */
void outfile_free(struct outfile *file);

/**
 * outfile_json(path, document, indent, err):
 * All of the above for a file that is one JSON document and a LF; ${document}
 * stays the caller's, and NULL (jansson ran out of memory) is ENVL_E_NOMEM.
 */
enum envl_status outfile_json(const char *path, const json_t *document,
                              unsigned indent, struct envl_error *err);

#endif /* CLI_OUTFILE_H */
