/* Which readers have the ring: their reports in a folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <envelope/keyring.h>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "keyring/key.h"
#include "keyring/reader.h"

#define REPORT_MAX   1024u /* bytes of a file        */
#define REPORTS_MAX  100000u
#define MAC_LEN      32u
#define MAC_TEXT_LEN 43u

static const struct file_rules folder_rules = { FILE_ANY, "report", NULL, 0 };

/* spec: KEY-56 */
static enum envl_status
compute_mac(struct envl_keyring *ring, struct envl_bytes line,
            uint8_t out[MAC_LEN], struct envl_error *err)
{
    struct hmac512_key *prepared = sodium_malloc(sizeof(*prepared));
    struct envl_secret *key = NULL;
    uint8_t mac[HMAC512_LEN];
    enum envl_status status;

    if (prepared == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    status = keyring_subkey(ring, "report", &key, err);
    if (status == ENVL_OK) {
        hmac512_prepare(prepared, envl_secret_bytes(key));
        hmac512(prepared, &line, 1, mac);
        memcpy(out, mac, MAC_LEN);
    }
    envl_secret_free(key);
    sodium_free(prepared);
    return status;
}

/* ---- writing ------------------------------------------------------------ */

static enum envl_status
print_report(struct envl_keyring *ring, const char *reader,
             char out[REPORT_MAX], struct envl_error *err)
{
    char now[CLOCK_DATE_SIZE], text[MAC_TEXT_LEN + 1];
    struct envl_ring_mark mark;
    uint8_t mac[MAC_LEN];
    enum envl_status status;
    int len;

    envl_keyring_mark(ring, &mark);
    clock_print(clock_now(), now);
    /* A name, a UUID and a date: there is nothing to escape. */
    len = snprintf(out, REPORT_MAX, "{\"report\":1,\"keyring\":\"%s\","
                   "\"reader\":\"%s\",\"generation\":%llu,\"at\":\"%s\"}",
                   mark.id, reader, (unsigned long long)mark.generation, now);
    status = compute_mac(ring, (struct envl_bytes){ (const uint8_t *)out,
                                                    (size_t)len }, mac, err);
    if (status != ENVL_OK)
        return status;
    sodium_bin2base64(text, sizeof(text), mac, sizeof(mac),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out + len, REPORT_MAX - (size_t)len, "\n{\"mac\":\"%s\"}\n",
             text);
    return ENVL_OK;
}

enum envl_status
envl_keyring_report(struct envl_keyring *ring, const char *folder,
                    const char *reader, struct envl_error *err)
{
    struct file_place place = { .dir = -1 };
    struct atomic_file file;
    char text[REPORT_MAX], *path = NULL;
    enum envl_status status;

    if (!key_name_valid(envl_bytes_of(reader))) {
        envl_fail(err, ENVL_E_USAGE, "'%.80s' is no valid name of a reader",
                  reader);
        envl_hint(err, "1 to 63 of a-z, 0-9, '.' and '-', the first a letter "
                  "or a digit");
        return ENVL_E_USAGE;
    }
    if ((status = print_report(ring, reader, text, err)) != ENVL_OK)
        return status;
    if (asprintf(&path, "%s/%s.json", folder, reader) < 0)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a path");
    status = file_find(path, &folder_rules, &place, err);
    if (status == ENVL_OK &&
        (status = atomic_file_begin(&file, &place, path, err)) == ENVL_OK) {
        /* It is no secret: whoever counts may be another user. */
        if (fchmod(file.fd, 0644) != 0)
            status = file_fail(err, "write", path);
        if (status == ENVL_OK)
            status = atomic_file_write(&file, envl_bytes_of(text), err);
        if (status == ENVL_OK)
            status = atomic_file_commit(&file, ATOMIC_FILE_REPLACE, err);
        else
            atomic_file_abort(&file);
    }
    file_place_close(&place);
    free(path);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

struct report {
    uint64_t version;
    char keyring[ENVL_UUID_SIZE];
    struct envl_reader_report *out;
};

enum { M_REPORT, M_KEYRING, M_READER, M_GENERATION, M_AT };

static const char *const names[] = { "report", "keyring", "reader",
                                     "generation", "at", NULL };

static bool
report_member(struct reader *r, void *into, unsigned member)
{
    struct report *report = into;
    const char *name = names[member];
    struct envl_bytes text;

    switch (member) {
    case M_REPORT:
        return reader_integer(r, name, &report->version);
    case M_KEYRING:
        if (!reader_string(r, name, &text) ||
            text.len != ENVL_UUID_SIZE - 1)
            return reader_refuse(r, name, "is no id");
        memcpy(report->keyring, text.ptr, text.len);
        report->keyring[text.len] = '\0';
        return true;
    case M_READER:
        return reader_name(r, name, report->out->reader);
    case M_GENERATION:
        return reader_integer(r, name, &report->out->generation);
    default:
        return reader_date(r, name, false, report->out->at);
    }
}

static bool
parse_line(struct envl_bytes line, struct report *report)
{
    struct reader r = { .part = "report" };
    unsigned seen = 0;
    bool ok;

    json_scan_init(&r.scan, line);
    ok = json_scan_next(&r.scan) == JSON_SCAN_OBJECT_BEGIN &&
         reader_members(&r, names, report_member, report, &seen) &&
         reader_require(&r, names, seen, (1u << (M_AT + 1)) - 1) &&
         json_scan_next(&r.scan) == JSON_SCAN_END && report->version == 1;
    json_scan_free(&r.scan);
    envl_buf_free(&r.text);
    return ok;
}

/* Line 2, as a ring's: the MAC of line 1. */
static bool
read_mac(struct envl_bytes text, uint8_t out[MAC_LEN])
{
    static const char head[] = "{\"mac\":\"", tail[] = "\"}\n";
    const size_t before = sizeof(head) - 1;
    const char *at = (const char *)text.ptr;
    size_t len = 0;

    return text.len == before + MAC_TEXT_LEN + sizeof(tail) - 1 &&
           strncmp(at, head, before) == 0 &&
           strncmp(at + before + MAC_TEXT_LEN, tail, sizeof(tail) - 1) == 0 &&
           sodium_base642bin(out, MAC_LEN, at + before, MAC_TEXT_LEN, NULL,
                             &len, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           len == MAC_LEN;
}

/* spec: KEY-56: the MAC first, and only then what the line says */
static bool
believe(struct envl_keyring *ring, struct envl_bytes text, const char *reader,
        struct envl_reader_report *out)
{
    const uint8_t *end = memchr(text.ptr, '\n', text.len);
    uint8_t given[MAC_LEN], mac[MAC_LEN];
    struct report report = { .out = out };
    struct envl_ring_mark mark;
    struct envl_bytes line;

    if (end == NULL)
        return false;
    line = (struct envl_bytes){ text.ptr, (size_t)(end - text.ptr) };
    if (!read_mac((struct envl_bytes){ end + 1, text.len - line.len - 1 },
                  given) ||
        compute_mac(ring, line, mac, NULL) != ENVL_OK ||
        sodium_memcmp(mac, given, MAC_LEN) != 0 ||
        !parse_line(line, &report))
        return false;
    envl_keyring_mark(ring, &mark);
    return strcmp(report.keyring, mark.id) == 0 &&
           strcmp(out->reader, reader) == 0;
}

/* The reader that ${file} is named after; false if it is named otherwise. */
static bool
reader_of(const char *file, char out[ENVL_NAME_SIZE])
{
    const size_t len = strlen(file);

    if (len < 6 || len - 5 >= ENVL_NAME_SIZE ||
        strcmp(file + len - 5, ".json") != 0)
        return false;
    memcpy(out, file, len - 5);
    out[len - 5] = '\0';
    return key_name_valid(envl_bytes_of(out));
}

/* A file that is none is listed with generation 0: somebody should look. */
static void
read_one(struct envl_keyring *ring, int folder, const char *file,
         const char *reader, struct envl_reader_report *out)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct stat st;
    int fd = openat(folder, file,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    *out = (struct envl_reader_report){ .generation = 0 };
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        file_read_fd(fd, REPORT_MAX, &text, NULL) != ENVL_OK ||
        text.len == 0 ||
        !believe(ring, envl_buf_view(&text), reader, out))
        *out = (struct envl_reader_report){ .generation = 0 };
    snprintf(out->reader, sizeof(out->reader), "%s", reader);
    if (fd >= 0)
        close(fd);
    envl_buf_free(&text);
}

static int
by_reader(const void *a, const void *b)
{
    const struct envl_reader_report *first = a, *second = b;

    return strcmp(first->reader, second->reader);
}

static enum envl_status
read_all(struct envl_keyring *ring, DIR *folder,
         struct envl_reader_report **list, size_t *count,
         struct envl_error *err)
{
    char reader[ENVL_NAME_SIZE];
    const struct dirent *file;
    size_t room = 0;

    while ((file = readdir(folder)) != NULL) {
        if (!reader_of(file->d_name, reader))
            continue;
        if (*count == REPORTS_MAX)
            return envl_fail(err, ENVL_E_LIMIT, "more than %u reports",
                             REPORTS_MAX);
        if (*count == room) {
            struct envl_reader_report *more;

            room = room == 0 ? 16 : 2 * room;
            more = realloc(*list, room * sizeof(**list));
            if (more == NULL)
                return envl_fail(err, ENVL_E_NOMEM, "out of memory for %zu "
                                 "reports", room);
            *list = more;
        }
        read_one(ring, dirfd(folder), file->d_name, reader,
                 &(*list)[(*count)++]);
    }
    return ENVL_OK;
}

enum envl_status
envl_keyring_reports(struct envl_keyring *ring, const char *folder,
                     struct envl_reader_report **out, size_t *count,
                     struct envl_error *err)
{
    struct envl_reader_report *list = NULL;
    enum envl_status status;
    size_t found = 0;
    DIR *open = opendir(folder);

    if (open == NULL)
        return file_fail(err, "read the folder", folder);
    status = read_all(ring, open, &list, &found, err);
    closedir(open);
    if (status != ENVL_OK) {
        free(list);
        return status;
    }
    if (found > 0)
        qsort(list, found, sizeof(*list), by_reader);
    *out = list;
    *count = found;
    return ENVL_OK;
}
