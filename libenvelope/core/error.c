#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <envelope/error.h>

/* One row a status, in the order of the enum.  spec: ENV-1.1 */
static const struct {
    const char *name;
    int exit_code;
} statuses[] = {
    [ENVL_OK] = { "ok", 0 },
    [ENVL_E_NOMEM] = { "nomem", 1 },
    [ENVL_E_INTERNAL] = { "internal", 1 },
    [ENVL_E_IO] = { "io", 1 },
    [ENVL_E_USAGE] = { "usage", 2 },
    [ENVL_E_LIMIT] = { "limit", 2 },
    [ENVL_E_PARTIAL] = { "partial", 3 },
    [ENVL_E_FINDINGS] = { "findings", 4 },
    [ENVL_E_NOTFOUND] = { "notfound", 10 },
    [ENVL_E_LOCKED] = { "locked", 11 },
    [ENVL_E_CONFLICT] = { "conflict", 1 },
    [ENVL_E_AUTH] = { "auth", 12 },
    [ENVL_E_NOKEY] = { "nokey", 13 },
    [ENVL_E_POLICY] = { "policy", 14 },
    [ENVL_E_PROVIDER] = { "provider", 15 },
    [ENVL_E_DATABASE] = { "database", 16 },
    [ENVL_E_AUDIT] = { "audit", 17 },
    [ENVL_E_INTEGRITY] = { "integrity", 18 },
    [ENVL_E_NOTENV] = { "notenv", 19 },
    [ENVL_E_FORMAT] = { "format", 19 },
    [ENVL_E_VERSION] = { "version", 19 },
    [ENVL_E_INTERRUPTED] = { "interrupted", 130 },
};

static int
known(enum envl_status status)
{
    return (unsigned)status < sizeof(statuses) / sizeof(statuses[0]);
}

const char *
envl_status_name(enum envl_status status)
{
    return known(status) ? statuses[status].name : "unknown";
}

int
envl_status_exit_code(enum envl_status status)
{
    return known(status) ? statuses[status].exit_code : 1;
}

/*
 * A name from outside (a file, a column) could move a terminal's cursor or
 * forge a second line of a log; and a message that was cut must not end in
 * half a character.
 */
static void
make_one_line(char *text, size_t size, int wanted)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            text[i] = '?';
    }
    if (wanted < 0 || (size_t)wanted < size)
        return;
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        len--;
    if (len > 0 && (unsigned char)text[len - 1] >= 0xc0)
        len--;
    text[len] = '\0';
}

enum envl_status
envl_fail(struct envl_error *err, enum envl_status status,
          const char *format, ...)
{
    va_list args;
    int wanted;

    if (err == NULL)
        return status;
    err->status = status;
    err->hint[0] = '\0';
    va_start(args, format);
    wanted = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (wanted < 0)
        err->message[0] = '\0';
    make_one_line(err->message, sizeof(err->message), wanted);
    return status;
}

void
envl_hint(struct envl_error *err, const char *format, ...)
{
    va_list args;
    int wanted;

    if (err == NULL)
        return;
    va_start(args, format);
    wanted = vsnprintf(err->hint, sizeof(err->hint), format, args);
    va_end(args);
    if (wanted < 0)
        err->hint[0] = '\0';
    make_one_line(err->hint, sizeof(err->hint), wanted);
}
