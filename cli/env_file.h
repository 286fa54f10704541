/*
 * env_file.h - a file of NAME=VALUE lines, some of whose values are envelopes.
 *
 * A name has letters, digits and '_', and begins with no digit.  A value goes
 * to the end of its line; one pair of quotes around all of it is taken off,
 * and nothing is expanded.  Empty lines, lines that begin with '#', and the
 * word export before a name are passed over.  The file decides what a command
 * sees: nobody but root and the caller may be able to write it (spec KEY-8).
 */
#ifndef CLI_ENV_FILE_H
#define CLI_ENV_FILE_H

#include <stdbool.h>

#include <envelope/bytes.h>

#define ENV_FILE_ENTRIES 512u

struct env_entry {
    const char *name;        /* NUL-ended                      */
    struct envl_bytes value; /* borrowed from the file's text  */
    bool sealed;             /* it begins like an envelope     */
};

struct env_file {
    struct envl_buf text;
    struct env_entry entries[ENV_FILE_ENTRIES];
    size_t count;
};

/**
 * env_file_read(path, out, err):
 * Read ${path}.  Free ${out} with env_file_free in any case.  A message names
 * a line by its number and repeats nothing of it.  Fails with ENVL_E_USAGE,
 * ENVL_E_LIMIT (1 MiB, 512 names), ENVL_E_NOTFOUND, ENVL_E_POLICY.
 */
enum envl_status env_file_read(const char *path, struct env_file *out,
                               struct envl_error *err);

/**
 * env_file_find(file, name):
 * The entry called ${name}, or NULL.
 */
const struct env_entry *env_file_find(const struct env_file *file,
                                      const char *name);

/**
 * env_file_free(file):
 * Wipe and release.
 */
void env_file_free(struct env_file *file);

#endif /* CLI_ENV_FILE_H */
