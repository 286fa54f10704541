#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/json_scan.h"
#include "engine/job_text.h"

#define DEPTH_MAX 32u

static enum envl_status
too_long(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_LIMIT, "a job has at most %zu bytes",
                     JOB_TEXT_MAX);
}

enum envl_status
job_text_read(const char *path, struct envl_buf *out, struct envl_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum envl_status status = ENVL_OK;
    ssize_t n = 1;

    if (fd < 0)
        return envl_fail(err, errno == ENOENT ? ENVL_E_NOTFOUND : ENVL_E_IO,
                         "job \"%s\": %s", path, strerror(errno));
    while (n != 0 && status == ENVL_OK) {
        if (out->len > JOB_TEXT_MAX)
            status = too_long(err);
        else if ((status = envl_buf_reserve(out, 16384, err)) != ENVL_OK)
            break;
        else if ((n = read(fd, out->ptr + out->len, 16384)) > 0)
            out->len += (size_t)n;
        else if (n < 0 && errno != EINTR)
            status = envl_fail(err, ENVL_E_IO, "job \"%s\": %s", path,
                               strerror(errno));
    }
    (void)close(fd);
    return status;
}

/* Where the scanner is: in the member ${name} or at the element ${index}. */
struct frame {
    bool array;
    size_t index;
    struct envl_bytes name;
};

static void
append_place(const struct frame *frame, char *out, size_t room, bool first)
{
    size_t used = strlen(out), len = frame->name.len;

    if (frame->array) {
        (void)snprintf(out + used, room - used, "[%zu]", frame->index);
        return;
    }
    if (!first)
        (void)snprintf(out + used, room - used, ".");
    used = strlen(out);
    for (size_t i = 0; i < len && i < 48 && used + 1 < room; i++) {
        uint8_t c = frame->name.ptr[i];

        out[used++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out[used] = '\0';
}

/* The place of the name that ends at byte ${position}. */
static void
find_place(struct envl_bytes text, size_t position, char *out, size_t room)
{
    struct frame frames[DEPTH_MAX + 1] = { { false, 0, { NULL, 0 } } };
    struct json_scan scan;
    enum json_token token;
    size_t depth = 0;

    json_scan_init(&scan, text);
    do {
        token = json_scan_next(&scan);
        if (token == JSON_SCAN_OBJECT_BEGIN ||
            token == JSON_SCAN_ARRAY_BEGIN) {
            if (++depth > DEPTH_MAX)
                break;
            frames[depth] = (struct frame){ token == JSON_SCAN_ARRAY_BEGIN, 0,
                                            { NULL, 0 } };
            continue;
        }
        if (token == JSON_SCAN_NAME) {
            frames[depth].name = (struct envl_bytes){
                text.ptr + scan.start + 1, scan.len - 2 };
            continue;
        }
        if (token == JSON_SCAN_OBJECT_END || token == JSON_SCAN_ARRAY_END)
            depth--;
        frames[depth].index++;
    } while (token > JSON_SCAN_END && scan.start + scan.len < position);
    json_scan_free(&scan);
    out[0] = '\0';
    for (size_t i = 1; i <= depth && i <= DEPTH_MAX; i++)
        append_place(&frames[i], out, room, i == 1);
}

enum envl_status
job_text_parse(struct envl_bytes text, json_t **out, struct envl_error *err)
{
    json_error_t at;
    char place[160];
    json_t *json;

    if (text.len > JOB_TEXT_MAX)
        return too_long(err);
    json = json_loadb((const char *)text.ptr, text.len,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &at);
    if (json != NULL) {
        *out = json;
        return ENVL_OK;
    }
    switch (json_error_code(&at)) {
    case json_error_out_of_memory:
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a job");
    case json_error_duplicate_key: /* spec: JOB-1 */
        find_place(text, (size_t)at.position, place, sizeof(place));
        return envl_fail(err, ENVL_E_USAGE,
                         "job: %s: the member stands twice (line %d)", place,
                         at.line);
    default:
        return envl_fail(err, ENVL_E_USAGE,
                         "job: line %d, column %d: this is not JSON", at.line,
                         at.column);
    }
}
