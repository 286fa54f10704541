/* What may be run, and from which bytes; child.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/child.h"
#include "core/file.h"

#define PROGRAM_MAX (256ll * 1024 * 1024)
#define LINE_MAX_BYTES 256u /* the kernel reads as much of a first line */

static const struct file_rules command_rules = { FILE_TRUSTED, "command",
                                                 NULL, 0 };
static const struct file_rules interpreter_rules = { FILE_TRUSTED,
                                                     "interpreter", NULL,
                                                     0 };

/* spec: KEY-101 */
static enum envl_status
open_checked(const char *path, const struct file_rules *rules, int *fd,
             struct stat *st, struct envl_error *err)
{
    enum envl_status status;

    if (path[0] != '/') {
        status = envl_fail(err, ENVL_E_POLICY,
                           "%s '%s' is not an absolute path", rules->what,
                           path);
        envl_hint(err, "nothing is looked up on PATH: give the whole path");
        return status;
    }
    status = file_open(path, rules, fd, st, err);
    if (status != ENVL_OK)
        return status;
    if ((st->st_mode & (S_ISUID | S_ISGID)) != 0)
        status = envl_fail(err, ENVL_E_POLICY,
                           "%s '%s' is set-user-id or set-group-id",
                           rules->what, path);
    else if ((st->st_mode & 0111) == 0)
        status = envl_fail(err, ENVL_E_POLICY, "%s '%s' is not executable",
                           rules->what, path);
    if (status != ENVL_OK)
        close(*fd);
    return status;
}

/*
 * Memory with the bytes of ${from} that can never change again, and their
 * hash: what is compared is what will run.
 */
static enum envl_status
seal_copy(int from, const char *path, int *out,
          uint8_t hash[CHILD_SHA256_LEN], struct envl_error *err)
{
    crypto_hash_sha256_state state;
    uint8_t piece[16384];
    long long total = 0;
    ssize_t got;
    int copy = memfd_create("envelope-command",
                            MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (copy < 0)
        return envl_fail(err, ENVL_E_IO, "no memory for a copy of '%s': %s",
                         path, strerror(errno));
    crypto_hash_sha256_init(&state);
    while ((got = read(from, piece, sizeof(piece))) > 0) {
        total += got;
        if (total > PROGRAM_MAX || write(copy, piece, (size_t)got) != got)
            break;
        crypto_hash_sha256_update(&state, piece, (unsigned long long)got);
    }
    crypto_hash_sha256_final(&state, hash);
    if (got == 0 && fchmod(copy, 0500) == 0 &&
        fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
                                     F_SEAL_SEAL) == 0) {
        *out = copy;
        return ENVL_OK;
    }
    close(copy);
    if (total > PROGRAM_MAX)
        return envl_fail(err, ENVL_E_LIMIT,
                         "command '%s' is longer than %lld MiB", path,
                         PROGRAM_MAX >> 20);
    return envl_fail(err, ENVL_E_IO, "command '%s' cannot be copied", path);
}

/* spec: KEY-102 */
static enum envl_status
check_pin(struct child_program *program, const char *path,
          const uint8_t *sha256, struct envl_error *err)
{
    uint8_t hash[CHILD_SHA256_LEN];
    enum envl_status status;
    int copy = -1;

    if (sha256 == NULL)
        return ENVL_OK;
    status = seal_copy(program->fd, path, &copy, hash, err);
    if (status != ENVL_OK)
        return status;
    if (sodium_memcmp(hash, sha256, sizeof(hash)) != 0) {
        close(copy);
        status = envl_fail(err, ENVL_E_POLICY,
                           "command '%s' is not the one that is pinned",
                           path);
        envl_hint(err, "if it was updated on purpose, pin the sha256 of the "
                  "new one in the configuration");
        return status;
    }
    close(program->fd);
    program->fd = copy;
    return ENVL_OK;
}

/* The interpreter runs as the command does: the same rules hold for it. */
static enum envl_status
check_interpreter(struct child_program *program, const char *path,
                  struct envl_error *err)
{
    char line[LINE_MAX_BYTES], *name;
    ssize_t len = pread(program->fd, line, sizeof(line) - 1, 0);
    enum envl_status status;
    struct stat st;
    int fd;

    program->is_script = len > 2 && line[0] == '#' && line[1] == '!';
    if (!program->is_script)
        return ENVL_OK;
    line[len] = '\0';
    name = line + 2 + strspn(line + 2, " \t");
    name[strcspn(name, " \t\r\n")] = '\0';
    if (*name == '\0')
        return envl_fail(err, ENVL_E_POLICY,
                         "command '%s' names no interpreter", path);
    status = open_checked(name, &interpreter_rules, &fd, &st, err);
    if (status == ENVL_OK)
        close(fd);
    return status;
}

enum envl_status
child_open(const char *path, const uint8_t *sha256, struct child_program *out,
           struct envl_error *err)
{
    struct child_program program = { -1, false };
    enum envl_status status;
    struct stat st;

    status = open_checked(path, &command_rules, &program.fd, &st, err);
    if (status != ENVL_OK)
        return status;
    if ((status = check_pin(&program, path, sha256, err)) != ENVL_OK ||
        (status = check_interpreter(&program, path, err)) != ENVL_OK) {
        child_close(&program);
        return status;
    }
    *out = program;
    return ENVL_OK;
}
