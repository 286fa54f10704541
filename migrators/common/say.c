#include <stdarg.h>
#include <stdio.h>

#include "common/say.h"

enum envl_status
say_fail(const struct envl_host *host, struct envl_error *err,
         enum envl_status status, const char *format, ...)
{
    char text[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return host->fail(err, status, text);
}

void
say_hint(const struct envl_host *host, struct envl_error *err,
         const char *format, ...)
{
    char text[sizeof(err->hint)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    host->hint(err, text);
}

void
say_note(const struct envl_host *host, enum envl_note level,
         const char *target, const char *format, ...)
{
    char text[2048];
    va_list args;

    if (host->note == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    host->note(host->cookie, level, target, text);
}
