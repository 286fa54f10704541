#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sodium.h>

#include "core/clock.h"
#include "core/file.h"
#include "outfile.h"
#include "ring_mac.h"
#include "ring_verified.h"

#define FILE_LIMIT (4u * 1024u * 1024u)
#define LABEL      "libenvelope/v1/jobs"
#define SUFFIX     ".jobs"

/* The file while it is read and written again. */
struct book {
    char *path;
    int lock;        /* of PATH.lock, or -1 */
    json_t *entries;
};

/* ---- the file ----------------------------------------------------------- */

static enum envl_status
damaged(const char *path, struct envl_error *err)
{
    envl_fail(err, ENVL_E_INTEGRITY, "%s was not written under this keyring, "
              "or was changed", path);
    envl_hint(err, "put a backup of it back; or, if you know every job that "
                   "uses this keyring, remove it and verify each of them");
    return ENVL_E_INTEGRITY;
}

/* Under a former ring key nothing can be checked: then the jobs stand, and
   what was verified does not. */
static void
distrust(json_t *entries)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
        json_object_set_new(entry, "verified", json_null());
}

static enum envl_status
parse(struct book *book, struct envl_keyring *ring, struct envl_bytes text,
      struct envl_error *err)
{
    const uint8_t *lf = memchr(text.ptr, '\n', text.len);
    struct envl_ring_mark mark;
    char mac[RING_MAC_TEXT], pin[33];
    const char *id, *written;
    struct envl_bytes line;
    int version;
    json_t *root;

    if (lf == NULL || text.len - (size_t)(lf - text.ptr) != RING_MAC_TEXT + 1)
        return damaged(book->path, err);
    line = (struct envl_bytes){ text.ptr, (size_t)(lf - text.ptr) };
    memcpy(mac, lf + 1, RING_MAC_TEXT - 1);
    mac[RING_MAC_TEXT - 1] = '\0';
    envl_keyring_mark(ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    root = json_loadb((const char *)line.ptr, line.len,
                      JSON_REJECT_DUPLICATES, NULL);
    if (json_unpack(root, "{s:i, s:s, s:s, s:O !}", "jobs", &version,
                    "keyring", &id, "pin", &written, "entries",
                    &book->entries) != 0 ||
        version != 1 || strcmp(id, mark.id) != 0 ||
        !json_is_array(book->entries) ||
        (strcmp(written, pin) == 0 &&
         !ring_mac_holds(ring, LABEL, line, mac))) {
        json_decref(root);
        return damaged(book->path, err);
    }
    if (strcmp(written, pin) != 0)
        distrust(book->entries);
    json_decref(root);
    return ENVL_OK;
}

static void
book_close(struct book *book)
{
    if (book->lock >= 0)
        close(book->lock);
    json_decref(book->entries);
    free(book->path);
}

static enum envl_status
book_lock(struct book *book, struct envl_error *err)
{
    char *path = NULL;
    enum envl_status status = ENVL_OK;

    if (asprintf(&path, "%s.lock", book->path) < 0)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    book->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (book->lock < 0 || flock(book->lock, LOCK_EX) != 0)
        status = envl_fail(err, ENVL_E_IO, "cannot lock %s: %s", path,
                           strerror(errno));
    free(path);
    return status;
}

/* ${write}: hold a lock until book_close. */
static enum envl_status
book_open(const char *ring_path, struct envl_keyring *ring, bool write,
          struct book *book, struct envl_error *err)
{
    static const struct file_rules rules = { FILE_TRUSTED, "list of jobs",
                                             NULL, 0 };
    struct envl_buf text = ENVL_BUF_INIT;
    char *whole = realpath(ring_path, NULL);
    enum envl_status status = ENVL_OK;

    *book = (struct book){ .lock = -1 };
    if (asprintf(&book->path, "%s" SUFFIX, whole != NULL ? whole
                                                         : ring_path) < 0)
        book->path = NULL;
    free(whole);
    if (book->path == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if (write)
        status = book_lock(book, err);
    if (status == ENVL_OK)
        status = file_read(book->path, &rules, FILE_LIMIT, &text, NULL, err);
    if (status == ENVL_OK)
        status = parse(book, ring, envl_buf_view(&text), err);
    else if (status == ENVL_E_NOTFOUND)
        status = ENVL_OK;
    if (status == ENVL_OK && book->entries == NULL)
        book->entries = json_array();
    envl_buf_free(&text);
    return status;
}

static enum envl_status
book_save(struct book *book, struct envl_keyring *ring,
          struct envl_error *err)
{
    struct outfile file = OUTFILE_INIT;
    struct envl_ring_mark mark;
    char mac[RING_MAC_TEXT], pin[33], *line;
    enum envl_status status;
    json_t *root;

    envl_keyring_mark(ring, &mark);
    sodium_bin2hex(pin, sizeof(pin), mark.pin, sizeof(mark.pin));
    root = json_pack("{s:i, s:s, s:s, s:O}", "jobs", 1, "keyring", mark.id,
                     "pin", pin, "entries", book->entries);
    line = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (line == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    status = ring_mac_make(ring, LABEL, envl_bytes_of(line), mac, err);
    if (status == ENVL_OK &&
        (status = outfile_open(book->path, &file, err)) == ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of(line), err)) ==
            ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of("\n"), err)) ==
            ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of(mac), err)) == ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of("\n"), err)) == ENVL_OK)
        status = outfile_commit(&file, err);
    outfile_free(&file);
    free(line);
    return status;
}

/* ---- entries ------------------------------------------------------------ */

static const char *
text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text == NULL ? "" : text;
}

static json_t *
find(json_t *entries, const char *name, const char *store)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry) {
        if (strcmp(text_of(entry, "job"), name) == 0 &&
            strcmp(text_of(entry, "store"), store) == 0)
            return entry;
    }
    return NULL;
}

/* The job's entry, made if new. */
static json_t *
entry_of(struct book *book, const struct ring_verified_job *job)
{
    json_t *entry = find(book->entries, job->name, job->store);
    char *file = realpath(job->file, NULL);

    if (entry == NULL) {
        entry = json_pack("{s:s, s:s, s:s, s:n, s:b, s:n, s:[], s:{}}", "job",
                          job->name, "store", job->store, "file", "", "wrote",
                          "open", false, "verified", "sealing", "kids");
        json_array_append_new(book->entries, entry);
    }
    json_object_set_new(entry, "file",
                        json_string(file != NULL ? file : job->file));
    free(file);
    return entry;
}

static json_t *
now(void)
{
    char date[CLOCK_DATE_SIZE];

    clock_print(clock_now(), date);
    return json_string(date);
}

enum envl_status
ring_verified_wrote(const struct ring_verified_job *job, bool open,
                    struct envl_error *err)
{
    struct book book;
    enum envl_status status = book_open(job->ring_path, job->ring, true,
                                        &book, err);

    if (status == ENVL_OK) {
        json_t *entry = entry_of(&book, job);

        json_object_set_new(entry, "wrote", now());
        json_object_set_new(entry, "open", json_boolean(open));
        status = book_save(&book, job->ring, err);
    }
    book_close(&book);
    return status;
}

/* How many values were found under each kid, in whatever state. */
static json_t *
kids_of(const json_t *census)
{
    json_t *kids = json_object();
    const json_t *row;
    size_t i;

    json_array_foreach(census, i, row) {
        const char *kid = text_of(row, "kid");
        json_int_t count =
            json_integer_value(json_object_get(row, "count"));

        if (kid[0] == '\0')
            continue;
        count += json_integer_value(json_object_get(kids, kid));
        json_object_set_new(kids, kid, json_integer(count));
    }
    return kids;
}

enum envl_status
ring_verified_seen(const struct ring_verified_job *job, const json_t *report,
                   struct envl_error *err)
{
    struct book book;
    enum envl_status status = book_open(job->ring_path, job->ring, true,
                                        &book, err);

    if (status == ENVL_OK) {
        json_t *entry = entry_of(&book, job);

        json_object_set(entry, "verified", json_object_get(report, "begun"));
        json_object_set(entry, "sealing", json_object_get(report, "sealing"));
        json_object_set_new(entry, "kids",
                            kids_of(json_object_get(report, "census")));
        json_object_set(entry, "amiss", json_object_get(report, "amiss"));
        status = book_save(&book, job->ring, err);
    }
    book_close(&book);
    return status;
}

/* ---- may a key go? ------------------------------------------------------ */

static bool
is_listed(const json_t *list, const char *kid)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) {
        if (json_is_string(item) &&
            strcmp(json_string_value(item), kid) == 0)
            return true;
    }
    return false;
}

/* Why ${entry} keeps ${kid}; dates of one form compare as text.
   spec: KEY-133 */
static bool
keeps(const json_t *entry, const char *kid, char *why, size_t size)
{
    const char *name = text_of(entry, "job");
    const char *wrote = text_of(entry, "wrote");
    const char *verified = text_of(entry, "verified");
    long long found = json_integer_value(
        json_object_get(json_object_get(entry, "kids"), kid));

    if (json_is_true(json_object_get(entry, "open")))
        snprintf(why, size, "a sweep of job %s is unfinished", name);
    else if (verified[0] == '\0')
        snprintf(why, size, "job %s was never fully verified under this "
                 "ring key", name);
    else if (strcmp(verified, wrote) < 0)
        snprintf(why, size, "job %s was last verified at %s, before its last "
                 "write at %s", name, verified, wrote);
    else if (found > 0)
        snprintf(why, size, "the last full verify of job %s, at %s, found "
                 "%lld values under %s", name, verified, found, kid);
    else if (is_listed(json_object_get(entry, "sealing"), kid))
        snprintf(why, size, "%s still sealed when job %s was verified, at %s",
                 kid, name, verified);
    else
        return false;
    return true;
}

enum envl_status
ring_verified_check(const char *ring_path, struct envl_keyring *ring,
                    const char *kid, size_t *jobs, struct envl_error *err)
{
    struct book book;
    char why[200];
    const json_t *entry;
    size_t i;
    enum envl_status status = book_open(ring_path, ring, false, &book, err);

    *jobs = json_array_size(book.entries);
    if (status == ENVL_OK) {
        json_array_foreach(book.entries, i, entry) {
            if (!keeps(entry, kid, why, sizeof(why)))
                continue;
            status = envl_fail(err, ENVL_E_POLICY, "%s has to stay: %s", kid,
                               why);
            envl_hint(err, "envelope verify %.140s, then try again; a job "
                      "that is gone for good: envelope key jobs --forget "
                      "%.60s", text_of(entry, "file"), text_of(entry, "job"));
            break;
        }
    }
    book_close(&book);
    return status;
}

/* ---- the whole list ----------------------------------------------------- */

enum envl_status
ring_verified_list(const char *ring_path, struct envl_keyring *ring,
                   json_t **out, struct envl_error *err)
{
    struct book book;
    enum envl_status status = book_open(ring_path, ring, false, &book, err);

    if (status == ENVL_OK)
        *out = json_incref(book.entries);
    book_close(&book);
    return status;
}

enum envl_status
ring_verified_put(const char *ring_path, struct envl_keyring *ring,
                  const json_t *entries, struct envl_error *err)
{
    struct book book;
    enum envl_status status;

    if (json_array_size(entries) == 0)
        return ENVL_OK;
    status = book_open(ring_path, ring, true, &book, err);
    if (status == ENVL_OK) {
        json_decref(book.entries);
        book.entries = json_deep_copy(entries);
        status = book_save(&book, ring, err);
    }
    book_close(&book);
    return status;
}

enum envl_status
ring_verified_forget(const char *ring_path, struct envl_keyring *ring,
                     const char *name, struct envl_error *err)
{
    struct book book;
    enum envl_status status = book_open(ring_path, ring, true, &book, err);
    bool found = false;

    for (size_t i = json_array_size(book.entries);
         status == ENVL_OK && i-- > 0;) {
        if (strcmp(text_of(json_array_get(book.entries, i), "job"), name) !=
            0)
            continue;
        json_array_remove(book.entries, i);
        found = true;
    }
    if (status == ENVL_OK && !found)
        status = envl_fail(err, ENVL_E_NOTFOUND, "no job %s is registered "
                           "with this keyring", name);
    if (status == ENVL_OK)
        status = book_save(&book, ring, err);
    book_close(&book);
    return status;
}
