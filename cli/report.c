#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "printable.h"
#include "report.h"

static struct {
    bool json, quiet, failed;
} mode;

void
report_init(bool json, bool quiet)
{
    mode.json = json;
    mode.quiet = quiet;
}

bool
report_is_json(void)
{
    return mode.json;
}

bool
report_is_quiet(void)
{
    return mode.quiet;
}

/* ---- standard error ----------------------------------------------------- */

/* The longest line: a message and room for its escapes. */
#define LINE_MAX_LEN 2048u

/* Print to a line that is written at once, so that lines stay whole. */
struct line {
    char text[LINE_MAX_LEN];
    size_t len;
};

static void
put(struct line *line, const char *text, size_t len)
{
    if (len > sizeof(line->text) - line->len)
        len = sizeof(line->text) - line->len;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void
put_string(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void
put_visible(struct line *line, const char *text)
{
    const bool utf8 = utf8_valid(envl_bytes_of(text));

    for (size_t escaped = 0; *text != '\0'; text++) {
        char escape[8];

        if (escaped == 0)
            escaped = printable_control(text);
        if (escaped == 0 && (unsigned char)*text >= 0x80 && !utf8)
            escaped = 1;
        if (escaped > 0) {
            snprintf(escape, sizeof(escape), "\\x%02x",
                     (unsigned char)*text);
            put_string(line, escape);
            escaped--;
        } else {
            put(line, text, 1);
        }
    }
}

/* As a JSON string; bytes that are not UTF-8 become U+FFFD. */
static void
put_json(struct line *line, const char *text)
{
    bool utf8 = utf8_valid(envl_bytes_of(text));

    put(line, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[8];

        if (c == '"' || c == '\\') {
            put(line, "\\", 1);
            put(line, text, 1);
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(escape, sizeof(escape), "\\u%04x", c);
            put_string(line, escape);
        } else if (c >= 0x80 && !utf8) {
            put_string(line, "\\ufffd");
        } else {
            put(line, text, 1);
        }
    }
    put(line, "\"", 1);
}

static void
send_line(struct line *line)
{
    if (line->len == sizeof(line->text))
        line->len--;
    line->text[line->len++] = '\n';
    fflush(stdout); /* keep the order where both go to one place */
    fwrite(line->text, 1, line->len, stderr);
    fflush(stderr);
}

static void
say(const char *kind, const char *text)
{
    struct line line = { .len = 0 };

    if (mode.json) {
        put_string(&line, "{\"type\":");
        put_json(&line, kind);
        put_string(&line, ",\"message\":");
        put_json(&line, text);
        put_string(&line, "}");
    } else {
        put_string(&line, "envelope: ");
        if (strcmp(kind, "note") != 0) {
            put_string(&line, kind);
            put_string(&line, ": ");
        }
        put_visible(&line, text);
    }
    send_line(&line);
}

static void vsay(const char *kind, const char *format, va_list args)
    ENVL_PRINTF(2, 0);

static void
vsay(const char *kind, const char *format, va_list args)
{
    char text[LINE_MAX_LEN / 2];

    if (mode.quiet)
        return;
    vsnprintf(text, sizeof(text), format, args);
    say(kind, text);
}

void
report_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsay("warning", format, args);
    va_end(args);
}

void
report_hint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsay("hint", format, args);
    va_end(args);
}

void
report_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsay("note", format, args);
    va_end(args);
}

void
report_error(const struct envl_error *err)
{
    struct line line = { .len = 0 };
    char number[16];

    if (!mode.json) {
        say("error", err->message);
        if (err->hint[0] != '\0')
            say("hint", err->hint);
        return;
    }
    snprintf(number, sizeof(number), "%d",
             envl_status_exit_code(err->status));
    put_string(&line, "{\"type\":\"error\",\"code\":");
    put_string(&line, number);
    put_string(&line, ",\"name\":");
    put_json(&line, envl_status_name(err->status));
    put_string(&line, ",\"message\":");
    put_json(&line, err->message);
    put_string(&line, ",\"hint\":");
    put_json(&line, err->hint);
    put_string(&line, "}");
    send_line(&line);
}

/* ---- standard output ---------------------------------------------------- */

void
report_text(const char *format, ...)
{
    va_list args;

    if (mode.json)
        return;
    va_start(args, format);
    if (vprintf(format, args) < 0)
        mode.failed = true;
    va_end(args);
}

void
report_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vprintf(format, args) < 0)
        mode.failed = true;
    va_end(args);
}

void
report_json(json_t *document)
{
    if (mode.json &&
        (document == NULL || json_dumpf(document, stdout,
                    JSON_COMPACT | JSON_REAL_PRECISION(9)) != 0 ||
         putchar('\n') == EOF))
        mode.failed = true;
    json_decref(document);
}

enum envl_status
report_flush(struct envl_error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout) && !mode.failed)
        return ENVL_OK;
    if (errno == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return envl_fail(err, ENVL_E_IO, "cannot write to standard output: %s",
                     errno != 0 ? strerror(errno) : "it was not taken whole");
}
