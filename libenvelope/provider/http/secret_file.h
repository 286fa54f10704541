/*
 * secret_file.h - a token or password that lies in a file.
 */
#ifndef HTTP_SECRET_FILE_H
#define HTTP_SECRET_FILE_H

#include <envelope/bytes.h>
#include <envelope/secret.h>

#define SECRET_FILE_MAX 16384u

struct secret_file {
    const char *what; /* for messages: "token file" */
    const char *path;
    const char *const *mounts;
    size_t mount_count;
};

/**
 * secret_file_read(file, out, err):
 * Read a file that nobody else may read or write (spec KEY-8; secret mounts
 * excepted) into a secret of 1 to SECRET_FILE_MAX bytes; one line end behind
 * them is left out.  Fails with ENVL_E_NOKEY if there is none or nothing in
 * it (credentials are missing), ENVL_E_POLICY, ENVL_E_LIMIT, ENVL_E_IO.
 */
enum envl_status secret_file_read(const struct secret_file *file,
                                  struct envl_secret **out,
                                  struct envl_error *err);

#endif /* HTTP_SECRET_FILE_H */
