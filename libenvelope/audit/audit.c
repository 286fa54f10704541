#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <envelope/audit.h>

#include "audit/audit_key.h"
#include "core/file.h"
#include "core/lock.h"

#define WAIT_FOR_LOCK_MS 10000u

static const struct file_rules log_rules = { FILE_PRIVATE, "audit log", NULL,
                                             0 };

struct envl_audit {
    char *path;
    struct envl_keyring *ring; /* NULL, or borrowed */
    struct audit_key *key;     /* NULL without ring */
};

/* Whatever went wrong, the verb does not happen: one status for all. */
static enum envl_status
refuse(struct envl_error *err, const char *path,
       const struct envl_error *why)
{
    envl_fail(err, ENVL_E_AUDIT, "audit log '%s': %s", path, why->message);
    if (why->hint[0] != '\0')
        envl_hint(err, "%s", why->hint);
    return ENVL_E_AUDIT;
}

/*
 * Whoever can write the log could otherwise plant code where plugins are
 * loaded from (Vault's CVE-2025-6000).  spec: AUD-2
 */
static enum envl_status
check_folder(const struct file_place *place, struct envl_error *err)
{
    int fd = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct stat here, plugins;
    struct dirent *entry;
    bool found;

    if (list == NULL) {
        if (fd >= 0)
            close(fd);
        return envl_fail(err, ENVL_E_AUDIT, "its folder cannot be read");
    }
    found = stat(PLUGDIR, &plugins) == 0 && fstat(fd, &here) == 0 &&
            plugins.st_dev == here.st_dev && plugins.st_ino == here.st_ino;
    while (!found && (entry = readdir(list)) != NULL)
        found = strncmp(entry->d_name, "envl-migrator-", 14) == 0;
    closedir(list);
    if (!found)
        return ENVL_OK;
    envl_fail(err, ENVL_E_AUDIT, "plugins are loaded from its folder");
    envl_hint(err, "put the audit log into a folder of its own");
    return ENVL_E_AUDIT;
}

/* A new, empty log; that somebody else makes it meanwhile is as good. */
static enum envl_status
create(const struct file_place *place, const char *path,
       struct envl_error *err)
{
    int dir, fd = openat(place->dir, place->name,
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600);
    enum envl_status status = ENVL_OK;

    if (fd < 0)
        return errno == EEXIST ? ENVL_OK : file_fail(err, "create", path);
    dir = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) != 0)
        status = file_fail(err, "sync the folder of", path);
    if (dir >= 0)
        close(dir);
    close(fd);
    return status;
}

/* ---- the end of the log ------------------------------------------------- */

static enum envl_status
read_tail(int fd, off_t size, struct envl_buf *out, struct envl_error *err)
{
    size_t want = size < (off_t)AUDIT_LINE_LIMIT + 1
                      ? (size_t)size : AUDIT_LINE_LIMIT + 1;
    enum envl_status status = envl_buf_reserve(out, want + 1, err);
    size_t done = 0;

    if (status != ENVL_OK)
        return status;
    while (done < want) {
        ssize_t got = pread(fd, out->ptr + done, want - done,
                            size - (off_t)want + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return envl_fail(err, ENVL_E_IO, "it cannot be read (errno %d)",
                             got < 0 ? errno : 0);
        done += (size_t)got;
    }
    out->len = want;
    return ENVL_OK;
}

/* The last line must be whole and right.  spec: AUD-4 */
static enum envl_status
last_place(int fd, off_t size, struct audit_place *out,
           struct envl_error *err)
{
    struct envl_buf tail = ENVL_BUF_INIT;
    struct audit_read record;
    enum envl_status status;
    const uint8_t *line;
    const char *why;
    size_t len;

    *out = (struct audit_place){ .number = 0 };
    if (size == 0)
        return ENVL_OK;
    if ((status = read_tail(fd, size, &tail, err)) != ENVL_OK)
        goto out;
    len = tail.len;
    if (tail.ptr[len - 1] != '\n') {
        status = envl_fail(err, ENVL_E_AUDIT, "its last record is cut short");
        envl_hint(err, "a write was interrupted: keep a copy, cut the last "
                  "line off, and say so in the new records");
        goto out;
    }
    line = memrchr(tail.ptr, '\n', len - 1);
    line = line == NULL ? tail.ptr : line + 1;
    len -= (size_t)(line - tail.ptr) + 1;
    why = audit_record_read((struct envl_bytes){ line, len }, &record);
    if (why != NULL) {
        status = envl_fail(err, ENVL_E_AUDIT, "its last line %s", why);
        envl_hint(err, "see what happened: envelope audit verify; then move "
                  "the log away, and begin another");
        goto out;
    }
    out->number = record.number;
    memcpy(out->hash, record.hash, sizeof(out->hash));

out:
    envl_buf_free(&tail);
    return status;
}

/* Append ${text} as a whole, or take it back.  spec: AUD-3 */
static enum envl_status
write_whole(int fd, off_t size, struct envl_bytes text,
            struct envl_error *err)
{
    size_t done = 0;

    while (done < text.len) {
        ssize_t put = write(fd, text.ptr + done, text.len - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    if (done == text.len && fsync(fd) == 0)
        return ENVL_OK;
    file_fail(err, "write", "it");
    if (done > 0 && (ftruncate(fd, size) != 0 || fsync(fd) != 0))
        envl_hint(err, "the end of the log may be cut short");
    return ENVL_E_AUDIT;
}

/* ---- records ------------------------------------------------------------ */

/*
 * The lines to be written: the event's, after the pair that closes the log
 * under the former ring key and opens it under the new.  spec: AUD-20
 */
static enum envl_status
make_lines(const struct envl_audit *audit, const struct audit_key *new_key,
           const struct envl_audit_event *event, struct audit_place *place,
           struct envl_buf *out, struct envl_error *err)
{
    struct envl_audit_event pair = { .verb = "ring key changed",
                                     .object = audit->key != NULL
                                                   ? audit->key->ring : NULL,
                                     .outcome = "closed" };
    enum envl_status status;

    if (new_key != NULL) {
        status = audit_record_append(&pair, audit->key, place, out, err);
        pair.outcome = "opened";
        if (status == ENVL_OK)
            status = audit_record_append(&pair, new_key, place, out, err);
        if (status != ENVL_OK)
            return status;
    }
    if (event == NULL)
        return ENVL_OK;
    return audit_record_append(event, new_key != NULL ? new_key : audit->key,
                               place, out, err);
}

static enum envl_status
append_locked(const struct envl_audit *audit, const struct file_place *place,
              const struct audit_key *new_key,
              const struct envl_audit_event *event, struct envl_error *err)
{
    struct envl_buf lines = ENVL_BUF_INIT;
    struct audit_place last;
    enum envl_status status;
    struct stat st;
    int fd = -1;

    status = lock_take(place, audit->path, O_APPEND, WAIT_FOR_LOCK_MS, &fd,
                       err);
    if (status != ENVL_OK)
        return status;
    if (fstat(fd, &st) != 0)
        status = file_fail(err, "read", "it");
    if (status == ENVL_OK)
        status = file_check(&st, false, audit->path, &log_rules, err);
    if (status == ENVL_OK)
        status = last_place(fd, st.st_size, &last, err);
    if (status == ENVL_OK && event != NULL)
        status = make_lines(audit, new_key, event, &last, &lines, err);
    if (status == ENVL_OK && lines.len > 0)
        status = write_whole(fd, st.st_size, envl_buf_view(&lines), err);
    close(fd); /* gives the lock back */
    envl_buf_free(&lines);
    return status;
}

enum envl_status
envl_audit_append(struct envl_audit *audit,
                  const struct envl_audit_event *event,
                  struct envl_error *err)
{
    struct envl_error why = { .status = ENVL_OK };
    struct audit_key *new_key = NULL;
    struct file_place place;
    enum envl_status status;

    if (audit->key != NULL &&
        !audit_key_is_current(audit->key, audit->ring) &&
        audit_key_new(audit->ring, &new_key, &why) != ENVL_OK)
        return refuse(err, audit->path, &why);
    status = file_find(audit->path, &log_rules, &place, &why);
    if (status == ENVL_OK) {
        status = append_locked(audit, &place, new_key, event, &why);
        file_place_close(&place);
    }
    if (status == ENVL_OK && new_key != NULL) {
        audit_key_free(audit->key);
        audit->key = new_key;
        new_key = NULL;
    }
    audit_key_free(new_key);
    return status == ENVL_OK ? ENVL_OK : refuse(err, audit->path, &why);
}

/* ---- open and close ----------------------------------------------------- */

static enum envl_status
open_log(struct envl_audit *audit, struct envl_error *err)
{
    struct file_place place;
    enum envl_status status;

    if ((status = file_find(audit->path, &log_rules, &place, err)) != ENVL_OK)
        return status;
    if ((status = check_folder(&place, err)) == ENVL_OK && !place.exists)
        status = create(&place, audit->path, err);
    /* Nothing is appended, but everything else is tried. */
    if (status == ENVL_OK)
        status = append_locked(audit, &place, NULL, NULL, err);
    file_place_close(&place);
    return status;
}

enum envl_status
envl_audit_open(const char *path, struct envl_keyring *ring,
                struct envl_audit **out, struct envl_error *err)
{
    struct envl_error why = { .message = "out of memory" };
    struct envl_audit *audit = calloc(1, sizeof(*audit));

    if (audit != NULL)
        audit->path = strdup(path);
    if (audit == NULL || audit->path == NULL) {
        free(audit);
        return refuse(err, path, &why);
    }
    audit->ring = ring;
    if ((ring != NULL &&
         audit_key_new(ring, &audit->key, &why) != ENVL_OK) ||
        open_log(audit, &why) != ENVL_OK) {
        envl_audit_free(audit);
        return refuse(err, path, &why);
    }
    *out = audit;
    return ENVL_OK;
}

void
envl_audit_free(struct envl_audit *audit)
{
    if (audit == NULL)
        return;
    audit_key_free(audit->key);
    free(audit->path);
    free(audit);
}
