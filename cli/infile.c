#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "infile.h"
#include "outfile.h"
#include "rewrap_head.h"
#include "value_options.h"

/* ---- looking ------------------------------------------------------------ */

static enum envl_status
check_kind(const char *path, const struct stat *st, struct envl_error *err)
{
    enum envl_status status;

    if (!S_ISREG(st->st_mode))
        return envl_fail(err, ENVL_E_POLICY, "%s is not a regular file",
                         path);
    if (st->st_nlink > 1) {
        status = envl_fail(err, ENVL_E_POLICY, "%s has %lu names", path,
                           (unsigned long)st->st_nlink);
        envl_hint(err, "its other names would go on meaning the old "
                       "envelope: break the hard links first");
        return status;
    }
    if (geteuid() != 0 && st->st_uid != geteuid())
        return envl_fail(err, ENVL_E_POLICY, "%s belongs to another user, "
                         "which could not be kept", path);
    return ENVL_OK;
}

static enum envl_status
open_file(const char *path, int *fd, struct stat *st, struct envl_error *err)
{
    enum envl_status status;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW |
                         O_NONBLOCK);
    if (*fd < 0 && errno == ELOOP) {
        status = envl_fail(err, ENVL_E_POLICY, "%s is a link", path);
        envl_hint(err, "name the file that it points to");
        return status;
    }
    if (*fd < 0)
        return envl_fail(err, errno == ENOENT ? ENVL_E_NOTFOUND : ENVL_E_IO,
                         "cannot open %s: %s", path, strerror(errno));
    if (fstat(*fd, st) != 0)
        status = envl_fail(err, ENVL_E_IO, "cannot read %s: %s", path,
                           strerror(errno));
    else
        status = check_kind(path, st, err);
    if (status != ENVL_OK)
        close(*fd);
    return status;
}

/* Mapped for a moment: the header alone is kept. */
static enum envl_status
inspect(int fd, struct infile *out, struct envl_error *err)
{
    struct envl_bytes envelope = { (const uint8_t *)"",
                                   (size_t)out->was.st_size };
    void *map = NULL;
    enum envl_status status;

    if (envelope.len > 0) {
        map = mmap(NULL, envelope.len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            return envl_fail(err, ENVL_E_IO, "cannot read %s: %s", out->path,
                             strerror(errno));
        envelope.ptr = map;
        if (envelope.ptr[0] != 0x9e &&
            envelope.ptr[envelope.len - 1] == '\n')
            envelope.len--;
    }
    status = envl_inspect(envelope, &out->info, err);
    if (map != NULL)
        munmap(map, (size_t)out->was.st_size);
    return status;
}

enum envl_status
infile_look(const char *path, struct infile *out, struct envl_error *err)
{
    enum envl_status status;
    int fd;

    *out = (struct infile){ .path = path };
    if ((status = open_file(path, &fd, &out->was, err)) != ENVL_OK)
        return status;
    status = inspect(fd, out, err);
    close(fd);
    return status;
}

/* Open it again: it must still be what was looked at. */
static enum envl_status
open_again(const struct infile *file, struct io_source *out,
           struct envl_error *err)
{
    struct stat now;
    enum envl_status status;

    if ((status = open_file(file->path, &out->fd, &now, err)) != ENVL_OK)
        return status;
    out->name = file->path;
    if (now.st_dev == file->was.st_dev && now.st_ino == file->was.st_ino &&
        now.st_size == file->was.st_size &&
        now.st_mtim.tv_sec == file->was.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == file->was.st_mtim.tv_nsec)
        return ENVL_OK;
    io_close_source(out);
    status = envl_fail(err, ENVL_E_CONFLICT, "%s changed meanwhile",
                       file->path);
    envl_hint(err, "run the same command again");
    return status;
}

enum envl_status
infile_check(struct infile *file, const struct pass_keys *keys,
             struct envl_error *err)
{
    struct pass pass = { .digest_wanted = true };
    struct io_source in;
    enum envl_status status;

    if ((status = open_again(file, &in, err)) != ENVL_OK)
        return status;
    if ((status = pass_run(&in, keys, &pass, err)) == ENVL_OK) {
        file->type = pass.type;
        memcpy(file->digest, pass.digest, sizeof(file->digest));
    }
    io_close_source(&in);
    return status;
}

/* ---- replacing ---------------------------------------------------------- */

/* The new file must open, and hold what the old one held. */
static enum envl_status
prove(const struct infile *file, const struct outfile *new,
      const struct pass_keys *keys, struct envl_error *err)
{
    struct io_source in = { new->fd, file->path };
    struct pass pass = { .digest_wanted = true };
    enum envl_status status;

    if (lseek(new->fd, 0, SEEK_SET) != 0)
        return envl_fail(err, ENVL_E_IO, "cannot read %s: %s", file->path,
                         strerror(errno));
    if ((status = pass_run(&in, keys, &pass, err)) != ENVL_OK)
        return status;
    if (pass.type != file->type ||
        sodium_memcmp(pass.digest, file->digest, sizeof(pass.digest)) != 0)
        return envl_fail(err, ENVL_E_INTERNAL, "what was written for %s is "
                         "not what was read", file->path);
    return ENVL_OK;
}

/* Whether the old file ended in an LF, the new one shall. */
static enum envl_status
ends_in_lf(const struct io_source *in, const struct infile *file, bool *out,
           struct envl_error *err)
{
    char last = 0;

    *out = false;
    if (file->info.encoding == ENVL_ENCODING_BINARY)
        return ENVL_OK;
    if (pread(in->fd, &last, 1, file->was.st_size - 1) != 1)
        return envl_fail(err, ENVL_E_IO, "cannot read %s: %s", file->path,
                         strerror(errno));
    *out = last == '\n';
    return ENVL_OK;
}

typedef enum envl_status make_fn(const struct infile *file,
                                 const struct io_source *in,
                                 const struct pass_keys *keys,
                                 const struct envl_seal_options *options,
                                 struct outfile *out, struct envl_error *err);

static enum envl_status
replace(const struct infile *file, const struct pass_keys *keys,
        const struct envl_seal_options *options, make_fn *make,
        struct envl_error *err)
{
    struct outfile out = OUTFILE_INIT;
    struct io_source in = { -1, NULL }, again = { -1, NULL };
    enum envl_status status;

    if ((status = open_again(file, &in, err)) == ENVL_OK &&
        (status = outfile_open(file->path, &out, err)) == ENVL_OK &&
        (status = make(file, &in, keys, options, &out, err)) == ENVL_OK &&
        (status = prove(file, &out, keys, err)) == ENVL_OK &&
        (status = outfile_keep(&out, &file->was, err)) == ENVL_OK &&
        (status = open_again(file, &again, err)) == ENVL_OK)
        status = outfile_commit(&out, err);
    outfile_free(&out);
    io_close_source(&in);
    io_close_source(&again);
    return status;
}

/* More than a value can be: it passes through in pieces. */
static bool
is_large(const struct infile *file)
{
    return file->was.st_size > (off_t)(2 * VALUE_MAX) &&
           file->info.encoding != ENVL_ENCODING_OBJECT;
}

/* A value is collected, so that it can be padded; a stream passes through. */
struct resealing {
    struct envl_sealer *sealer;
    struct outfile *out;
    struct envl_buf text, sealed;
};

static enum envl_status
take(void *cookie, struct envl_bytes text, struct envl_error *err)
{
    struct resealing *to = cookie;
    enum envl_status status;

    if (to->sealer == NULL)
        return envl_buf_append(&to->text, text, err);
    status = envl_sealer_update(to->sealer, text, &to->sealed, err);
    if (status == ENVL_OK)
        status = outfile_write(to->out, envl_buf_view(&to->sealed), err);
    to->sealed.len = 0;
    return status;
}

static enum envl_status
finish(struct resealing *to, const struct pass_keys *keys,
       const struct envl_seal_options *options, struct envl_error *err)
{
    enum envl_status status;

    status = to->sealer != NULL
                 ? envl_sealer_finish(to->sealer, &to->sealed, err)
                 : envl_seal(keys->ring, options, keys->context,
                             envl_buf_view(&to->text), &to->sealed, err);
    return status == ENVL_OK
               ? outfile_write(to->out, envl_buf_view(&to->sealed), err)
               : status;
}

static enum envl_status
reseal(const struct infile *file, const struct io_source *in,
       const struct pass_keys *keys, const struct envl_seal_options *options,
       struct outfile *out, struct envl_error *err)
{
    struct resealing to = { .out = out, .text = ENVL_BUF_INIT,
                            .sealed = ENVL_BUF_INIT };
    struct pass pass = { .take = take, .cookie = &to };
    struct envl_seal_options own = *options;
    enum envl_status status;
    bool lf;

    own.type = file->type;
    own.encoding = file->info.encoding;
    own.allow_nested = true; /* what was allowed once stays so */
    status = ends_in_lf(in, file, &lf, err);
    if (status == ENVL_OK && is_large(file)) {
        own.pad = ENVL_PAD_NONE;
        status = envl_sealer_new(keys->ring, &own, keys->context, &to.sealer,
                                 err);
    }
    if (status == ENVL_OK &&
        (status = pass_run(in, keys, &pass, err)) == ENVL_OK)
        status = finish(&to, keys, &own, err);
    if (status == ENVL_OK && lf)
        status = outfile_write(out, envl_bytes_of("\n"), err);
    envl_sealer_free(to.sealer);
    envl_buf_free(&to.text);
    envl_buf_free(&to.sealed);
    return status;
}

enum envl_status
infile_reseal(const struct infile *file, const struct pass_keys *keys,
              const struct envl_seal_options *options, struct envl_error *err)
{
    return replace(file, keys, options, reseal, err);
}

/* All that is left of ${in}, as it is. */
static enum envl_status
copy_rest(const struct io_source *in, struct outfile *out,
          struct envl_error *err)
{
    struct envl_buf piece = ENVL_BUF_INIT;
    enum envl_status status;

    do {
        piece.len = 0;
        status = io_read_upto(in, VALUE_MAX, &piece, err);
        if (status == ENVL_OK)
            status = outfile_write(out, envl_buf_view(&piece), err);
    } while (status == ENVL_OK && piece.len > 0);
    envl_buf_free(&piece);
    return status;
}

/* A large file: rewrap its head, and copy the rest, an LF included. */
static enum envl_status
rewrap_large(const struct infile *file, const struct io_source *in,
             const struct pass_keys *keys,
             const struct envl_seal_options *options, struct outfile *out,
             struct envl_error *err)
{
    struct envl_buf head = ENVL_BUF_INIT, new = ENVL_BUF_INIT;
    enum envl_status status;
    size_t len;

    status = io_read_upto(in, REWRAP_HEAD_ROOM, &head, err);
    len = rewrap_head_len(envl_buf_view(&head), file->info.encoding);
    if (status == ENVL_OK && len == 0)
        status = envl_fail(err, ENVL_E_FORMAT, "%s changed meanwhile",
                           file->path);
    if (status == ENVL_OK)
        status = envl_rewrap(keys->ring, options, keys->context,
                             (struct envl_bytes){ head.ptr, len }, &new, err);
    /* Another length of the wrapped key shifts every later base64 digit. */
    if (status == ENVL_OK && file->info.encoding == ENVL_ENCODING_TEXT &&
        rewrap_head_len(envl_buf_view(&new), ENVL_ENCODING_TEXT) != new.len)
        status = envl_fail(err, ENVL_E_LIMIT, "%s is too large to be rewrapped "
                           "as text under this key", file->path);
    if (status == ENVL_OK &&
        (status = outfile_write(out, envl_buf_view(&new), err)) == ENVL_OK &&
        (status = outfile_write(out,
                                (struct envl_bytes){ head.ptr + len,
                                                     head.len - len },
                                err)) == ENVL_OK)
        status = copy_rest(in, out, err);
    envl_buf_free(&head);
    envl_buf_free(&new);
    return status;
}

static enum envl_status
rewrap(const struct infile *file, const struct io_source *in,
       const struct pass_keys *keys, const struct envl_seal_options *options,
       struct outfile *out, struct envl_error *err)
{
    struct envl_buf old = ENVL_BUF_INIT, new = ENVL_BUF_INIT;
    struct envl_bytes envelope;
    enum envl_status status;

    if (is_large(file))
        return rewrap_large(file, in, keys, options, out, err);
    status = io_read_all(in, OBJECT_ENVELOPE_MAX, &old, err);
    envelope = envl_buf_view(&old);
    if (file->info.encoding != ENVL_ENCODING_BINARY && envelope.len > 0 &&
        envelope.ptr[envelope.len - 1] == '\n')
        envelope.len--;
    if (status == ENVL_OK &&
        (status = envl_rewrap(keys->ring, options, keys->context, envelope,
                              &new, err)) == ENVL_OK)
        status = outfile_write(out, envl_buf_view(&new), err);
    if (status == ENVL_OK && envelope.len < old.len)
        status = outfile_write(out, envl_bytes_of("\n"), err);
    envl_buf_free(&old);
    envl_buf_free(&new);
    return status;
}

enum envl_status
infile_rewrap(const struct infile *file, const struct pass_keys *keys,
              const struct envl_seal_options *options, struct envl_error *err)
{
    return replace(file, keys, options, rewrap, err);
}
