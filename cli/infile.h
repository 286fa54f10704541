/*
 * infile.h - an envelope in a file of its own, to be replaced in place.
 */
#ifndef CLI_INFILE_H
#define CLI_INFILE_H

#include <sys/stat.h>

#include "pass.h"

struct infile {
    const char *path;
    struct stat was;        /* when it was first looked at */
    struct envl_info info;  /* kid, mode, encoding         */
    enum envl_type type;    /* once it was opened          */
    uint8_t digest[PASS_DIGEST_LEN]; /* of the plaintext, once opened */
};

/**
 * infile_look(path, out, err):
 * Read what the envelope in ${path} says of itself.  A link, a file with
 * further names (hard links), one of another user's that could not be given
 * back, and anything but a regular file is ENVL_E_POLICY; else fails as
 * envl_inspect.
 */
enum envl_status infile_look(const char *path, struct infile *out,
                             struct envl_error *err);

/**
 * infile_check(file, keys, err):
 * Open the whole envelope in bounded memory and keep nothing but its type and
 * a digest.  Fails as envl_open.
 */
enum envl_status infile_check(struct infile *file,
                              const struct pass_keys *keys,
                              struct envl_error *err);

/**
 * infile_reseal(file, keys, options, err):
 * Seal the value again as ${options} say (type and encoding are the file's
 * own), open what was written, and put it in place of the file, owner and
 * mode kept.  ENVL_E_CONFLICT if somebody wrote the file meanwhile.
 */
enum envl_status infile_reseal(const struct infile *file,
                               const struct pass_keys *keys,
                               const struct envl_seal_options *options,
                               struct envl_error *err);

/**
 * infile_rewrap(file, keys, options, err):
 * The same, but only the wrapped key is replaced; the payload stays.
 */
enum envl_status infile_rewrap(const struct infile *file,
                               const struct pass_keys *keys,
                               const struct envl_seal_options *options,
                               struct envl_error *err);

#endif /* CLI_INFILE_H */
