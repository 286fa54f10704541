/*
 * io.h - bytes in and out of the process, and secrets into it.
 *
 * Nothing here goes through stdio, whose buffers are not wiped.  A secret
 * comes from a file, a descriptor or a prompt on the terminal, never from
 * argv.
 */
#ifndef CLI_IO_H
#define CLI_IO_H

#include <stdbool.h>

#include <envelope/bytes.h>
#include <envelope/error.h>
#include <envelope/secret.h>

/**
 * io_guard_descriptors():
 * Make sure that 0, 1 and 2 are open, on something that fails where they were
 * closed, so that no file that is opened later becomes standard output.
 */
void io_guard_descriptors(void);

/**
 * io_guard_umask(), io_restore_umask():
 * What this process makes is private; a command that takes its place gets the
 * mask that was here before.
 */
void io_guard_umask(void);
void io_restore_umask(void);

/*
 * Bytes that a stream is read in: what is read, and what is made of it, stay
 * in a core's own cache, which is worth a quarter of the time of a large file.
 */
#define IO_PIECE (64u * 1024u)

/* Where bytes come from. */
struct io_source {
    int fd;
    const char *name; /* for messages */
};

/**
 * io_open_source(path, out, err):
 * Open ${path} for reading; NULL or "-" is standard input.  Fails with
 * ENVL_E_NOTFOUND, ENVL_E_IO (also for a folder).
 */
enum envl_status io_open_source(const char *path, struct io_source *out,
                                struct envl_error *err);

/**
 * io_close_source(source):
 * Close it, unless it is standard input.
 */
void io_close_source(struct io_source *source);

/**
 * io_read(source, room, err):
 * Read until ${room} is full or the input ends; room->len is then what was
 * read.  Fails with ENVL_E_IO.
 */
enum envl_status io_read(const struct io_source *source,
                         struct envl_span *room, struct envl_error *err);

/**
 * io_read_some(source, most, buf, err):
 * Read once, at most ${most} bytes, and append them to ${buf}; nothing is
 * appended at the end of the input.  Fails with ENVL_E_IO.
 */
enum envl_status io_read_some(const struct io_source *source, size_t most,
                              struct envl_buf *buf, struct envl_error *err);

/**
 * io_read_upto(source, most, buf, err):
 * Append what the input has, at most ${most} bytes, to ${buf}.  Memory grows
 * with what comes, so that a short input costs little.
 */
enum envl_status io_read_upto(const struct io_source *source, size_t most,
                              struct envl_buf *buf, struct envl_error *err);

/**
 * io_read_all(source, limit, buf, err):
 * Append the rest of the input to ${buf}.  Fails with ENVL_E_LIMIT if ${buf}
 * would hold more than ${limit} bytes.
 */
enum envl_status io_read_all(const struct io_source *source, size_t limit,
                             struct envl_buf *buf, struct envl_error *err);

/**
 * io_write(fd, name, bytes, err):
 * Write all of ${bytes}.  Fails with ENVL_E_IO; where the reader of a pipe on
 * standard output has gone, the process ends as SIGPIPE would end it.
 */
enum envl_status io_write(int fd, const char *name, struct envl_bytes bytes,
                          struct envl_error *err);

#define IO_SECRET_MAX 4096u /* bytes of a passphrase */

/* Folders beside /run/secrets that hold secrets of root's. */
struct io_mounts {
    const char *const *folders;
    size_t count;
};

/**
 * io_secret_from_file(path, mounts, out, exposed, err):
 * Read a secret of 1 to IO_SECRET_MAX bytes from a file that nobody else can
 * write (core/file.h).  ${exposed} says whether others can read it, which the
 * caller reports.  Fails with ENVL_E_NOTFOUND, ENVL_E_POLICY, ENVL_E_LIMIT,
 * ENVL_E_IO.
 */
enum envl_status io_secret_from_file(const char *path,
                                     struct io_mounts mounts,
                                     struct envl_secret **out, bool *exposed,
                                     struct envl_error *err);

/**
 * io_private_from_file(path, what, mounts, out, err):
 * The same for a file that others may not even read; ${what} ("recovery key")
 * says in messages what it is.
 */
enum envl_status io_private_from_file(const char *path, const char *what,
                                      struct io_mounts mounts,
                                      struct envl_secret **out,
                                      struct envl_error *err);

/**
 * io_secret_from_fd(number, out, err):
 * The same from descriptor ${number} (decimal, 0 or 3 and above), read to its
 * end.
 */
enum envl_status io_secret_from_fd(const char *number,
                                   struct envl_secret **out,
                                   struct envl_error *err);

/**
 * io_secret_from_prompt(prompt, again, out, err):
 * Ask on the terminal, without echo; with ${again} ask twice and compare.
 * Fails with ENVL_E_USAGE if there is no terminal.
 */
enum envl_status io_secret_from_prompt(const char *prompt, bool again,
                                       struct envl_secret **out,
                                       struct envl_error *err);

/**
 * io_confirm(verb, name, yes, err):
 * A dangerous step: ${yes} (may be NULL) must be ${name}, or it must be typed
 * on the terminal.  Fails with ENVL_E_POLICY.
 */
enum envl_status io_confirm(const char *verb, const char *name,
                            const char *yes, struct envl_error *err);

#endif /* CLI_IO_H */
