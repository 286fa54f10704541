/*
 * child.h - run another program as a source of key material (spec KEY-100 to
 * KEY-108).
 *
 * A command that fetches a key is an attack surface, so little is left to it:
 * it is found by an absolute path that only root or the caller can change, is
 * opened once, checked and hashed through that descriptor, and run from it;
 * no shell, no environment but what is listed, no descriptor of ours, no new
 * privileges, limits on what it uses, a time after which its whole process
 * group is killed, and a bound on what it may answer.  What it writes to
 * standard error goes nowhere.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <envelope/bytes.h>

#define CHILD_SHA256_LEN 32u

/* A program that was checked, ready to run. */
struct child_program {
    int fd;         /* of the file, or of a sealed copy of what was hashed */
    bool is_script; /* begins with #!: the interpreter opens fd again      */
};

/**
 * child_open(path, sha256, out, err):
 * Open ${path} and hold it to the rules: absolute; a regular file of root or
 * the caller, neither set-user-id nor writable by others, in folders of the
 * same kind; the same for the interpreter of a script.  With ${sha256} (may be
 * NULL) its bytes are copied to memory that nobody can change any more, and
 * that copy is hashed, compared and later run.  The caller closes ${out} with
 * child_close.  Fails with ENVL_E_NOTFOUND, ENVL_E_POLICY, ENVL_E_IO,
 * ENVL_E_LIMIT (a pinned program of more than 256 MiB).
 */
enum envl_status child_open(const char *path, const uint8_t *sha256,
                            struct child_program *out,
                            struct envl_error *err);

/**
 * child_close(program):
 * Close it; harmless twice.
 */
void child_close(struct child_program *program);

/* How to run it. */
struct child_options {
    const char *name;        /* for messages: the provider's           */
    char *const *argv;       /* NULL-ended                             */
    char *const *envp;       /* NULL-ended; all it gets                */
    uint32_t timeout_ms;
};

/**
 * child_run(program, options, out, err):
 * Run it and read its standard output into ${out}, whose length is the bound
 * and becomes what was read.  Standard input is empty.  Every way in which it
 * can fail is ENVL_E_PROVIDER: it could not be started, ended with another
 * code than 0 or by a signal, wrote too much, or took too long; nothing of
 * what it wrote is in the message.  When this returns, the program and all of
 * its process group are gone.
 */
enum envl_status child_run(const struct child_program *program,
                           const struct child_options *options,
                           struct envl_span *out, struct envl_error *err);

/**
 * child_become(path, argv, envp, keep, err):
 * Replace this process by the program ${path}, which child_open has checked:
 * only root or the caller could have changed it since.  No new privileges, no
 * core files, SIGPIPE as usual; standard streams, limits and all descriptors
 * below ${keep} stay as they are, all others are closed.  Returns only if that
 * fails: ENVL_E_IO; descriptors are closed by then.
 */
enum envl_status child_become(const char *path, char *const *argv,
                              char *const *envp, int keep,
                              struct envl_error *err);

#endif /* CORE_CHILD_H */
